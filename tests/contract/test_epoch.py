"""A new epoch has no channels, and old answers do not reach it (contract §3, `reset`)."""

from __future__ import annotations

from rig import Rig
from watchtree import Failure, State


def test_the_first_epoch_is_1(rig):
    assert rig.dispatcher.epoch == 1
    assert rig.dispatcher.stats().epoch == 1


def test_a_reset_starts_the_next_epoch(rig):
    rig.dispatcher.reset()
    rig.dispatcher.reset()
    assert rig.dispatcher.epoch == rig.dispatcher.stats().epoch == 3


def test_a_reset_leaves_no_channels(rig):
    rig.watch("alice", "a", "b.c")
    rig.sync("bob", {"a": 0})
    rig.put("a")
    rig.dispatcher.reset()
    stats = rig.dispatcher.stats()
    assert rig.dispatcher.channels() == []
    assert (stats.channels, stats.watches, stats.holders, stats.changed_holders) == (0, 0, 0, 0)
    assert (stats.ready_channels, stats.backing_off, stats.in_flight) == (0, 0, 0)
    assert rig.dispatcher.next_deadline() is None


def test_after_a_reset_nothing_is_sent(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.sync("bob", {"a": 0})
    rig.dispatcher.reset()
    rig.put("a")
    rig.advance(1000)
    assert rig.sent_by(rig.settle) == []


def test_after_a_reset_time_outs_and_retries_of_before_are_forgotten(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    rig.dispatcher.reset()
    rig.advance(1000)
    assert rig.dispatch()
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 0
    assert rig.dispatcher.stats().silent_channels == 0


def test_a_channel_of_before_is_a_new_one(rig):
    index = rig.put("a")
    rig.watch("alice", "a", "b")
    rig.dispatcher.reset()
    assert rig.dispatcher.touch("alice") == 0
    rig.sync("alice", {"a": 0})
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"v")])]


def test_a_subscriber_that_knows_its_indexes_is_not_told_again_after_a_reset(rig):
    rig.put("a")
    rig.watch("alice", "a")
    known = rig.dispatcher.watches("alice")
    rig.dispatcher.reset()
    rig.sync("alice", known)
    assert rig.sent_by(rig.settle) == []


def test_tickets_count_on_over_a_reset(rig):
    rig.sync("alice", {"a": 0})
    first = rig.send_one()
    rig.dispatcher.reset()
    rig.sync("alice", {"a": 0})
    second = rig.send_one()
    assert (first.ticket, first.epoch, second.ticket, second.epoch) == (1, 1, 2, 2)


def test_counters_count_on_over_a_reset(rig):
    rig.watch("alice", "a")
    rig.dispatcher.reset()
    rig.watch("alice", "a")
    stats = rig.dispatcher.stats()
    assert (stats.batches_sent, stats.sent, stats.acknowledged) == (2, 2, 2)


def test_a_batch_built_before_a_reset_is_not_handed_over_after_it(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    rig.during_send = lambda batch: rig.dispatcher.reset()
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_batch_built_before_a_restore_is_not_handed_over_after_it(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    image = rig.tree.snapshot()
    rig.during_send = lambda batch: rig.tree.restore(image)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_holder_cut_short_is_forgotten_by_a_reset(rig):
    for number in range(150):
        rig.sync(f"channel {number}", {"a": 1})
    rig.put("a")
    rig.put("a")
    assert not rig.dispatcher.dispatch()
    rig.dispatcher.reset()
    assert rig.dispatch()


def test_a_reset_of_one_dispatcher_leaves_the_others_of_the_tree_alone(rig):
    other = Rig(tree=rig.tree)
    other.watch("alice", "a")
    rig.dispatcher.reset()
    assert other.dispatcher.epoch == 1
    rig.put("a")
    assert other.keys_by(other.settle) == [("alice", ["a"])]
