"""What is counted (stats.py; contract §3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from rig import Rig
from watchtree import Failure, Result

OK, REMOVE_WATCH, ERROR = Result.OK, Result.REMOVE_WATCH, Result.ERROR


def counted(rig, *words):
    """The words of the dispatcher's stats, which its only channel shows too."""
    both = rig.dispatcher.stats(), rig.dispatcher.channel("alice")
    totals, own = ([getattr(stats, word) for word in words] for stats in both)
    assert totals == own
    return own


def test_a_new_dispatcher_has_counted_nothing(rig):
    stats = rig.dispatcher.stats()
    sizes = stats.channels, stats.watches, stats.holders, stats.changed_holders, stats.ready_channels
    counts = stats.batches_sent, stats.sent, stats.acknowledged, stats.resent, stats.coalesced, stats.watch_errors
    others = stats.backing_off, stats.in_flight, stats.steps, stats.unfinished_steps, stats.ignored_answers
    assert set(sizes + counts + others + (stats.batches_acknowledged, stats.silent_channels)) == {0}
    assert stats.failures == dict.fromkeys((failure.name for failure in Failure), 0)
    assert (stats.latency.total, stats.step_time.total) == (0, 0)
    assert stats.success_rate == 1.0


def test_sizes_are_those_of_now(rig):
    rig.watch("alice", "a", "b")
    rig.sync("bob", {"a": 0, "c": 0})
    rig.dispatch()
    rig.sync("carol", {"c": 0})
    rig.put("a")
    stats = rig.dispatcher.stats()
    assert (stats.channels, stats.watches, stats.changed_holders) == (3, 5, 1)
    assert (stats.ready_channels, stats.in_flight) == (1, 1)
    assert stats.holders == 4  # the root, under which b and c are missing, and a, b, c


def test_a_channel_shows_what_it_does(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    ready = rig.dispatcher.channel("alice")
    assert (ready.name, ready.state, ready.watches, ready.ready_watches) == ("alice", "ready", 2, 2)
    assert (ready.in_flight, ready.ticket) == (0, None)
    rig.dispatch()
    sent = rig.dispatcher.channel("alice")
    assert (sent.state, sent.ready_watches, sent.in_flight, sent.ticket) == ("in_flight", 0, 2, 1)
    rig.settle()
    idle = rig.dispatcher.channel("alice")
    assert (idle.state, idle.in_flight, idle.ticket, idle.failure_count) == ("idle", 0, None, 0)


def test_sendings_and_acknowledgements_are_counted_by_batch_and_by_notification(rig):
    rig.watch("alice", "a", "b", "c")
    rig.put("a")
    rig.settle()
    assert counted(rig, "batches_sent", "sent", "batches_acknowledged", "acknowledged") == [2, 4, 2, 4]


def test_results_are_counted_one_by_one(rig):
    rig.sync("alice", dict.fromkeys("abcd", 0))
    rig.send_one().acknowledge([OK, ERROR, REMOVE_WATCH, 77])
    assert counted(rig, "batches_acknowledged", "acknowledged", "watch_errors") == [1, 1, 2]


def test_results_for_another_registration_are_not_counted(rig):
    rig.sync("alice", {"a": 0, "b": 0, "c": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0, "b": -1})
    batch.acknowledge([ERROR, OK, OK])
    assert counted(rig, "batches_acknowledged", "acknowledged", "watch_errors") == [1, 1, 0]


def test_failures_are_counted_by_name(rig):
    rig.sync("alice", {"a": 0})
    for reason in (Failure.NETWORK, Failure.RAISED, Failure.NETWORK):
        rig.send_one().fail(reason)
        rig.advance(30)
    [failures] = counted(rig, "failures")
    assert failures == {**dict.fromkeys((failure.name for failure in Failure), 0), "NETWORK": 2, "RAISED": 1}


def test_what_a_closed_channel_counted_stays_with_the_dispatcher(rig):
    rig.watch("alice", "a")
    rig.dispatcher.close("alice")
    assert rig.dispatcher.stats().acknowledged == 1


def test_channels_count_each_for_itself(rig):
    rig.watch("alice", "a")
    rig.watch("bob", "a", "b")
    assert [rig.dispatcher.channel(name).sent for name in ("alice", "bob")] == [1, 2]
    assert rig.dispatcher.stats().sent == 3


# Resent.


def test_a_notification_sent_again_after_a_failure_is_resent(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.advance(1)
    rig.settle()
    assert counted(rig, "sent", "resent") == [4, 2]


def test_a_notification_sent_again_after_an_error_is_resent(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([OK, ERROR])
    rig.advance(1)
    rig.settle()
    assert counted(rig, "sent", "resent") == [3, 1]


def test_a_notification_sent_again_in_a_newer_state_is_resent(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.put("a")
    rig.advance(1)
    rig.settle()
    assert counted(rig, "resent") == [1]


def test_a_notification_of_a_new_registration_is_not_resent(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0})
    batch.acknowledge()
    rig.settle()
    assert counted(rig, "sent", "resent") == [2, 0]


def test_a_notification_after_an_acknowledged_one_is_not_resent(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.settle()
    assert counted(rig, "resent") == [0]


# Coalesced.


def test_a_change_of_its_own_notification_is_not_coalesced(rig):
    rig.watch("alice", "a")
    for _ in range(3):
        rig.put("a")
        rig.settle()
    assert counted(rig, "coalesced") == [0]


def test_a_change_that_finds_the_holder_queued_counts_for_the_dispatcher_once_for_each_watch(rig):
    rig.watch("alice", "a")
    rig.watch("bob", "a")
    for _ in range(4):
        rig.put("a")
    rig.settle()
    assert rig.dispatcher.stats().coalesced == 6
    assert rig.dispatcher.channel("alice").coalesced == rig.dispatcher.channel("bob").coalesced == 0


def test_a_change_found_ready_is_coalesced(rig):
    rig.sync("alice", {"a": 0})
    rig.put("a")
    rig.settle()
    assert counted(rig, "coalesced") == [1]


def test_a_change_found_backing_off_is_coalesced(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.put("a")
    rig.dispatch()
    assert counted(rig, "coalesced") == [1]


def test_the_first_change_found_in_flight_is_not_coalesced(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.put("a")
    rig.dispatch()
    batch.acknowledge()
    rig.settle()
    assert counted(rig, "coalesced") == [0]


def test_a_second_change_found_in_flight_is_coalesced(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    for coalesced in (0, 1, 2):
        rig.put("a")
        rig.dispatch()
        assert counted(rig, "coalesced") == [coalesced]


def test_each_sending_may_have_one_change_in_flight_that_is_not_coalesced(rig):
    rig.sync("alice", {"a": 0})
    for _ in range(3):
        batch = rig.send_one()
        rig.put("a")
        rig.dispatch()
        batch.acknowledge()
    assert counted(rig, "coalesced") == [0]


@pytest.mark.parametrize("fail", [lambda batch: batch.fail(Failure.NETWORK), lambda batch: batch.acknowledge([ERROR])])
def test_a_change_found_in_flight_whose_sending_fails_is_coalesced(rig, fail):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.put("a")
    rig.dispatch()
    fail(batch)
    assert counted(rig, "coalesced") == [1]


def test_a_change_found_in_flight_is_coalesced_once_however_often_its_sending_fails(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.put("a")
    rig.dispatch()
    for seconds in (1, 10):
        batch.fail(Failure.NETWORK)
        rig.advance(seconds)
        batch = rig.send_one()
    assert counted(rig, "coalesced") == [1]


def test_a_change_that_is_not_due_is_not_coalesced(rig):
    rig.sync("alice", {"a": 100})
    rig.put("a")
    rig.settle()
    assert counted(rig, "coalesced") == [0]


# Rates and durations.


def test_the_success_rate_is_the_part_of_the_ended_batches_that_was_acknowledged(rig):
    rig.watch("alice", "a")
    for reason in (Failure.NETWORK, Failure.TIMEOUT, Failure.RAISED):
        rig.sync("alice", {"a": 0})
        rig.send_one().fail(reason)
        rig.advance(60)
        rig.settle()
    assert rig.dispatcher.stats().success_rate == pytest.approx(4 / 7)


def test_the_success_rate_counts_no_batch_that_is_in_flight(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    assert rig.dispatcher.stats().success_rate == 1.0


def test_first_notifications_have_no_latency(rig):
    rig.put("a")
    rig.watch("alice", "a", "b")
    assert rig.dispatcher.stats().latency.total == 0


@pytest.mark.parametrize("seconds", [0.001, 1, 100])
def test_latency_ends_with_the_acknowledgement(seconds):
    rig = Rig(answer_timeout=1000, channel_timeout=1000)
    rig.watch("alice", "a")
    rig.put("a")
    batch = rig.send_one()
    rig.advance(seconds)
    batch.acknowledge()
    [latency] = counted(rig, "latency")
    assert latency.total == 1
    assert seconds / 2 <= latency.percentile(50) <= seconds * 2


def test_latency_begins_with_the_change(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.advance(1)
    rig.settle()
    assert 0.5 <= rig.dispatcher.stats().latency.percentile(50) <= 2


def test_latency_begins_with_the_first_of_the_changes_that_found_the_holder_queued(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.advance(1)
    rig.put("a")
    rig.settle()
    assert 0.5 <= rig.dispatcher.stats().latency.percentile(50) <= 2


def test_a_notification_that_fails_has_its_latency_once_it_is_acknowledged(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.send_one().fail(Failure.NETWORK)
    assert rig.dispatcher.stats().latency.total == 0
    rig.advance(1)
    rig.settle()
    assert rig.dispatcher.stats().latency.total == 1


def test_every_step_has_its_duration(rig):
    for _ in range(3):
        rig.dispatch()
    assert rig.dispatcher.stats().step_time.total == rig.dispatcher.stats().steps == 3


def test_a_step_of_a_clock_that_stands_still_took_no_time(rig):
    rig.watch("alice", "a")
    histogram = rig.dispatcher.stats().step_time
    assert histogram.counts[0] == histogram.total


# Memory.


def test_memory_is_listed_by_structure_with_its_sum(rig):
    memory = rig.dispatcher.memory()
    total = memory.pop("total")
    assert set(memory) == {"watches", "holders", "keys", "channels", "queues", "batches"}
    assert total == sum(memory.values())
    assert all(isinstance(count, int) and count >= 0 for count in memory.values())


def test_memory_grows_with_what_is_watched(rig):
    sizes = []
    for thousand in range(3):
        rig.sync("alice", {f"key{thousand}.{number}": 0 for number in range(1000)})
        sizes.append(rig.dispatcher.memory()["watches"] + rig.dispatcher.memory()["holders"])
    assert all(smaller < larger for smaller, larger in pairwise([0, *sizes]))
