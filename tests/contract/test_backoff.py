"""How long a failed channel or a failed watch waits (contract §3, `backoff`)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Failure, Result

OK, ERROR = Result.OK, Result.ERROR
DEFAULT = [1, 10, 30, 60, 60, 60]


def fail_channel(batch):
    batch.fail(Failure.NETWORK)


def fail_watch(batch):
    batch.acknowledge([ERROR] * len(batch))


both = pytest.mark.parametrize("fail", [fail_channel, fail_watch])


def waits(rig, fail, intervals):
    """Whether each failure in a row is followed by a retry after exactly its interval, and not half a second before.

    The subscriber sends heartbeats meanwhile, since a channel that only fails would be closed as silent.
    """
    fail(rig.send_one())
    for seconds in intervals:
        rig.dispatcher.touch("alice")
        rig.advance(seconds - 0.5)
        assert rig.sent_by(rig.dispatch) == [], f"{seconds - 0.5} s after the failure"
        rig.advance(0.5)
        fail(rig.send_one())
    return True


@both
def test_retries_wait_1_10_30_and_then_60_seconds(rig, fail):
    rig.sync("alice", {"a": 0})
    assert waits(rig, fail, DEFAULT)


@both
def test_the_intervals_are_set_in_the_config(fail):
    rig = Rig(backoff=(2, 3))
    rig.sync("alice", {"a": 0})
    assert waits(rig, fail, [2, 3, 3, 3])


def test_a_failure_to_answer_in_time_waits_the_same_intervals():
    rig = Rig(answer_timeout=0.25, channel_timeout=1000)
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    for seconds in DEFAULT:
        rig.advance(0.25)
        assert rig.sent_by(rig.dispatch) == []
        rig.advance(seconds)
        assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_transport_that_raises_waits_the_same_intervals():
    rig = Rig(channel_timeout=1000)
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    for seconds in DEFAULT:
        rig.advance(seconds - 0.5)
        assert rig.sent_by(rig.dispatch) == []
        rig.advance(0.5)
        assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


@both
def test_an_acknowledgement_starts_the_intervals_again(rig, fail):
    rig.sync("alice", {"a": 0})
    waits(rig, fail, [1, 10])
    rig.advance(30)
    rig.send_one().acknowledge()
    rig.put("a")
    assert waits(rig, fail, [1, 10])


def test_results_start_the_intervals_of_the_channel_again(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    waits(rig, fail_channel, [1, 10])
    rig.advance(30)
    rig.send_one().acknowledge([OK, ERROR])
    rig.put("a")
    assert waits(rig, fail_channel, [1])


def test_a_failure_of_the_channel_keeps_the_failures_of_its_watches(rig):
    """The watch's second failure waits 10 seconds, though the channel failed and recovered in between."""
    rig.sync("alice", {"a": 0})
    fail_watch(rig.send_one())
    rig.advance(1)
    fail_channel(rig.send_one())
    rig.advance(1)
    fail_watch(rig.send_one())
    rig.advance(9.5)
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(0.5)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_each_watch_counts_its_own_failures(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.advance(1)
    rig.put("b")
    batches = rig.batches_by(rig.dispatch)
    batches[0].acknowledge([ERROR] * len(batches[0]))
    batches = rig.batches_by(rig.dispatch)
    batches[0].acknowledge([ERROR] * len(batches[0]))
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["b"])]


def test_watches_that_fail_again_and_again_do_not_delay_the_others(rig):
    rig.sync("alice", {"bad": 0, "good": 0})
    for seconds in DEFAULT:
        for batch in rig.batches_by(rig.dispatch):
            batch.acknowledge([ERROR if n.key == "bad" else OK for n in batch])
        rig.put("good")
        assert rig.keys_by(rig.settle) == [("alice", ["good"])]
        rig.advance(seconds)


def test_retries_are_served_earliest_first(rig):
    """Alice failed before bob, but twice: her retry comes after 11 seconds, his after 7."""
    rig.during_send = fail_channel
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.advance(1)
    rig.dispatch()
    rig.advance(5)
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    rig.during_send = None
    rig.advance(10)
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["bob", "alice"]


def test_retries_of_one_moment_are_served_in_the_order_they_failed(rig):
    for channel in ("alice", "bob", "carol"):
        rig.sync(channel, {"a": 0})
    alice, bob, carol = rig.batches_by(rig.dispatch)
    for batch in (carol, alice, bob):
        fail_channel(batch)
    rig.advance(1)
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "alice", "bob"]


def test_retries_of_channels_and_of_watches_stand_in_one_order(rig):
    for channel in ("alice", "bob", "carol"):
        rig.sync(channel, {"a": 0})
    alice, bob, carol = rig.batches_by(rig.dispatch)
    fail_watch(carol)
    fail_channel(alice)
    fail_watch(bob)
    rig.advance(1)
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "alice", "bob"]


def test_a_single_watch_whose_time_has_come_makes_an_idle_channel_send_at_once(rig):
    """Two watches of one channel failed together: the first retry sends, the second waits for its acknowledgement."""
    rig.sync("alice", {"a": 0, "b": 0})
    fail_watch(rig.send_one())
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["a"]), ("alice", ["b"])]


def test_a_single_watch_whose_time_has_come_joins_a_channel_in_flight(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.put("b")
    batch = rig.send_one()
    rig.advance(1)
    assert rig.sent_by(rig.dispatch) == []
    batch.acknowledge()
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_single_watch_whose_time_has_come_waits_for_the_back_off_of_its_channel(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.advance(0.5)
    rig.put("b")
    fail_channel(rig.send_one())
    rig.advance(0.5)
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(0.5)
    assert rig.keys_by(rig.dispatch) == [("alice", ["b", "a"])]


def test_a_single_watch_that_is_not_due_when_its_time_comes_is_idle_without_failures(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.advance(1)
    fail_watch(rig.send_one())
    rig.sync("alice", {"a": 5})
    rig.advance(10)
    assert rig.sent_by(rig.dispatch) == []
    rig.tree.put("a", b"", index=6)
    fail_watch(rig.send_one())
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_single_watch_that_is_no_longer_due_when_it_would_be_sent_is_idle_without_failures(rig):
    """Its time came while the channel was in flight, and a sync made it not due before the next batch was built."""
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.put("b")
    batch = rig.send_one()
    rig.advance(1)
    rig.dispatch()
    rig.sync("alice", {"a": 5})
    batch.acknowledge()
    assert rig.sent_by(rig.dispatch) == []
    rig.tree.put("a", b"", index=6)
    fail_watch(rig.send_one())
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_channel_whose_retry_finds_nothing_starts_the_intervals_again(rig):
    rig.sync("alice", {"a": 0})
    waits(rig, fail_channel, [1])
    rig.sync("alice", {"a": 5})
    rig.advance(10)
    assert rig.sent_by(rig.dispatch) == []
    rig.tree.put("a", b"", index=6)
    assert waits(rig, fail_channel, [1])


def test_a_back_off_is_counted_from_the_failure_and_not_from_the_sending(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.advance(5)
    fail_channel(batch)
    rig.advance(0.5)
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(0.5)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_channel_shows_its_back_off(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    assert (rig.state("alice"), rig.dispatcher.channel("alice").backing_off) == ("idle", 1)
    rig.put("b")
    fail_channel(rig.send_one())
    assert (rig.state("alice"), rig.dispatcher.channel("alice").backing_off) == ("backing_off", 2)
    assert rig.dispatcher.channel("alice").failure_count == 1
    assert rig.dispatcher.stats().backing_off == 2


def test_a_failing_channel_does_not_delay_another(rig):
    """G6: bob is told of every change at once, whatever alice's connection does."""
    rig.during_send = lambda batch: 1 / 0 if batch.channel == "alice" else batch.acknowledge()
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    for _ in range(10):
        rig.put("a")
        assert ("bob", ["a"]) in rig.keys_by(rig.dispatch)
        rig.advance(1)
