"""A trace is saved and loaded; what is no trace is refused, whatever it is."""

from __future__ import annotations

import zlib

import pytest
from watchtree import Failure, Put, WatchTreeError
from watchtree._core import Log
from watchtree.trace import InvalidTrace, Trace


@pytest.fixture
def trace(recorded):
    recorded.put("a", b"1")
    recorded.sync("alice", {"a": 0, "b": 0})
    recorded.dispatch()
    recorded.tree.batch([Put("b", b"1"), Put("a..b", b"2")])
    recorded.batches[0].acknowledge([0, 2])
    recorded.clock.advance(1)
    recorded.dispatch()
    recorded.batches[1].fail(Failure.NETWORK)
    recorded.tree.restore(recorded.tree.snapshot())
    return recorded.trace()


def same(one, other):
    columns, others = one.columns(), other.columns()
    return (
        list(columns) == list(others)
        and all((columns[name] == others[name]).all() for name in columns)
        and (one.channels, one.keys, one.config) == (other.channels, other.keys, other.config)
        and (one.dropped, one.replayable) == (other.dropped, other.replayable)
    )


def test_a_trace_comes_back_as_it_was_saved(trace, tmp_path):
    trace.save(tmp_path / "t.wtt")
    loaded = Trace.load(tmp_path / "t.wtt")
    assert same(loaded, trace)
    assert loaded.replay().calls == trace.replay().calls


def test_its_limits_come_back(make_recorded, tmp_path):
    rig = make_recorded(max_batch_size=7, max_batch_bytes=1234, backoff=(0.5, 3.25), answer_timeout=1e-6, heartbeat=1e8)
    rig.trace().save(tmp_path / "t.wtt")
    loaded = Trace.load(tmp_path / "t.wtt").config
    assert (loaded.max_batch_size, loaded.max_batch_bytes, loaded.backoff) == (7, 1234, (0.5, 3.25))
    assert (loaded.answer_timeout, loaded.heartbeat) == (1e-6, 1e8)


def test_a_file_is_compact(make_recorded, tmp_path):
    rig = make_recorded()
    rig.watch("alice", "some.key")
    for _ in range(5_000):
        rig.put("some.key")
    rig.trace().save(tmp_path / "t.wtt")
    assert (tmp_path / "t.wtt").stat().st_size < 10 * 5_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no trace"),
        (b"WTSN\x01", "is no trace"),
        (b"WTTR", "version none"),
        (b"WTTR\x02", "version 02; this watchtree reads version 1"),
        (b"WTTR\x01", "is damaged"),
        (b"WTTR\x01not compressed", "is damaged"),
        (b"WTTR\x01" + bytes(8) + zlib.compress(b""), "is damaged"),
        (b"WTTR\x01\x64" + bytes(7) + zlib.compress(b"\x00" * 100), "is damaged"),
        (b"WTTR\x01" + b"\xff" * 8 + zlib.compress(b"\x00" * 100), "is damaged"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path, content, message):
    (tmp_path / "t.wtt").write_bytes(content)
    with pytest.raises(InvalidTrace, match=message):
        Trace.load(tmp_path / "t.wtt")


def test_a_file_that_was_cut_padded_or_says_another_size_is_damaged(trace, tmp_path):
    trace.save(tmp_path / "t.wtt")
    whole = (tmp_path / "t.wtt").read_bytes()
    for other in (whole[:-1], whole + b"\0", whole[:5] + bytes([whole[5] ^ 1]) + whole[6:], whole[:20]):
        (tmp_path / "t.wtt").write_bytes(other)
        with pytest.raises(InvalidTrace, match="is damaged"):
            Trace.load(tmp_path / "t.wtt")


def test_a_file_that_claims_to_be_small_is_not_unpacked_further(tmp_path):
    many = b"WTTR\x01" + (10).to_bytes(8, "little") + zlib.compress(bytes(1 << 24))
    (tmp_path / "t.wtt").write_bytes(many)
    with pytest.raises(InvalidTrace, match="is damaged"):
        Trace.load(tmp_path / "t.wtt")


def test_a_file_is_replaced_once_the_new_one_is_whole(trace, tmp_path):
    (tmp_path / "t.wtt").mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError, match=r"t\.wtt"):
        trace.save(tmp_path / "t.wtt")
    assert [path.name for path in tmp_path.iterdir()] == ["t.wtt"]


def test_a_trace_whose_tree_is_damaged_cannot_be_replayed(trace):
    data = trace._log.to_bytes()
    at = data.index(b"WTSN")
    log = Log.from_bytes(data[:at] + b"XTSN" + data[at + 4 :])
    with pytest.raises(InvalidTrace, match="the tree of this trace is damaged"):
        Trace(log).replay()


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "nothing")


def use(log):
    """All that can be done with a log; what it answers is of no matter."""
    trace = Trace(log)
    try:
        repr(trace), trace.counts(), trace.config, trace.cut(0.5), trace.filter(channel="alice")
        if trace.replayable:
            trace.replay()
    except (WatchTreeError, ValueError, MemoryError):
        pass


def test_any_byte_may_be_another_and_nothing_breaks(trace):
    data = trace._log.to_bytes()
    accepted = 0
    for at in range(len(data)):
        for change in (1, 0x80, 0xFF):
            other = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            log = Log.from_bytes(other)
            if log is not None:
                accepted += 1
                use(log)
    assert 0 < accepted < 3 * len(data)


def test_any_end_may_be_missing_and_nothing_breaks(trace):
    data = trace._log.to_bytes()
    assert [size for size in range(len(data)) if Log.from_bytes(data[:size]) is not None] == []
    assert Log.from_bytes(data + b"\0") is None


@pytest.mark.parametrize("bad", [None, "text", 5])
def test_a_log_is_made_from_bytes(bad):
    with pytest.raises(TypeError):
        Log.from_bytes(bad)
