"""In which order changes become batches (contract §3, Dispatch)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import CompareAndSet, Mkdir, Put, Remove, State


def ready_channels(*names):
    """A rig on which one channel a name watches a key of its own, all ready in this order, at most two a step."""
    rig = Rig(max_batch_size=2)
    for name in names:
        rig.sync(name, {f"of_{name}": 0})
    return rig


def order_of_keys(rig, *keys):
    """The keys as one channel is told of them that watches them all: the order of their holders in the queue."""
    [(_, told)] = rig.keys_by(rig.dispatch)
    return [key for key in told if key in keys or not keys]


def test_a_step_with_nothing_to_do_sends_nothing_and_is_complete(rig):
    assert rig.dispatch()
    assert rig.batches == []


def test_nothing_is_sent_before_a_step(rig):
    rig.sync("alice", {"a": 0})
    rig.put("a")
    assert rig.batches == []


@pytest.mark.parametrize(
    "act",
    [
        lambda rig: rig.put("a"),
        lambda rig: rig.tree.remove("a"),
        lambda rig: rig.sync("alice", {"b": 0}),
        lambda rig: rig.sync("bob", {"a": 0}),
        lambda rig: rig.unanswered()[0].acknowledge(),
        lambda rig: rig.dispatcher.answer(rig.unanswered()[0].ticket),
        lambda rig: rig.dispatcher.touch("alice"),
        lambda rig: rig.dispatcher.next_deadline(),
        lambda rig: rig.dispatcher.close("alice"),
    ],
)
def test_only_a_step_sends_though_there_is_news(rig, act):
    rig.put("a")
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.put("a")
    assert rig.sent_by(act, rig) == []


def test_many_changes_of_a_key_become_one_notification_of_the_newest(rig):
    rig.watch("alice", "a")
    index = [rig.put("a", bytes([i])) for i in range(50)][-1]
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, bytes([49]))])]


def test_keys_stand_in_the_order_of_their_first_change(rig):
    rig.watch("alice", "a", "b", "c")
    for key in "bacab":
        rig.put(key)
    assert rig.keys_by(rig.dispatch) == [("alice", ["b", "a", "c"])]


def test_channels_of_a_key_are_served_in_the_order_of_their_registration(rig):
    for channel in ("carol", "alice", "bob"):
        rig.watch(channel, "a")
    rig.put("a")
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "alice", "bob"]


def test_channels_are_served_in_the_order_in_which_they_became_ready(rig):
    for channel in ("alice", "bob", "carol"):
        rig.watch(channel, f"of_{channel}", "common")
    rig.put("of_carol")
    rig.put("common")
    assert rig.keys_by(rig.dispatch) == [
        ("carol", ["of_carol", "common"]),
        ("alice", ["common"]),
        ("bob", ["common"]),
    ]


def test_a_watch_is_ready_at_a_sync_before_those_of_earlier_changes(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.sync("alice", {"b": 0})
    assert rig.keys_by(rig.dispatch) == [("alice", ["b", "a"])]


def test_a_change_reaches_its_key_first_and_then_the_ancestors_up_to_the_root(rig):
    rig.put("a.b.c")
    rig.watch("alice", "", "a", "a.b", "a.b.c")
    rig.put("a.b.c")
    assert order_of_keys(rig) == ["a.b.c", "a.b", "a", ""]


def test_an_ancestor_that_is_queued_already_keeps_its_place(rig):
    rig.put("a.b")
    rig.put("a.c")
    rig.watch("alice", "a", "a.b", "a.c", "")
    rig.put("a.b")
    rig.put("a.c")
    assert order_of_keys(rig) == ["a.b", "a", "", "a.c"]


def test_a_creation_with_parents_reaches_its_key_first_and_then_upward(rig):
    rig.watch("alice", "", "a", "a.b", "a.b.c")
    rig.put("a.b.c")
    assert order_of_keys(rig) == ["a.b.c", "a.b", "a", ""]


def test_a_removal_reaches_its_key_first_and_then_upward(rig):
    rig.put("a.b")
    rig.watch("alice", "", "a", "a.b")
    rig.tree.remove("a.b")
    assert order_of_keys(rig) == ["a.b", "a", ""]


def test_a_recursive_removal_reaches_children_before_their_parent_in_key_order(rig):
    keys = ["a", "a.b", "a.b.x", "a.b.y", "a.c", "a.c.z", "a.b!"]
    for key in ("a.c.z", "a.b.y", "a.b.x", "a.b!"):
        rig.put(key)
    rig.watch("alice", "", *keys)
    rig.tree.remove("a", recursive=True)
    assert order_of_keys(rig) == ["a.b.x", "a.b.y", "a.b", "a.b!", "a.c.z", "a.c", "a", ""]


def test_a_batch_of_operations_reaches_its_keys_in_its_order(rig):
    rig.put("d.old")
    rig.put("e", b"1")
    rig.watch("alice", "a", "b", "c", "d", "d.old", "e", "")
    rig.tree.batch(
        [Put("c", b""), Mkdir("a"), Remove("d", recursive=True), CompareAndSet("e", b"1", b"2"), Put("b", b"")]
    )
    assert order_of_keys(rig) == ["c", "", "a", "d.old", "d", "e", "b"]


def test_a_failed_item_of_a_batch_reaches_nothing(rig):
    rig.watch("alice", "a", "b", "c")
    rig.tree.batch([Put("c", b""), Remove("b"), Put("a", b"")])
    assert order_of_keys(rig) == ["c", "a"]


def test_a_holder_without_watches_is_not_queued(rig):
    rig.put("a.b")
    rig.watch("alice", "a")
    rig.put("other")
    assert rig.dispatcher.stats().changed_holders == 0
    rig.put("a.b")
    assert rig.dispatcher.stats().changed_holders == 1


def test_a_holder_is_queued_once(rig):
    rig.watch("alice", "a", "")
    rig.put("a")
    rig.put("a")
    assert rig.dispatcher.stats().changed_holders == 2


def test_a_holder_that_loses_its_last_watch_leaves_the_queue(rig):
    rig.watch("alice", "a", "b")
    rig.watch("bob", "a")
    rig.put("a")
    rig.sync("alice", {"a": -1})
    assert rig.dispatcher.stats().changed_holders == 1
    rig.dispatcher.close("bob")
    assert rig.dispatcher.stats().changed_holders == 0
    assert rig.sent_by(rig.dispatch) == []


def test_a_holder_that_left_the_queue_and_is_watched_again_has_lost_its_place(rig):
    rig.watch("alice", "a", "b")
    rig.put("a")
    rig.put("b")
    rig.sync("alice", {"a": -1})
    rig.sync("alice", {"a": rig.tree.index})
    rig.put("a")
    assert order_of_keys(rig) == ["b", "a"]


def test_a_notification_carries_the_state_at_the_moment_its_batch_was_built(rig):
    """Both batches of the step are built before the first one is handed over, so bob's shows the older value."""
    old = rig.put("a", b"old")
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    rig.during_send = lambda batch: rig.tree.put("a", b"new") if batch.channel == "alice" else None
    assert rig.sent_by(rig.dispatch)[1] == ("bob", [("a", State.VALUE, old, b"old")])
    rig.during_send = None
    assert rig.sent_by(rig.settle)[-1] == ("bob", [("a", State.VALUE, old + 1, b"new")])


def test_a_channel_has_one_batch_in_flight(rig):
    rig.watch("alice", "a", "b")
    rig.put("a")
    rig.send_one()
    rig.put("b")
    rig.put("a")
    assert rig.sent_by(rig.dispatch) == []
    assert rig.state("alice") == "in_flight"


def test_a_batch_in_flight_does_not_delay_other_channels(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.sync("bob", {"a": 0})
    assert rig.keys_by(rig.dispatch) == [("bob", ["a"])]


def test_watches_that_become_ready_in_flight_are_sent_after_the_answer(rig):
    rig.watch("alice", "a", "b")
    rig.put("a")
    batch = rig.send_one()
    rig.put("b")
    rig.dispatch()
    batch.acknowledge()
    assert rig.keys_by(rig.dispatch) == [("alice", ["b"])]


def test_a_watch_that_is_no_longer_due_when_its_batch_is_built_is_not_in_it(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.sync("alice", {"a": 5})
    assert rig.keys_by(rig.dispatch) == [("alice", ["b"])]


def test_a_channel_for_which_nothing_is_due_gets_no_batch_and_is_idle(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": 5})
    assert rig.state("alice") == "ready"
    assert rig.sent_by(rig.dispatch) == []
    assert rig.state("alice") == "idle"


def test_a_watch_that_is_not_due_when_its_holders_turn_comes_stays_idle(rig):
    rig.sync("alice", {"a": 5})
    rig.put("a")
    assert rig.dispatch()
    assert rig.state("alice") == "idle"


def test_ready_channels_are_served_before_the_retries_whose_time_has_come(rig):
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.during_send = None
    rig.sync("bob", {"a": 0})
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("bob", ["a"]), ("alice", ["a"])]


def test_more_ready_channels_than_the_limit_take_several_steps():
    rig = ready_channels("alice", "bob", "carol", "dave", "eve")
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["alice", "bob"]
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "dave"]
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["eve"]


def test_a_channel_that_is_ready_again_goes_behind_the_others():
    """G8: five channels, two a step; one that always has news does not keep the others waiting."""
    rig = ready_channels("alice", "bob", "carol", "dave", "eve")
    served = []
    for _ in range(3):
        served += rig.batches_by(rig.dispatch)
        for batch in rig.unanswered():
            rig.put(f"of_{batch.channel}")
            batch.acknowledge()
    assert [batch.channel for batch in served] == ["alice", "bob", "carol", "dave", "eve", "alice"]


def test_a_batch_shows_its_channel_ticket_and_epoch(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    assert [(b.channel, b.ticket, b.epoch) for b in rig.batches_by(rig.dispatch)] == [("alice", 1, 1), ("bob", 2, 1)]


def test_every_sending_has_its_own_ticket(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {"a": 0})
    first = rig.send_one()
    rig.dispatcher.close("alice")
    rig.sync("alice", {"a": 0})
    assert [first.ticket, rig.send_one().ticket] == [2, 3]


def test_the_batches_of_a_step_are_handed_over_in_the_order_they_were_built(rig):
    for channel in ("carol", "alice", "bob"):
        rig.sync(channel, {"a": 0})
    assert [(b.channel, b.ticket) for b in rig.batches_by(rig.dispatch)] == [("carol", 1), ("alice", 2), ("bob", 3)]


def test_a_batch_for_a_channel_that_was_closed_in_between_is_not_handed_over(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    rig.sync("carol", {"a": 0})
    rig.during_send = lambda batch: rig.dispatcher.close("bob")
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["alice", "carol"]


def served_when_bob_is_answered_too_early(rig, then):
    """Whom dispatch serves when bob's batch is answered by its ticket while alice's, which goes first, is handed over."""
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    counted = []

    def answer_bob(batch):
        rig.during_send = None
        counted.append(rig.dispatcher.answer(batch.ticket + 1))
        then()

    rig.during_send = answer_bob
    served = [channel for channel, _ in rig.sent_by(rig.dispatch)]
    assert counted == [True]
    return served


def test_a_batch_that_was_answered_before_it_was_handed_over_is_handed_over(rig):
    assert served_when_bob_is_answered_too_early(rig, lambda: None) == ["alice", "bob"]


def test_a_batch_that_was_answered_and_its_channel_closed_before_it_was_handed_over_is_not(rig):
    assert served_when_bob_is_answered_too_early(rig, lambda: rig.dispatcher.close("bob")) == ["alice"]


def test_a_batch_for_a_channel_that_was_closed_and_made_again_is_not_handed_over(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0, "old": 0})

    def renew_bob(batch):
        rig.during_send = None
        rig.dispatcher.close("bob")
        rig.dispatcher.sync("bob", {"new": 0})

    rig.during_send = renew_bob
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]
    assert rig.keys_by(rig.dispatch) == [("bob", ["new"])]


def test_a_batch_built_but_not_handed_over_counts_as_sent(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    rig.during_send = lambda batch: rig.dispatcher.close("bob")
    rig.dispatch()
    assert rig.dispatcher.stats().batches_sent == 2


def test_two_dispatchers_of_one_tree_are_told_each_for_itself(rig):
    other = Rig(tree=rig.tree)
    rig.watch("alice", "a")
    other.watch("alice", "a")
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]
    assert other.keys_by(other.settle) == [("alice", ["a"])]


def test_the_same_calls_with_the_same_clock_give_byte_identical_batches():
    """G10, with channels and keys in an order that no hash table would keep."""

    def history():
        rig = Rig(max_batch_size=3, max_batch_bytes=100)
        for number in range(20):
            rig.sync(f"channel {number * 7 % 20}", {f"dir{number % 3}.key{key}": 0 for key in range(3)})
        for number in range(30):
            rig.put(f"dir{number % 3}.key{number * 7 % 3}", b"%d" % number)
            rig.dispatch()
            for batch in rig.unanswered()[::2]:
                batch.acknowledge([number % 3] * len(batch))
            rig.advance(1)
        return [(batch.channel, batch.ticket, batch.more, batch.encode()) for batch in rig.batches]

    assert history() == history()
