"""What each answer does, row by row (contract §3, Answers)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import REMOVE_ALL_WATCHES, Failure, Result, State, WrongResultCount

OK, REMOVE_WATCH, ERROR = Result.OK, Result.REMOVE_WATCH, Result.ERROR
PERMANENT = [Failure.CLIENT_ERROR, Failure.STOPPING, Failure.COMMAND_NOT_SUPPORTED]
TEMPORARY = [Failure.NETWORK, Failure.TIMEOUT, Failure.RAISED]


def in_flight(rig, *keys):
    """One batch of alice, unanswered, with a notification for each key."""
    rig.sync("alice", dict.fromkeys(keys, 0))
    return rig.send_one()


# Acknowledged.


def test_an_acknowledgement_ends_the_sending(rig):
    batch = in_flight(rig, "a", "b")
    assert batch.acknowledge()
    assert rig.state("alice") == "idle"
    assert rig.sent_by(rig.settle) == []


def test_an_acknowledgement_sets_the_notified_index_to_the_one_sent(rig):
    index = rig.put("a")
    batch = in_flight(rig, "a")
    rig.put("a")
    batch.acknowledge()
    assert rig.dispatcher.watches("alice") == {"a": index}


def test_a_change_during_the_sending_is_sent_after_the_acknowledgement(rig):
    batch = in_flight(rig, "a")
    index = rig.put("a", b"new")
    batch.acknowledge()
    assert rig.state("alice") == "ready"
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"new")])]


def test_a_change_that_a_step_found_in_flight_is_sent_after_the_acknowledgement(rig):
    batch = in_flight(rig, "a")
    index = rig.put("a", b"new")
    rig.dispatch()
    batch.acknowledge()
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"new")])]


def test_watches_that_are_due_again_become_ready_in_the_batchs_order(rig):
    batch = in_flight(rig, "a", "b", "c")
    rig.put("c")
    rig.put("a")
    batch.acknowledge()
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "c"])]


def test_watches_that_are_due_again_go_behind_those_that_became_ready_meanwhile(rig):
    rig.watch("alice", "c")
    batch = in_flight(rig, "a", "b")
    rig.put("a")
    rig.put("c")
    rig.dispatch()
    batch.acknowledge()
    assert rig.keys_by(rig.dispatch) == [("alice", ["c", "a"])]


def test_an_acknowledgement_with_all_results_ok_is_the_same(rig):
    batch = in_flight(rig, "a", "b")
    rig.put("b")
    assert batch.acknowledge([OK, OK])
    assert rig.keys_by(rig.settle) == [("alice", ["b"])]


def test_the_failure_count_of_a_channel_is_0_after_an_acknowledgement(rig):
    in_flight(rig, "a").fail(Failure.NETWORK)
    rig.advance(1)
    rig.send_one().acknowledge()
    assert rig.dispatcher.channel("alice").failure_count == 0


# Per-watch results.


def test_remove_watch_drops_that_watch_alone(rig):
    batch = in_flight(rig, "a", "b", "c")
    assert batch.acknowledge([OK, REMOVE_WATCH, OK])
    assert list(rig.dispatcher.watches("alice")) == ["a", "c"]


def test_remove_watch_for_every_watch_closes_the_channel(rig):
    batch = in_flight(rig, "a", "b")
    assert batch.acknowledge([REMOVE_WATCH, REMOVE_WATCH])
    assert rig.dispatcher.channels() == []


def test_remove_watch_for_every_watch_sent_leaves_a_channel_with_others(rig):
    rig.watch("alice", "other")
    batch = in_flight(rig, "a", "b")
    batch.acknowledge([REMOVE_WATCH, REMOVE_WATCH])
    assert list(rig.dispatcher.watches("alice")) == ["other"]


def test_an_error_sends_only_that_watch_again(rig):
    batch = in_flight(rig, "a", "b", "c")
    batch.acknowledge([OK, ERROR, OK])
    assert rig.state("alice") == "idle"
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["b"])]


@pytest.mark.parametrize("code", [2, 3, 99, -1, -(2**31), 2**31, 2**63, 2**64, 2**64 + 1, 10**30])
def test_any_other_code_is_an_error(rig, code):
    batch = in_flight(rig, "a", "b")
    assert batch.acknowledge([code, OK])
    assert rig.dispatcher.channel("alice").backing_off == 1
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_results_may_be_plain_ints_and_bools(rig):
    batch = in_flight(rig, "a", "b", "c")
    batch.acknowledge((0, True, False))
    assert list(rig.dispatcher.watches("alice")) == ["a", "c"]


def test_an_error_does_not_delay_the_channels_other_watches(rig):
    batch = in_flight(rig, "a", "b")
    batch.acknowledge([ERROR, OK])
    rig.put("b")
    rig.sync("alice", {"c": 0})
    assert rig.keys_by(rig.settle) == [("alice", ["c", "b"])]


def test_a_watch_in_its_back_off_is_sent_in_its_newest_state(rig):
    in_flight(rig, "a", "b").acknowledge([ERROR, OK])
    rig.put("a", b"1")
    assert rig.sent_by(rig.settle) == []
    index = rig.put("a", b"2")
    rig.advance(1)
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"2")])]


def test_the_failure_count_of_a_channel_is_0_after_results_with_errors(rig):
    in_flight(rig, "a", "b").fail(Failure.NETWORK)
    rig.advance(1)
    rig.send_one().acknowledge([ERROR, OK])
    assert rig.dispatcher.channel("alice").failure_count == 0


def test_results_are_applied_in_the_batchs_order(rig):
    """A watch that is due again joins the ready set when its own result is applied."""
    batch = in_flight(rig, "a", "b", "c", "d")
    for key in "dcba":
        rig.put(key)
    batch.acknowledge([OK, ERROR, REMOVE_WATCH, OK])
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "d"])]


def test_results_with_errors_count_as_an_acknowledged_batch(rig):
    in_flight(rig, "a", "b").acknowledge([ERROR, REMOVE_WATCH])
    stats = rig.dispatcher.stats()
    assert (stats.batches_acknowledged, stats.acknowledged, stats.watch_errors) == (1, 0, 1)


# The whole channel.

CLOSING = {
    "remove_all": lambda rig, batch: batch.remove_all(),
    "REMOVE_ALL_WATCHES": lambda rig, batch: rig.dispatcher.answer(batch.ticket, REMOVE_ALL_WATCHES),
    **{reason.name: lambda rig, batch, reason=reason: batch.fail(reason) for reason in PERMANENT},
    **{
        f"{reason.name} by ticket": lambda rig, batch, reason=reason: rig.dispatcher.answer(
            batch.ticket, failure=reason
        )
        for reason in PERMANENT
    },
    "no results": lambda rig, batch: batch.acknowledge([]),
    "too few results": lambda rig, batch: batch.acknowledge([OK]),
    "too many results": lambda rig, batch: batch.acknowledge([OK, OK, OK]),
    "far too many results": lambda rig, batch: batch.acknowledge([OK] * 100_000),
}


@pytest.mark.parametrize("answer", CLOSING.values(), ids=CLOSING)
def test_an_answer_that_closes_the_channel_leaves_nothing_of_it(rig, answer):
    rig.watch("alice", "other")
    batch = in_flight(rig, "a", "b")
    assert answer(rig, batch)
    stats = rig.dispatcher.stats()
    assert rig.dispatcher.channels() == []
    assert (stats.watches, stats.holders, stats.in_flight, stats.backing_off) == (0, 0, 0, 0)
    rig.put("a")
    rig.advance(1000)
    assert rig.sent_by(rig.settle) == []


@pytest.mark.parametrize("answer", CLOSING.values(), ids=CLOSING)
def test_an_answer_that_closes_the_channel_leaves_the_others_alone(rig, answer):
    rig.watch("bob", "a")
    answer(rig, in_flight(rig, "a", "b"))
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("bob", ["a"])]


def test_remove_all_watches_counts_as_an_acknowledged_batch(rig):
    in_flight(rig, "a").remove_all()
    assert rig.dispatcher.stats().batches_acknowledged == 1
    assert sum(rig.dispatcher.stats().failures.values()) == 0


@pytest.mark.parametrize("reason", PERMANENT)
def test_a_permanent_failure_is_counted_by_its_name(rig, reason):
    in_flight(rig, "a").fail(reason)
    stats = rig.dispatcher.stats()
    assert stats.failures == {failure.name: int(failure is reason) for failure in Failure}
    assert stats.batches_acknowledged == 0


@pytest.mark.parametrize("results", [[], [OK], [OK, OK, OK]])
def test_a_wrong_number_of_results_is_reported(rig, results):
    in_flight(rig, "a", "b").acknowledge(results)
    [(error, channel)] = rig.errors
    assert type(error) is WrongResultCount
    assert (error.channel, channel) == ("alice", "alice")


def test_a_wrong_number_of_results_counts_neither_as_acknowledged_nor_as_failed(rig):
    in_flight(rig, "a", "b").acknowledge([OK])
    stats = rig.dispatcher.stats()
    assert (stats.batches_acknowledged, stats.acknowledged, sum(stats.failures.values())) == (0, 0, 0)


# Failed.


@pytest.mark.parametrize("reason", TEMPORARY)
def test_a_failed_batch_is_sent_again_after_the_back_off(rig, reason):
    index = rig.put("a", b"v")
    assert in_flight(rig, "a").fail(reason)
    assert rig.state("alice") == "backing_off"
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(1)
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"v")])]


@pytest.mark.parametrize("reason", TEMPORARY)
def test_a_failure_is_counted_by_its_name(rig, reason):
    in_flight(rig, "a").fail(reason)
    assert rig.dispatcher.stats().failures == {failure.name: int(failure is reason) for failure in Failure}


def test_a_failed_batch_is_sent_again_in_its_newest_state(rig):
    batch = in_flight(rig, "a")
    batch.fail(Failure.NETWORK)
    index = rig.put("a", b"new")
    rig.advance(1)
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"new")])]


def test_the_watches_of_a_failed_batch_are_ready_again_behind_the_others(rig):
    rig.watch("alice", "c", "d")
    batch = in_flight(rig, "a", "b")
    rig.put("d")
    rig.dispatch()
    batch.fail(Failure.NETWORK)
    rig.put("c")
    rig.dispatch()
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["d", "a", "b", "c"])]


def test_the_watches_of_a_failed_batch_that_are_not_due_are_idle(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 100})
    batch.fail(Failure.NETWORK)
    assert rig.dispatcher.channel("alice").ready_watches == 1
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["b"])]


def test_a_channel_in_its_back_off_takes_new_watches_along(rig):
    in_flight(rig, "a").fail(Failure.NETWORK)
    rig.sync("alice", {"b": 0})
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"])]


def test_a_transport_that_raises_has_failed_and_is_reported(rig):
    error = RuntimeError("no route")

    def refuse(batch):
        raise error

    rig.during_send = refuse
    in_flight(rig, "a")
    assert rig.errors == [(error, "alice")]
    assert rig.state("alice") == "backing_off"
    assert rig.dispatcher.stats().failures["RAISED"] == 1


def test_a_batch_refused_by_the_transport_is_sent_again(rig):
    rig.during_send = lambda batch: 1 / 0
    first = in_flight(rig, "a", "b")
    rig.during_send = None
    rig.advance(1)
    second = rig.send_one()
    assert (list(second), second.ticket) == (list(first), first.ticket + 1)


def test_what_the_transport_returns_means_nothing(rig):
    for answer in (False, 0, ERROR, Failure.CLIENT_ERROR, REMOVE_ALL_WATCHES):
        rig.during_send = lambda batch, answer=answer: answer
        rig.sync("alice", {"a": 0})
        assert rig.send_one().acknowledge()


def test_a_failure_of_one_channel_does_not_delay_another(rig):
    rig.watch("alice", "a")
    rig.watch("bob", "a")
    rig.during_send = lambda batch: batch.fail(Failure.NETWORK) if batch.channel == "alice" else None
    rig.put("a")
    rig.put("b")
    assert [channel for channel, _ in rig.sent_by(rig.settle)] == ["alice", "bob"]
    rig.put("a")
    assert [channel for channel, _ in rig.sent_by(rig.settle)] == ["bob"]


# By ticket.


def test_an_answer_by_ticket_does_what_the_batch_does(rig):
    batch = in_flight(rig, "a", "b")
    assert rig.dispatcher.answer(batch.ticket, [OK, REMOVE_WATCH])
    assert list(rig.dispatcher.watches("alice")) == ["a"]


def test_an_answer_by_ticket_without_results_acknowledges(rig):
    batch = in_flight(rig, "a")
    assert rig.dispatcher.answer(batch.ticket)
    assert rig.state("alice") == "idle"


def test_a_failure_by_ticket_fails_the_sending(rig):
    batch = in_flight(rig, "a")
    assert rig.dispatcher.answer(batch.ticket, failure=Failure.NETWORK)
    assert rig.state("alice") == "backing_off"


@pytest.mark.parametrize("results", [[OK], [], REMOVE_ALL_WATCHES])
def test_results_and_a_failure_together_are_refused(rig, results):
    batch = in_flight(rig, "a")
    with pytest.raises(ValueError, match="failure"):
        rig.dispatcher.answer(batch.ticket, results, failure=Failure.NETWORK)
    assert rig.state("alice") == "in_flight"
    assert batch.acknowledge()


# Which answers count.

ANSWERS = {
    "acknowledged": lambda batch: batch.acknowledge(),
    "results": lambda batch: batch.acknowledge([ERROR] * len(batch)),
    "removed": lambda batch: batch.acknowledge([REMOVE_WATCH] * len(batch)),
    "wrong number": lambda batch: batch.acknowledge([OK] * (len(batch) + 1)),
    "remove all": lambda batch: batch.remove_all(),
    **{reason.name: lambda batch, reason=reason: batch.fail(reason) for reason in Failure},
}
answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)


def ignored(rig, answer, batch):
    """Whether an answer changed nothing but the count of ignored answers."""

    def seen():
        channels = {name: rig.dispatcher.watches(name) for name in rig.dispatcher.channels()}
        states = {name: rig.state(name) for name in channels}
        return channels, states, rig.dispatcher.next_deadline(), rig.errors[:]

    before, count = seen(), rig.dispatcher.stats().ignored_answers
    counted = answer(batch)
    return not counted and seen() == before and rig.dispatcher.stats().ignored_answers == count + 1


@answer
@pytest.mark.parametrize("first", ["acknowledged", "results", "NETWORK"])
def test_a_second_answer_is_ignored(rig, first, answer):
    batch = in_flight(rig, "a")
    ANSWERS[first](batch)
    assert ignored(rig, answer, batch)


@answer
def test_an_answer_that_comes_when_the_next_batch_is_in_flight_is_ignored(rig, answer):
    batch = in_flight(rig, "a")
    batch.fail(Failure.NETWORK)
    rig.advance(1)
    following = rig.send_one()
    assert ignored(rig, answer, batch)
    assert following.acknowledge()


@answer
def test_an_answer_after_the_time_out_is_ignored(rig, answer):
    batch = in_flight(rig, "a")
    rig.advance(15)
    rig.dispatch()
    assert ignored(rig, answer, batch)


@answer
def test_an_answer_for_a_channel_that_was_closed_is_ignored(rig, answer):
    batch = in_flight(rig, "a")
    rig.dispatcher.close("alice")
    assert ignored(rig, answer, batch)


@answer
def test_an_answer_for_a_closed_registration_of_the_same_channel_is_ignored(rig, answer):
    batch = in_flight(rig, "a")
    rig.dispatcher.close("alice")
    following = in_flight(rig, "a")
    assert ignored(rig, answer, batch)
    assert following.acknowledge()


@answer
def test_an_answer_of_an_earlier_epoch_is_ignored(rig, answer):
    batch = in_flight(rig, "a")
    rig.dispatcher.reset()
    following = in_flight(rig, "a")
    assert ignored(rig, answer, batch)
    assert following.acknowledge()


@pytest.mark.parametrize("ticket", [0, 2, -1, 2**31, 2**32 + 1, 2**63, 2**64 + 1, -(2**64), 10**30])
def test_a_ticket_that_was_never_given_out_is_ignored(rig, ticket):
    batch = in_flight(rig, "a")
    assert not rig.dispatcher.answer(ticket)
    assert not rig.dispatcher.answer(ticket, failure=Failure.CLIENT_ERROR)
    assert rig.dispatcher.stats().ignored_answers == 2
    assert rig.dispatcher.answer(batch.ticket)


def test_an_ignored_answer_with_a_wrong_number_of_results_is_not_reported(rig):
    batch = in_flight(rig, "a")
    batch.acknowledge()
    batch.acknowledge([OK, OK])
    assert rig.errors == []


def test_an_answer_that_comes_before_the_deadline_is_handled_still_counts(rig):
    batch = in_flight(rig, "a")
    rig.advance(1000)
    assert batch.acknowledge()
    assert rig.state("alice") == "idle"


def test_answers_may_come_in_any_order():
    rig = Rig()
    for channel in ("alice", "bob", "carol"):
        rig.sync(channel, {"a": 0})
    first, second, third = rig.batches_by(rig.dispatch)
    assert [third.acknowledge(), first.acknowledge(), second.acknowledge()] == [True] * 3
    assert rig.sent_by(rig.settle) == []


def test_a_batch_answered_from_inside_the_transport_counts(rig):
    rig.during_send = lambda batch: batch.acknowledge()
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    assert rig.state("alice") == "idle"
    assert rig.dispatcher.stats().acknowledged == 1


def test_a_retry_that_finds_nothing_to_send_ends_the_back_off(rig):
    in_flight(rig, "a").fail(Failure.NETWORK)
    rig.sync("alice", {"a": 5})
    rig.advance(1)
    assert rig.sent_by(rig.dispatch) == []
    assert rig.state("alice") == "idle"
    assert rig.dispatcher.channel("alice").failure_count == 0
