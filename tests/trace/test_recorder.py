"""A recorder begins, stops, keeps to its bytes and is in nobody's way."""

from __future__ import annotations

import gc

import pytest
from rig import Rig
from watchtree import Dispatcher, Tree
from watchtree.trace import Recorder


def test_it_records_until_its_block_ends(rig):
    with Recorder(rig.dispatcher) as recorder:
        assert recorder.is_recording
        rig.put("a")
    assert not recorder.is_recording
    rig.put("b")
    assert recorder.trace().keys == ["a"]


def test_stopping_twice_is_stopping_once(rig):
    recorder = Recorder(rig.dispatcher)
    recorder.stop()
    recorder.stop()
    assert len(recorder.trace()) == 0


def test_a_dispatcher_is_recorded_by_one_recorder_at_a_time(rig):
    recorder = Recorder(rig.dispatcher)
    with pytest.raises(ValueError, match="being recorded already"):
        Recorder(rig.dispatcher)
    recorder.stop()
    Recorder(rig.dispatcher).stop()


def test_a_recorder_that_is_forgotten_stops(rig):
    Recorder(rig.dispatcher)
    gc.collect()
    Recorder(rig.dispatcher).stop()


def test_what_was_recorded_outlives_the_dispatcher():
    tree = Tree()
    dispatcher = Dispatcher(tree, lambda batch: None)
    recorder = Recorder(dispatcher)
    tree.put("a", b"")
    del dispatcher
    gc.collect()
    assert not recorder.is_recording
    tree.put("b", b"")
    assert recorder.trace().keys == ["a"]


def test_each_dispatcher_of_a_tree_has_its_own_recording(rig):
    other = Dispatcher(rig.tree, lambda batch: batch.acknowledge(), clock=rig.clock)
    with Recorder(rig.dispatcher) as first, Recorder(other) as second:
        rig.put("a")
        rig.sync("alice", {"a": 0})
        other.sync("bob", {"a": 0})
    assert set(first.trace().counts()) == {"PUT", "SYNC", "WATCH", "READY"}
    assert (first.trace().channels, second.trace().channels) == (["alice"], ["bob"])
    assert first.trace().replay().dispatcher.channels() == ["alice"]
    assert second.trace().replay().dispatcher.channels() == ["bob"]


def test_a_trace_is_a_copy_that_does_not_change(rig):
    recorder = Recorder(rig.dispatcher)
    rig.put("a")
    trace = recorder.trace()
    rig.put("b")
    assert trace.keys == ["a"]
    assert recorder.trace().keys == ["a", "b"]


@pytest.mark.parametrize("bad", [0, 65_535, 2**36 + 1, -1, 2**70])
def test_a_size_out_of_range_is_refused(rig, bad):
    with pytest.raises(ValueError, match=r"max_bytes is .* give 65,536"):
        Recorder(rig.dispatcher, max_bytes=bad)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, {}), "dispatcher"),
        ((object(), {}), "dispatcher"),
        (("rig", {"max_bytes": "many"}), "max_bytes"),
        (("rig", {"max_bytes": 1e6}), "max_bytes"),
        (("rig", {"for_replay": 1}), "for_replay"),
    ],
)
def test_a_wrong_type_is_refused(rig, arguments, message):
    dispatcher, keywords = arguments
    with pytest.raises(TypeError, match=message):
        Recorder(rig.dispatcher if dispatcher == "rig" else dispatcher, **keywords)


def test_a_recorder_that_was_never_made_says_so():
    with pytest.raises(TypeError, match="never called"):
        Recorder.__new__(Recorder).trace()


# Bounded memory.


def test_the_newest_calls_are_kept_within_the_bytes(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    for number in range(10_000):
        rig.tree.put(f"key{number:05}", b"v")
    trace = rig.trace()
    assert len(trace.keys) >= 1_000
    assert trace.keys[-1] == "key09999"
    assert trace.keys == [f"key{number:05}" for number in range(10_000 - len(trace.keys), 10_000)]
    assert trace.dropped == 10_000 - len(trace.keys)
    assert trace._log.size_bytes <= 1 << 16
    assert not trace.replayable


def test_times_and_numbers_of_calls_go_on_where_older_ones_were_dropped(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    for _ in range(10_000):
        rig.clock.advance(1e-6)
        rig.tree.put("key", b"v")
    columns = rig.trace().columns()
    assert columns["call"][-1] == 9_999
    assert (columns["time"] == (columns["call"] + 1) * 1000).all()
    assert (columns["index"] == columns["call"] + 1).all()


def test_an_answer_names_its_channel_though_its_batch_was_dropped(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    for channel in ("alice", "bob"):
        rig.sync(channel, {"a": 0})
    rig.dispatch()
    for _ in range(5_000):
        rig.put("b")
    rig.batches[0].acknowledge([2])
    rig.batches[0].acknowledge()
    rig.clock.advance(rig.config.answer_timeout)
    rig.dispatch()
    rows = [row for row in rig.rows("channel") if row[0] not in ("PUT", "DISPATCH")]
    assert rows[:4] == [("RESULTS", "alice"), ("ACKNOWLEDGE", None), ("OVERDUE", "bob"), ("BACK_OFF", "bob")]


def test_a_call_too_large_for_the_recording_is_one_row_and_the_next_ones_are_there(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    rig.put("before")
    rig.dispatcher.sync("alice", {f"key{number}": 0 for number in range(2_000)})
    rig.put("after")
    assert [row[0] for row in rig.rows()] == ["PUT", "LOST", "PUT"]
    assert [ready for _, ready in rig.rows("ready_channels")] == [0, 1, 1]
    assert not rig.trace().replayable


def test_a_step_too_large_for_the_recording_is_one_row(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    for start in range(0, 2_000, 100):
        rig.dispatcher.sync("alice", {f"key{number}": 0 for number in range(start, start + 100)})
    rig.dispatch()
    assert [row[0] for row in rig.rows()][-2:] == ["LOST", "HAND_OVER"]
    assert rig.rows("in_flight")[-2:] == [("LOST", 1), ("HAND_OVER", 1)]


def test_a_large_value_is_left_out_but_its_change_is_there(make_recorded):
    rig = make_recorded(recording={"max_bytes": 1 << 16})
    rig.put("a", bytes(500_000))
    assert rig.rows("key", "bytes") == [("PUT", "a", 500_000)]
    assert not rig.trace().replayable


def test_without_replay_values_are_not_kept(make_recorded):
    rig = make_recorded(recording={"for_replay": False})
    rig.put("a", b"a secret of the user's")
    rig.tree.compare_and_set("a", b"a secret of the user's", b"another secret")
    trace = rig.trace()
    assert [size for _, size in rig.rows("bytes")] == [22, 14]
    assert b"secret" not in trace._log.to_bytes()
    assert not trace.replayable


def test_many_sizes_of_calls_in_a_small_recording_stay_in_order(make_recorded):
    """Calls of all lengths around the end of a segment, and some that no segment can hold, right behind them."""
    for longest in range(3_900, 4_130):
        rig = make_recorded(recording={"max_bytes": 1 << 16})
        sizes = (10, longest, 5_000, 20, longest - 13, 1_000, longest // 2)
        for size in sizes:
            rig.dispatcher.touch("x" * size)
        found = [None if name == "LOST" else len(channel) for name, channel in rig.rows("channel")]
        assert len(found) == len(sizes)
        assert found[2] is None
        assert all(kept in (None, size) for kept, size in zip(found, sizes, strict=True))
        assert longest > 3_960 or found[1] == longest


def test_recording_changes_nothing_that_the_dispatcher_does():
    def history(rig):
        for _ in range(3):
            rig.put("a")
            rig.sync("alice", {"a": 0, "b": 0}, replace=True)
            rig.dispatch()
            rig.unanswered()[0].acknowledge([0, 2])
            rig.clock.advance(2)
        return [(batch.channel, batch.ticket, list(batch)) for batch in rig.batches]

    plain, recorded = Rig(), Rig()
    with Recorder(recorded.dispatcher):
        assert history(recorded) == history(plain)
