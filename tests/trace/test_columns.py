"""The columns of a trace are numpy arrays over its own memory, which data frames take as they are."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import numpy as np
import pytest
from watchtree import InvalidKey
from watchtree.trace import Event, Trace


@pytest.fixture
def trace(recorded):
    for number in range(100):
        recorded.put(f"key{number % 7}")
        if number == 20:
            recorded.watch("alice", "key1", "key2")
        recorded.clock.advance(0.1)
    return recorded.trace()


def test_columns_are_arrays_of_one_length_that_cannot_be_written_to(trace):
    columns = trace.columns()
    assert {len(column) for column in columns.values()} == {len(trace)}
    for name, column in columns.items():
        assert column.flags.c_contiguous, name
        assert column.flags.aligned, name
        assert not column.flags.writeable, name
        assert not column.flags.owndata, name
        assert column.dtype.kind in "iu", name


def test_columns_are_made_once(trace):
    first, second = trace.columns(), trace.columns()
    assert all(np.shares_memory(first[name], second[name]) for name in first)


def test_columns_outlive_the_trace(recorded):
    recorded.put("a")
    columns = recorded.trace().columns()
    recorded.recorder.stop()
    assert columns["event"].tolist() == [Event.PUT]


def test_a_cut_is_a_view(trace):
    whole, part = trace.columns(), trace.cut(2.0, 5.0).columns()
    assert 0 < len(part["time"]) < len(whole["time"])
    assert all(np.shares_memory(part[name], whole[name]) for name in whole)


def test_pandas_takes_them_without_a_copy(trace):
    import pandas as pd

    columns = trace.columns()
    frame = pd.DataFrame(columns, copy=False)
    assert len(frame) == len(trace)
    assert all(np.shares_memory(frame[name].to_numpy(), columns[name]) for name in columns)


def test_polars_takes_them_without_a_copy(trace):
    import polars as pl

    columns = trace.columns()
    frame = pl.DataFrame(columns)
    assert frame.height == len(trace)
    assert all(np.shares_memory(frame[name].to_numpy(), columns[name]) for name in columns)


def test_pyarrow_takes_them_without_a_copy(trace):
    import pyarrow as pa

    columns = trace.columns()
    table = pa.table(columns)
    assert table.num_rows == len(trace)
    for name in columns:
        (chunk,) = table[name].chunks
        assert chunk.buffers()[1].address == columns[name].ctypes.data


def test_names_are_positions_in_the_lists_of_the_trace(trace):
    columns = trace.columns()
    puts = columns["key"][columns["event"] == Event.PUT]
    assert [trace.keys[position] for position in puts[:8]] == [f"key{number % 7}" for number in range(8)]
    assert set(columns["channel"].tolist()) == {-1, trace.channels.index("alice")}


# Cutting and filtering.


def test_a_cut_has_the_calls_between_two_times(trace):
    part = trace.cut(2.0, 5.0)
    time = part.columns()["time"]
    start = trace.columns()["time"][0]
    assert time[0] >= start + 2_000_000_000
    assert time[-1] < start + 5_000_000_000
    assert part.dropped == part.columns()["call"][0]


def test_a_cut_keeps_the_rows_of_a_call_together(trace):
    for at in np.arange(0, 11, 0.05):
        early, late = trace.cut(end=float(at)), trace.cut(float(at))
        assert len(early) + len(late) == len(trace)
        if len(early) and len(late):
            assert early.columns()["call"][-1] != late.columns()["call"][0]


def test_a_cut_from_the_start_can_be_replayed_and_another_cannot(trace):
    early = trace.cut(end=3.0)
    assert early.replayable
    assert early.replay().tree.index == int(early.columns()["index"].max())
    assert not trace.cut(3.0).replayable


def test_a_cut_is_saved_alone(trace, tmp_path):
    part = trace.cut(3.0, 6.0)
    part.save(tmp_path / "part.wtt")
    loaded = Trace.load(tmp_path / "part.wtt")
    assert loaded.columns()["time"].tolist() == part.columns()["time"].tolist()
    assert loaded.columns()["call"].tolist() == part.columns()["call"].tolist()
    assert loaded.counts() == part.counts()


@pytest.mark.parametrize(("begin", "rows"), [(float("inf"), 0), (float("-inf"), None), (1e300, 0)])
def test_a_cut_may_begin_beyond_all_times(trace, begin, rows):
    assert len(trace.cut(begin)) == (len(trace) if rows is None else rows)


def test_nan_is_no_time(trace):
    with pytest.raises(ValueError, match="nan is no time"):
        trace.cut(float("nan"))


def test_a_cut_of_a_cut_counts_from_its_own_first_row(trace):
    assert len(trace.cut(2.0).cut(1.0, 2.0)) == len(trace.cut(3.0, 4.0))


@pytest.mark.parametrize(("begin", "end"), [(50.0, 60.0), (5.0, 5.0), (6.0, 2.0)])
def test_a_cut_with_nothing_in_it_is_empty(trace, begin, end):
    part = trace.cut(begin, end)
    assert len(part) == 0
    assert part.counts() == {}


def test_an_empty_trace_can_be_cut_filtered_saved_and_replayed(recorded, tmp_path):
    trace = recorded.trace()
    assert len(trace.cut(1.0)) == len(trace.filter(channel="alice")) == 0
    trace.save(tmp_path / "t.wtt")
    assert Trace.load(tmp_path / "t.wtt").replay().calls == 0


def test_filters_choose_rows_that_fit_all_of_them(trace):
    alone = trace.filter(key="key1", event=Event.PUT)
    columns = alone.columns()
    assert set(columns["event"].tolist()) == {Event.PUT}
    assert {alone.keys[position] for position in columns["key"]} == {"key1"}
    assert len(alone) == 15
    assert len(trace.filter(key=["key1", "key2"], event=[Event.PUT, Event.NOTIFICATION])) > len(alone)
    assert set(trace.filter(channel="alice").counts()) >= {"SYNC", "BATCH", "ACKNOWLEDGE"}
    assert len(trace.filter(channel="nobody")) == 0


def test_a_filter_takes_events_as_they_stand_in_the_column(trace):
    event = trace.columns()["event"][0]
    assert len(trace.filter(event=event)) == len(trace.filter(event=Event(event))) > 0


def test_a_filter_refuses_the_name_of_an_event(trace):
    with pytest.raises(TypeError, match=r"give an Event, such as Event\.PUT"):
        trace.filter(event="put")


def test_a_key_with_lone_surrogates_has_its_own_name(recorded):
    keys = ["a\ud800", "a\ud801", "\\ud800"]
    for key in keys:
        with contextlib.suppress(InvalidKey):
            recorded.tree.put(key, b"")
    trace = recorded.trace()
    assert trace.keys == keys
    assert len(trace.filter(key="a\ud801")) == 1


def test_a_filter_chooses_keys_below_a_directory(recorded):
    for key in ("a.b.c", "a.bc", "a.b", "d"):
        recorded.tree.remove(key, recursive=True) if key in recorded.tree else recorded.put(key)
    assert [key for _, key in rows_of(recorded.trace().filter(below="a.b"), "key")] == ["a.b.c", "a.b"]
    assert len(recorded.trace().filter(below="")) == 4


def test_a_filtered_trace_is_for_looking_at(trace, tmp_path):
    part = trace.filter(channel="alice")
    assert not part.replayable
    for use in (part.replay, lambda: part.save(tmp_path / "t.wtt"), lambda: part.cut(1.0)):
        with pytest.raises(ValueError, match="filter"):
            use()


def test_a_trace_says_what_it_is(trace):
    assert "replayable" in repr(trace)
    assert "filtered" in repr(trace.filter(key="a"))
    assert "100" in trace._repr_html_()


def test_without_numpy_recording_saving_and_replaying_work():
    code = """
import sys
sys.modules["numpy"] = None
import watchtree as wt
from watchtree.trace import Recorder, Trace
tree = wt.Tree()
dispatcher = wt.Dispatcher(tree, lambda batch: batch.acknowledge())
with Recorder(dispatcher) as recorder:
    tree.put("a", b"1")
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
assert recorder.trace().replay().calls == 5
try:
    recorder.trace().columns()
except ImportError:
    print("no numpy")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("no numpy\n", "")


def rows_of(trace, column):
    values = trace.columns()[column]
    return [
        (Event(event).name, trace.keys[value]) for event, value in zip(trace.columns()["event"], values, strict=True)
    ]
