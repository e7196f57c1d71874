"""Answers that are overdue and channels that are silent (contract §3, `answer_timeout` and `channel_timeout`)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import REMOVE_ALL_WATCHES, Config, Dispatcher, Failure, ManualClock, Result, Tree

# Answers.


def test_an_answer_is_overdue_after_15_seconds(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.advance(14.5)
    rig.dispatch()
    assert rig.state("alice") == "in_flight"
    rig.advance(0.5)
    rig.dispatch()
    assert rig.state("alice") == "backing_off"
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 1


def test_the_time_for_an_answer_is_set_in_the_config():
    rig = Rig(answer_timeout=2)
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.advance(1.5)
    rig.dispatch()
    assert rig.state("alice") == "in_flight"
    rig.advance(0.5)
    rig.dispatch()
    assert rig.state("alice") == "backing_off"


def test_an_overdue_batch_is_sent_again_after_the_back_off(rig):
    rig.sync("alice", {"a": 0})
    first = rig.send_one()
    rig.advance(15)
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(1)
    assert list(rig.send_one()) == list(first)


def test_the_back_off_of_an_overdue_answer_begins_with_the_step_that_found_it(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.advance(20)
    rig.dispatch()
    rig.advance(0.5)
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(0.5)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_only_a_step_handles_what_is_overdue(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.advance(15)
    rig.dispatcher.touch("alice")
    rig.sync("bob", {"a": 0})
    assert rig.state("alice") == "in_flight"


def test_overdue_answers_fail_in_the_order_in_which_they_were_sent(rig):
    for channel in ("carol", "alice", "bob"):
        rig.sync(channel, {"a": 0})
    rig.dispatch()
    rig.advance(15)
    rig.dispatch()
    rig.advance(1)
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "alice", "bob"]


def test_an_overdue_answer_of_one_channel_leaves_the_others_in_flight(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.advance(10)
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    rig.advance(5)
    rig.dispatch()
    assert [rig.state(channel) for channel in ("alice", "bob")] == ["backing_off", "in_flight"]


def test_an_answered_batch_is_never_overdue(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge()
    rig.advance(15)
    rig.dispatch()
    assert rig.state("alice") == "idle"
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 0


# Silence.

ACTIVITY = {
    "a sync with 0": lambda rig, batch: rig.sync("alice", {"a": 0}),
    "a sync with an index": lambda rig, batch: rig.sync("alice", {"a": 7}),
    "a sync with nothing": lambda rig, batch: rig.sync("alice", {}),
    "a sync that unwatches": lambda rig, batch: rig.sync("alice", {"other": -1}),
    "a touch": lambda rig, batch: rig.dispatcher.touch("alice"),
    "an acknowledgement": lambda rig, batch: batch.acknowledge(),
    "an acknowledgement by ticket": lambda rig, batch: rig.dispatcher.answer(batch.ticket),
    "results": lambda rig, batch: batch.acknowledge([Result.OK, Result.OK]),
    "results with an error": lambda rig, batch: batch.acknowledge([Result.OK, Result.ERROR]),
    "results with a removal": lambda rig, batch: batch.acknowledge([Result.OK, Result.REMOVE_WATCH]),
}

NO_ACTIVITY = {
    "nothing": lambda rig, batch: None,
    "a failure": lambda rig, batch: batch.fail(Failure.NETWORK),
    "a failure by ticket": lambda rig, batch: rig.dispatcher.answer(batch.ticket, failure=Failure.RAISED),
    "a ticket that was never given out": lambda rig, batch: rig.dispatcher.answer(batch.ticket + 1),
    "a step": lambda rig, batch: rig.dispatch(),
    "a change": lambda rig, batch: rig.put("a"),
    "a look at it": lambda rig, batch: (rig.dispatcher.channel("alice"), rig.dispatcher.watches("alice")),
    "another channel": lambda rig, batch: rig.dispatcher.touch("bob"),
}


def rig_in_flight():
    """Alice has a batch in flight that is not overdue before she is silent."""
    rig = Rig(answer_timeout=1000)
    rig.sync("bob", {"b": 0})
    rig.settle()
    rig.sync("alice", {"a": 0, "other": 0})
    batch = rig.send_one()
    rig.advance(60)
    rig.dispatcher.touch("bob")
    return rig, batch


@pytest.mark.parametrize("act", ACTIVITY.values(), ids=ACTIVITY)
def test_activity_keeps_a_channel_for_another_120_seconds(act):
    rig, batch = rig_in_flight()
    act(rig, batch)
    rig.advance(119.5)
    rig.dispatch()
    assert "alice" in rig.dispatcher.channels()
    rig.advance(0.5)
    rig.dispatch()
    assert "alice" not in rig.dispatcher.channels()


@pytest.mark.parametrize("act", NO_ACTIVITY.values(), ids=NO_ACTIVITY)
def test_a_channel_without_activity_is_closed_after_120_seconds(act):
    rig, batch = rig_in_flight()
    act(rig, batch)
    rig.advance(59.5)
    rig.dispatch()
    assert "alice" in rig.dispatcher.channels()
    rig.advance(0.5)
    rig.dispatch()
    assert rig.dispatcher.channels() == ["bob"]
    assert rig.dispatcher.stats().silent_channels == 1


def test_a_repeated_acknowledgement_is_no_activity():
    rig, batch = rig_in_flight()
    batch.acknowledge()
    rig.advance(60)
    batch.acknowledge()
    rig.advance(60)
    rig.dispatch()
    assert "alice" not in rig.dispatcher.channels()


def test_the_time_of_silence_is_set_in_the_config():
    rig = Rig(channel_timeout=2)
    rig.sync("alice", {"a": 0})
    rig.advance(1.5)
    rig.dispatch()
    assert rig.dispatcher.channels() == ["alice"]
    rig.advance(0.5)
    rig.dispatch()
    assert rig.dispatcher.channels() == []


def test_a_silent_channel_leaves_nothing(rig):
    rig.sync("alice", {"a.b": 0, "": 0})
    batch = rig.send_one()
    rig.put("a.b")
    rig.advance(120)
    assert rig.sent_by(rig.dispatch) == []
    stats = rig.dispatcher.stats()
    assert (stats.channels, stats.watches, stats.holders, stats.changed_holders) == (0, 0, 0, 0)
    assert (stats.in_flight, stats.backing_off, stats.ready_channels) == (0, 0, 0)
    assert not batch.acknowledge()


def test_only_a_step_closes_a_silent_channel(rig):
    rig.watch("alice", "a")
    rig.advance(1000)
    rig.sync("bob", {"a": 0})
    assert rig.dispatcher.touch("alice") == 1
    rig.dispatch()
    assert rig.dispatcher.channels() == ["alice", "bob"]


@pytest.mark.parametrize("idle", ["first", "second", "third"])
def test_an_active_channel_does_not_keep_a_silent_one(rig, idle):
    for channel in ("first", "second", "third"):
        rig.watch(channel, "a")
    for _ in range(12):
        rig.advance(10)
        for channel in {"first", "second", "third"} - {idle}:
            rig.dispatcher.touch(channel)
        rig.dispatch()
    assert rig.dispatcher.channels() == sorted({"first", "second", "third"} - {idle})


def test_an_overdue_answer_is_handled_before_the_silence_of_its_channel():
    rig = Rig(answer_timeout=120)
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.advance(120)
    rig.dispatch()
    assert rig.dispatcher.channels() == []
    assert rig.dispatcher.stats().failures["TIMEOUT"] == 1


def test_a_silent_channel_is_closed_before_it_is_served(rig):
    rig.watch("alice", "a")
    rig.put("a")
    rig.advance(120)
    assert rig.sent_by(rig.dispatch) == []


def test_answers_that_close_a_channel_end_its_silence_too(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatcher.answer(rig.send_one().ticket, REMOVE_ALL_WATCHES)
    rig.advance(120)
    rig.dispatch()
    assert rig.dispatcher.stats().silent_channels == 0


# The clock.


class Clock:
    """A clock that may be set back."""

    def __init__(self):
        self.seconds = 1000

    def __call__(self):
        return self.seconds * 1_000_000_000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dispatcher(clock):
    return Dispatcher(Tree(), lambda batch: None, config=Config(answer_timeout=15), clock=clock)


def test_a_clock_that_goes_back_stands_still_for_the_dispatcher(clock, dispatcher):
    dispatcher.sync("alice", {"a": 0})
    clock.seconds = 10
    dispatcher.dispatch()
    for seconds in (20, 30, 1000, 1014):
        clock.seconds = seconds
        dispatcher.dispatch()
        assert dispatcher.channel("alice").state == "in_flight"
    clock.seconds = 1015
    dispatcher.dispatch()
    assert dispatcher.channel("alice").state == "backing_off"


def test_a_clock_that_goes_back_makes_nothing_overdue_twice(clock, dispatcher):
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
    clock.seconds = 1015
    dispatcher.dispatch()
    clock.seconds = 0
    dispatcher.dispatch()
    assert dispatcher.stats().failures["TIMEOUT"] == 1
    clock.seconds = 1016
    dispatcher.dispatch()
    assert dispatcher.channel("alice").state == "in_flight"


def test_a_clock_may_start_at_0_and_may_be_as_old_as_a_century():
    for start in (0, 100 * 365 * 86_400):
        clock = Clock()
        clock.seconds = start
        dispatcher = Dispatcher(Tree(), lambda batch: None, clock=clock)
        dispatcher.sync("alice", {"a": 0})
        dispatcher.dispatch()
        clock.seconds += 15
        dispatcher.dispatch()
        assert dispatcher.stats().failures["TIMEOUT"] == 1


def test_without_a_clock_the_time_is_that_of_the_process():
    dispatcher = Dispatcher(Tree(), lambda batch: None)
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
    assert 0 < dispatcher.next_deadline() <= 15


def test_a_batch_that_is_overdue_before_it_was_handed_over_is_not_handed_over():
    clock = ManualClock()
    sent = []

    def slow(batch):
        sent.append(batch.channel)
        if len(sent) == 1:
            clock.advance(15)
            dispatcher.dispatch()

    dispatcher = Dispatcher(Tree(), slow, clock=clock)
    dispatcher.sync("alice", {"a": 0})
    dispatcher.sync("bob", {"a": 0})
    dispatcher.dispatch()
    assert sent == ["alice"]
    clock.advance(1)
    dispatcher.dispatch()
    assert sent == ["alice", "alice", "bob"]


def test_a_slow_transport_does_not_gather_batches_that_are_overdue():
    clock = ManualClock()
    sent = []

    def slow(batch):
        sent.append(batch.channel)
        while len(sent) == 1 and dispatcher.stats().batches_sent < 1000:
            clock.advance(60)
            dispatcher.touch("alice")
            dispatcher.touch("bob")
            dispatcher.dispatch()

    dispatcher = Dispatcher(Tree(), slow, clock=clock)
    dispatcher.sync("alice", {"a": 0})
    dispatcher.sync("bob", {"a": 0})
    dispatcher.dispatch()
    assert len(sent) <= 3
