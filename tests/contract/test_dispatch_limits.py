"""How much one step does, and what it answers (contract §3: five parts, `max_batch_size` items each)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Failure, Result

NAMES = ["alice", "bob", "carol", "dave", "eve"]


def rig_of(size, names=NAMES, keys=("a",), settled=True, **limits):
    """A rig with one channel a name, each of which watches the keys."""
    rig = Rig(max_batch_size=size, **limits)
    for name in names:
        rig.sync(name, dict.fromkeys(keys, 0))
    if settled:
        rig.settle()
    return rig


def channels_by_step(rig):
    """The channels that each step served, until a step was complete."""
    steps = []
    for _ in range(1000):
        before = len(rig.batches)
        done = rig.dispatch()
        steps.append([batch.channel for batch in rig.batches[before:]])
        if done:
            return steps
    raise AssertionError("no step was complete")


def test_a_step_looks_at_so_many_watches_of_changed_holders():
    rig = rig_of(2)
    rig.put("a")
    assert channels_by_step(rig) == [["alice", "bob"], ["carol", "dave"], ["eve"]]


def test_a_watch_that_is_not_due_counts_among_those_looked_at():
    rig = rig_of(2)
    for name in ("alice", "bob", "carol"):
        rig.sync(name, {"a": 100})
    rig.put("a")
    assert channels_by_step(rig) == [[], ["dave"], ["eve"]]


def test_the_watches_of_several_changed_holders_count_together():
    rig = rig_of(3, names=["alice", "bob"], keys=("a", "b"))
    rig.put("a")
    rig.put("b")
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"]), ("bob", ["a"])]


@pytest.mark.parametrize(("size", "steps"), [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1)])
def test_a_step_that_ends_exactly_at_the_limit_is_complete(size, steps):
    rig = rig_of(size)
    rig.put("a")
    assert len(channels_by_step(rig)) == steps


def test_a_step_serves_so_many_ready_channels():
    rig = rig_of(2, settled=False)
    assert channels_by_step(rig) == [["alice", "bob"], ["carol", "dave"], ["eve"]]


def test_a_ready_channel_for_which_nothing_is_due_counts_among_those_served():
    rig = rig_of(2, settled=False)
    for name in ("alice", "bob", "carol"):
        rig.sync(name, {"a": 100})
    assert channels_by_step(rig) == [[], ["dave"], ["eve"]]


def fail_all(rig):
    """Each channel's first batch fails; all wait for their retry in one second."""
    rig.during_send = lambda batch: batch.fail(Failure.NETWORK)
    channels_by_step(rig)
    rig.during_send = None


def test_a_step_serves_so_many_retries():
    rig = rig_of(2, settled=False)
    fail_all(rig)
    rig.advance(1)
    assert channels_by_step(rig) == [["alice", "bob"], ["carol", "dave"], ["eve"]]


def test_a_retry_that_finds_nothing_to_send_counts_among_those_served():
    rig = rig_of(2, settled=False)
    fail_all(rig)
    for name in ("alice", "bob", "carol"):
        rig.sync(name, {"a": 100})
    rig.advance(1)
    assert channels_by_step(rig) == [[], ["dave"], ["eve"]]


def test_a_retry_of_a_channel_that_was_closed_is_no_item():
    rig = rig_of(2, settled=False)
    fail_all(rig)
    for name in ("alice", "carol", "dave"):
        rig.dispatcher.close(name)
    rig.advance(1)
    assert channels_by_step(rig) == [["bob", "eve"]]


def test_a_retry_of_a_watch_that_was_dropped_is_no_item():
    rig = rig_of(2, settled=False, keys=("a", "b"))
    rig.during_send = lambda batch: batch.acknowledge([Result.ERROR, Result.OK])
    channels_by_step(rig)
    rig.during_send = None
    for name in ("alice", "carol", "dave"):
        rig.sync(name, {"a": -1})
    rig.advance(1)
    assert channels_by_step(rig) == [["bob", "eve"]]


def test_a_retry_of_a_watch_counts_as_one_of_a_channel_does():
    rig = rig_of(2, settled=False, keys=("a", "b"))
    rig.during_send = lambda batch: (
        batch.acknowledge([Result.ERROR, Result.OK]) if batch.channel in "bob dave" else batch.fail(Failure.NETWORK)
    )
    channels_by_step(rig)
    rig.during_send = None
    rig.advance(1)
    assert channels_by_step(rig) == [["alice", "bob"], ["carol", "dave"], ["eve"]]


def test_a_step_handles_so_many_overdue_answers():
    rig = rig_of(2, settled=False)
    channels_by_step(rig)
    rig.advance(15)
    answers = [rig.dispatch() for _ in range(3)]
    assert answers == [False, False, True]
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 5


def test_overdue_answers_are_handled_oldest_first():
    rig = rig_of(2, settled=False)
    channels_by_step(rig)
    rig.advance(15)
    rig.dispatch()
    assert [rig.state(name) for name in NAMES] == ["backing_off"] * 2 + ["in_flight"] * 3


def test_an_answered_ticket_is_no_overdue_answer():
    rig = rig_of(2, settled=False)
    channels_by_step(rig)
    for batch in rig.unanswered():
        if batch.channel not in ("bob", "eve"):
            batch.acknowledge()
    rig.advance(15)
    assert rig.dispatch()
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 2


def test_a_step_closes_so_many_silent_channels():
    rig = rig_of(2)
    rig.advance(120)
    left = []
    for _ in range(3):
        done = rig.dispatch()
        left.append((done, rig.dispatcher.channels()))
    assert left == [(False, ["carol", "dave", "eve"]), (False, ["eve"]), (True, [])]


def test_silent_channels_are_closed_oldest_first():
    rig = rig_of(2)
    rig.advance(1)
    rig.dispatcher.touch("alice")
    rig.dispatcher.touch("bob")
    rig.advance(120)
    rig.dispatch()
    assert rig.dispatcher.channels() == ["alice", "bob", "eve"]


def test_each_part_of_a_step_has_the_limit_for_itself():
    """Two watches looked at, two ready channels served and two retries served, all in one step."""
    rig = Rig(max_batch_size=2)
    for name in ("alice", "bob"):
        rig.sync(name, {"slow": 0})
    fail_all(rig)
    for name in ("carol", "dave"):
        rig.watch(name, "a")
    rig.put("a")
    rig.advance(1)
    assert channels_by_step(rig) == [["carol", "dave", "alice", "bob"]]


def test_a_limit_cuts_nothing_short_when_the_transport_makes_new_work():
    rig = rig_of(1, names=["alice", "bob"])
    rig.sync("alice", {"b": 0})
    rig.during_send = lambda batch: rig.tree.put("a", b"")
    assert rig.dispatch()


def test_the_rest_of_a_holder_is_looked_at_in_the_next_step():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.watch("dave", "b")
    rig.put("a")
    rig.put("b")
    assert channels_by_step(rig) == [["alice", "bob"], ["carol", "dave"]]


def test_a_holder_whose_turn_came_is_queued_again_behind_the_others():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.watch("dave", "b")
    rig.put("a", b"1")
    rig.put("b")
    rig.dispatch()
    rig.put("a", b"2")
    assert rig.dispatcher.stats().changed_holders == 3
    for batch in rig.unanswered():
        batch.acknowledge()
    sent = [batch for step in range(3) for batch in rig.batches_by(rig.dispatch)]
    assert [(batch.channel, batch[0].value) for batch in sent] == [
        ("alice", b"2"),
        ("bob", b"2"),
        ("carol", b"2"),
        ("dave", b"v"),
    ]


def test_a_holder_cut_short_counts_as_changed():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.put("a")
    rig.dispatch()
    assert rig.dispatcher.stats().changed_holders == 1
    rig.dispatch()
    assert rig.dispatcher.stats().changed_holders == 0


def test_the_rest_of_a_holder_may_be_dropped():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.put("a")
    rig.dispatch()
    rig.dispatcher.close("carol")
    assert rig.dispatcher.stats().changed_holders == 0
    assert channels_by_step(rig) == [[]]


def test_a_watch_looked_at_already_may_be_dropped_between_the_steps():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.put("a")
    rig.dispatch()
    rig.dispatcher.close("alice")
    rig.dispatcher.close("bob")
    assert channels_by_step(rig) == [["carol"]]


def test_a_key_removed_between_the_steps_is_sent_as_missing_to_the_rest():
    rig = rig_of(2, names=["alice", "bob", "carol"])
    rig.put("a")
    rig.dispatch()
    rig.tree.remove("a")
    for batch in rig.unanswered():
        batch.acknowledge()
    rig.settle()
    last = {batch.channel: batch[0].state for batch in rig.batches}
    assert last == dict.fromkeys(["alice", "bob", "carol"], 2)


def test_steps_are_counted_and_those_cut_short():
    rig = rig_of(2, settled=False)
    channels_by_step(rig)
    rig.dispatch()
    assert (rig.dispatcher.stats().steps, rig.dispatcher.stats().unfinished_steps) == (4, 2)
