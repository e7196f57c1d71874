"""What a trace says of each call, and of what followed from it."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import CompareFailed, Dispatcher, Failure, Mkdir, Put, Result, StaleIndex, State
from watchtree.trace import Event, Recorder


def test_a_change_is_a_row_with_its_key_its_index_and_its_size(recorded):
    recorded.tree.put("a", b"12345")
    recorded.tree.mkdir("d")
    recorded.tree.remove("a")
    assert recorded.rows("key", "index", "outcome", "bytes") == [
        ("PUT", "a", 1, 0, 5),
        ("MKDIR", "d", 2, 0, 0),
        ("REMOVE", "a", 3, 0, 0),
    ]


def test_a_refused_change_is_a_row_with_the_reason_and_the_index_of_the_tree(recorded):
    recorded.put("a")
    with pytest.raises(CompareFailed):
        recorded.tree.compare_and_set("a", b"other", b"new")
    name, index, outcome = recorded.rows("index", "outcome")[-1]
    assert (name, index) == ("COMPARE_AND_SET", 1)
    assert outcome != 0


def test_a_batch_of_changes_is_a_row_with_one_for_each_operation_after_it(recorded):
    recorded.tree.batch([Put("a", b"1"), Mkdir("d"), Put("bad..key", b"")])
    rows = recorded.rows("call", "key", "count", "index")
    assert rows[0] == ("CHANGES", 0, None, 3, 1)
    assert [row[:3] for row in rows[1:]] == [("PUT", 0, "a"), ("MKDIR", 0, "d"), ("PUT", 0, "bad..key")]
    outcomes = [outcome for _, outcome in recorded.rows("outcome")[1:]]
    assert outcomes[:2] == [0, 0]
    assert outcomes[2] != 0


def test_a_batch_of_changes_that_is_refused_is_refused_in_all_its_rows(recorded):
    recorded.put("a")
    with pytest.raises(StaleIndex):
        recorded.tree.batch([Put("a", b"1"), Mkdir("d")], index=1)
    outcomes = [outcome for _, outcome in recorded.rows("outcome")[1:]]
    assert len(outcomes) == 3
    assert outcomes[0] != 0
    assert len(set(outcomes)) == 1


def test_a_sync_is_a_row_with_one_for_each_key_after_it_and_what_it_leads_to(recorded):
    recorded.put("a")
    recorded.sync("alice", {"a": 1, "b": 0, "c": -1})
    assert recorded.rows("channel", "key", "index", "count")[1:] == [
        ("SYNC", "alice", None, 1, 3),
        ("WATCH", "alice", "a", 1, 0),
        ("WATCH", "alice", "b", 0, 0),
        ("UNWATCH", "alice", "c", -1, 0),
        ("READY", "alice", None, 0, 0),
    ]


def test_a_step_is_a_row_with_its_batches_and_their_notifications_after_it(recorded):
    recorded.put("a", b"123")
    recorded.sync("alice", {"a": 0, "missing": 0, "": 0})
    start = len(recorded.trace())
    recorded.dispatch()
    rows = recorded.rows("channel", "key", "ticket", "index", "outcome", "count", "bytes")[start:]
    size = recorded.batches[0].size_bytes
    assert rows == [
        ("DISPATCH", None, None, 0, 1, 1, 1, 0),
        ("BATCH", "alice", None, 1, 0, 0, 3, size),
        ("NOTIFICATION", "alice", "a", 1, 1, State.VALUE, 0, 3),
        ("NOTIFICATION", "alice", "missing", 1, 1, State.MISSING, 0, 0),
        ("NOTIFICATION", "alice", "", 1, 1, State.DIRECTORY, 0, 0),
        ("HAND_OVER", "alice", None, 1, 1, 0, 0, 0),
    ]


def test_a_cut_batch_and_an_unfinished_step_are_marked(make_recorded):
    rig = make_recorded(max_batch_bytes=30, max_batch_size=1)
    rig.put("a")
    rig.put("b")
    rig.sync("alice", {"a": 0, "b": 0})
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    marks = [row for row in rig.rows("channel", "outcome") if row[0] in ("BATCH", "DISPATCH")]
    assert marks == [("DISPATCH", None, 0), ("BATCH", "alice", 1)]


@pytest.mark.parametrize(
    ("channels", "keys", "count", "complete"),
    [(0, 0, 0, 1), (3, 0, 3, 1), (0, 4, 4, 1), (3, 4, 4, 1), (9, 0, 5, 0), (0, 9, 5, 0), (2, 9, 5, 0)],
)
def test_a_step_says_how_many_items_its_busiest_part_had(make_recorded, channels, keys, count, complete):
    rig = make_recorded(max_batch_size=5)
    watched = [f"key{number}" for number in range(keys)]
    for key in watched:
        rig.put(key)
    if watched:
        rig.watch("watcher", *watched)
        for key in watched:
            rig.put(key)
    for number in range(channels):
        rig.sync(f"channel{number}", {"other": 0})
    rig.dispatch()
    assert [row for row in rig.rows("count", "outcome") if row[0] == "DISPATCH"][-1] == ("DISPATCH", count, complete)


def test_an_answer_is_a_row_that_says_whether_it_counted(recorded):
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    recorded.batches[0].acknowledge()
    recorded.batches[0].acknowledge()
    recorded.dispatcher.answer(99)
    assert recorded.rows("channel", "ticket", "outcome")[-3:] == [
        ("ACKNOWLEDGE", "alice", 1, 1),
        ("ACKNOWLEDGE", "alice", 1, 0),
        ("ACKNOWLEDGE", None, 99, 0),
    ]


def test_each_result_that_is_not_ok_is_a_row(recorded):
    recorded.sync("alice", {"a": 0, "b": 0, "c": 0, "d": 0})
    recorded.dispatch()
    recorded.batches[0].acknowledge([Result.OK, Result.ERROR, Result.REMOVE_WATCH, 1 << 40])
    assert recorded.rows("key", "ticket", "outcome", "count")[-4:] == [
        ("RESULTS", None, 1, 1, 4),
        ("RESULT", "b", 1, Result.ERROR, 0),
        ("RESULT", "c", 1, Result.REMOVE_WATCH, 0),
        ("RESULT", "d", 1, (1 << 31) - 1, 0),
    ]


def test_a_wrong_number_of_results_closes_the_channel(recorded):
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    recorded.batches[0].acknowledge([0, 0])
    assert recorded.rows("channel", "outcome")[-2:] == [("RESULTS", "alice", 2), ("CLOSED", "alice", 0)]


def test_results_that_do_not_count_have_no_rows_of_their_own(recorded):
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    recorded.batches[0].acknowledge([2])
    recorded.batches[0].acknowledge([2])
    recorded.clock.advance(1)
    recorded.dispatch()
    recorded.batches[1].acknowledge([2, 2])
    results = [row for row in recorded.rows("outcome") if row[0].startswith("RESULT")]
    assert results == [("RESULTS", 1), ("RESULT", 2), ("RESULTS", 0), ("RESULTS", 2)]


def test_a_failure_is_a_row_with_its_reason_and_the_back_off_after_it(recorded):
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    recorded.batches[0].fail(Failure.NETWORK)
    assert recorded.rows("channel", "outcome", "count", "duration")[-2:] == [
        ("FAIL", "alice", Failure.NETWORK, 1, 0),
        ("BACK_OFF", "alice", 0, 0, 1_000_000_000),
    ]


def test_a_permanent_failure_and_the_removal_of_all_watches_close_the_channel(recorded):
    for channel, end in (
        ("alice", lambda batch: batch.fail(Failure.STOPPING)),
        ("bob", lambda batch: batch.remove_all()),
    ):
        recorded.sync(channel, {"a": 0})
        recorded.dispatch()
        end(recorded.batches[-1])
    names = [row for row in recorded.rows("channel") if row[0] in ("FAIL", "REMOVE_ALL", "CLOSED")]
    assert names == [("FAIL", "alice"), ("CLOSED", "alice"), ("REMOVE_ALL", "bob"), ("CLOSED", "bob")]


def test_a_transport_that_raises_is_a_row_of_its_own(recorded):
    def refuse(batch):
        raise OSError("no way")

    recorded.during_send = refuse
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    assert recorded.rows("channel", "outcome", "count")[-3:] == [
        ("HAND_OVER", "alice", 0, 0),
        ("RAISED", "alice", Failure.RAISED, 1),
        ("BACK_OFF", "alice", 0, 0),
    ]


def test_an_overdue_answer_is_a_row_within_its_step(recorded):
    recorded.sync("alice", {"a": 0})
    recorded.dispatch()
    recorded.clock.advance(recorded.config.answer_timeout)
    recorded.dispatch()
    assert [row[:3] for row in recorded.rows("channel", "outcome")[-3:]] == [
        ("DISPATCH", None, 1),
        ("OVERDUE", "alice", Failure.TIMEOUT),
        ("BACK_OFF", "alice", 0),
    ]


def test_a_channel_with_nothing_left_to_send_becomes_idle(recorded):
    recorded.sync("alice", {"a": 0, "b": 0})
    recorded.sync("alice", {"a": 5, "b": 5})
    recorded.dispatch()
    assert recorded.rows("channel")[-2:] == [("DISPATCH", None), ("IDLE", "alice")]


def test_a_silent_channel_is_closed_by_the_step(recorded):
    recorded.sync("alice", {"a": 5})
    recorded.clock.advance(recorded.config.channel_timeout)
    recorded.dispatch()
    assert recorded.rows("channel")[-2:] == [("DISPATCH", None), ("CLOSED", "alice")]


def test_touch_close_reset_and_restore_are_rows(recorded):
    recorded.sync("alice", {"a": 5})
    recorded.dispatcher.touch("alice")
    recorded.dispatcher.close("bob")
    recorded.dispatcher.close("alice")
    recorded.dispatcher.reset()
    image = recorded.tree.snapshot()
    recorded.tree.restore(image)
    assert recorded.rows("channel", "outcome", "bytes")[2:] == [
        ("TOUCH", "alice", 1, 0),
        ("CLOSE", "bob", 0, 0),
        ("CLOSE", "alice", 1, 0),
        ("CLOSED", "alice", 0, 0),
        ("RESET", None, 0, 0),
        ("RESTORE", None, 0, len(image)),
    ]


def test_time_is_the_dispatchers_clock(recorded):
    recorded.put("a")
    recorded.clock.advance(1.5)
    recorded.put("a")
    assert [time for _, time in recorded.rows("time")] == [0, 1_500_000_000]


def test_queue_lengths_are_those_after_each_call(recorded):
    seen = []
    lengths = ("changed_holders", "ready_channels", "backing_off", "in_flight")

    def look():
        stats = recorded.dispatcher.stats()
        seen.append(tuple(getattr(stats, name) for name in lengths))

    for do in (
        lambda: recorded.sync("alice", {"a": 0}),
        lambda: recorded.sync("bob", {"a": 0, "b": 0}),
        lambda: recorded.put("a"),
        lambda: recorded.dispatcher.dispatch(),
        lambda: recorded.batches[0].fail(Failure.NETWORK),
        lambda: recorded.put("b"),
        lambda: recorded.batches[1].acknowledge([0, 2]),
    ):
        do()
        look()
    calls = {}
    for _, call, *queues in recorded.rows("call", *lengths):
        calls[call] = tuple(queues)
    hand_overs = {call for name, call in recorded.rows("call") if name == "HAND_OVER"}
    assert [queues for call, queues in calls.items() if call not in hand_overs] == seen
    assert len(set(seen)) > 4


def test_coalesced_changes_add_up_to_those_of_the_stats(recorded):
    recorded.watch("alice", "a")
    for _ in range(5):
        recorded.put("a")
    recorded.dispatch()
    recorded.put("a")
    recorded.dispatch()
    recorded.put("a")
    recorded.dispatch()
    assert sum(coalesced for _, coalesced in recorded.rows("coalesced")) == recorded.dispatcher.stats().coalesced == 5


def test_calls_from_inside_the_transport_stand_where_they_were_made(recorded):
    def put_and_acknowledge(batch):
        recorded.put("b")
        batch.acknowledge()

    recorded.during_send = put_and_acknowledge
    recorded.sync("alice", {"a": 0})
    recorded.sync("bob", {"a": 0})
    recorded.dispatch()
    calls = [row for row in recorded.rows("ticket") if row[0] in ("HAND_OVER", "PUT", "ACKNOWLEDGE")]
    assert calls == [("HAND_OVER", 1), ("PUT", 0), ("ACKNOWLEDGE", 1), ("HAND_OVER", 2), ("PUT", 0), ("ACKNOWLEDGE", 2)]


def test_a_step_lasts_as_long_as_the_clock_says():
    rig = Rig()
    time = iter(range(0, 10_000, 7))
    dispatcher = Dispatcher(rig.tree, lambda batch: batch.acknowledge(), clock=lambda: next(time))
    with Recorder(dispatcher) as recorder:
        dispatcher.sync("alice", {"a": 0})
        dispatcher.dispatch()
    columns = recorder.trace().columns()
    steps = columns["event"] == Event.DISPATCH
    assert columns["duration"][steps].tolist() == [0]  # a Python clock is asked once for a call
    assert (columns["duration"][~steps] == 0).all()
    with Recorder(Dispatcher(rig.tree, lambda batch: batch.acknowledge())) as recorder:
        pass
    real = Dispatcher(rig.tree, lambda batch: batch.acknowledge())
    with Recorder(real) as recorder:
        real.sync("alice", {f"key{number}": 0 for number in range(5_000)})
        for _ in range(3):
            real.dispatch()
    columns = recorder.trace().columns()
    assert columns["duration"][columns["event"] == Event.DISPATCH].max() > 0
