"""Callbacks that raise: what goes on, and where the error goes (stub, `Dispatcher`; contract §3)."""

from __future__ import annotations

import contextlib
import logging

import pytest
from rig import Rig
from watchtree import Config, Dispatcher, ManualClock, Tree


class Interrupt(BaseException):
    """As KeyboardInterrupt is: no Exception."""


INTERRUPTS = [KeyboardInterrupt, SystemExit, GeneratorExit, Interrupt]
interrupts = pytest.mark.parametrize("interrupt", INTERRUPTS)


def raise_for(channel, error):
    """A transport that raises for one channel."""

    def send(batch):
        if batch.channel == channel:
            raise error

    return send


# The transport.


@interrupts
def test_an_interrupt_from_the_transport_is_raised_and_the_rest_goes_to_the_next_call(rig, interrupt):
    rig.during_send = raise_for("bob", interrupt)
    for channel in ("alice", "bob", "carol", "dave"):
        rig.sync(channel, {"a": 0})
    with pytest.raises(interrupt):
        rig.dispatch()
    assert [batch.channel for batch in rig.batches] == ["alice", "bob"]
    rig.verify()
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["carol", "dave"]


def test_the_rest_of_an_interrupted_step_is_handed_over_before_a_later_step(rig):
    rig.during_send = raise_for("alice", KeyboardInterrupt)
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"a": 0})
    with pytest.raises(KeyboardInterrupt):
        rig.dispatch()
    rig.sync("carol", {"a": 0})
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["bob", "carol"]


@interrupts
def test_an_interrupted_sending_has_failed_and_is_sent_again(rig, interrupt):
    rig.during_send = raise_for("alice", interrupt)
    rig.sync("alice", {"a": 0})
    with pytest.raises(interrupt):
        rig.dispatch()
    rig.during_send = None
    assert rig.state("alice") == "backing_off"
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_an_interrupt_is_raised_and_not_reported(rig):
    rig.during_send = raise_for("alice", KeyboardInterrupt)
    rig.sync("alice", {"a": 0})
    with pytest.raises(KeyboardInterrupt):
        rig.dispatch()
    assert rig.errors == []


def test_an_interrupt_is_raised_from_the_answer_that_was_sending():
    rig = Rig(max_batch_bytes=1)
    rig.sync("alice", {"a": 0, "b": 0})
    first = rig.send_one()
    rig.during_send = raise_for("alice", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        first.acknowledge()
    assert rig.dispatcher.watches("alice") == {"a": 0, "b": -1}
    rig.during_send = None
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["b"])]


def test_errors_of_the_transport_are_reported_one_by_one(rig):
    rig.during_send = lambda batch: {}[batch.channel]
    for channel in ("alice", "bob"):
        rig.sync(channel, {"a": 0})
    assert rig.dispatch()
    assert [(type(error), str(error), channel) for error, channel in rig.errors] == [
        (KeyError, "'alice'", "alice"),
        (KeyError, "'bob'", "bob"),
    ]


def test_an_error_of_the_transport_keeps_its_traceback(rig):
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    [(error, _)] = rig.errors
    assert error.__traceback__ is not None


def test_a_transport_with_a_wrong_signature_has_failed():
    errors = []
    tree = Tree()
    config = Config(on_error=lambda error, channel: errors.append((type(error), channel)))
    dispatcher = Dispatcher(tree, lambda: None, config=config, clock=ManualClock())
    dispatcher.sync("alice", {"a": 0})
    assert dispatcher.dispatch()
    assert errors == [(TypeError, "alice")]
    assert dispatcher.channel("alice").state == "backing_off"


# The report of errors.


def test_without_on_error_an_error_goes_to_the_logger(caplog):
    rig = Rig(on_error=None)
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("watchtree", logging.ERROR)
    assert "alice" in record.getMessage()


def refuse(error, channel):
    raise RuntimeError("no reports today")


def test_an_on_error_that_raises_stops_nothing(caplog):
    rig = Rig(on_error=refuse)
    rig.during_send = raise_for("alice", OSError)
    for channel in ("alice", "bob"):
        rig.sync(channel, {"a": 0})
    assert rig.dispatch()
    assert [rig.state(channel) for channel in ("alice", "bob")] == ["backing_off", "in_flight"]
    assert [record.name for record in caplog.records] == ["watchtree"]


def test_an_on_error_that_raises_for_a_wrong_answer_stops_nothing(caplog):
    rig = Rig(on_error=refuse)
    rig.sync("alice", {"a": 0})
    assert rig.send_one().acknowledge([])
    assert rig.dispatcher.channels() == []
    assert [record.name for record in caplog.records] == ["watchtree"]


def test_an_interrupt_from_on_error_is_raised_and_the_rest_goes_to_the_next_call():
    def interrupt(error, channel):
        raise KeyboardInterrupt

    rig = Rig(on_error=interrupt)
    rig.during_send = raise_for("alice", OSError)
    for channel in ("alice", "bob"):
        rig.sync(channel, {"a": 0})
    with pytest.raises(KeyboardInterrupt):
        rig.dispatch()
    assert rig.keys_by(rig.dispatch) == [("bob", ["a"])]
    assert rig.state("alice") == "backing_off"


# The clock.


class Clock:
    """A clock that answers what it is told, or raises it."""

    def __init__(self):
        self.answer = 0

    def __call__(self):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dispatcher(clock):
    dispatcher = Dispatcher(Tree(), lambda batch: None, clock=clock)
    dispatcher.sync("alice", {"a": 0})
    return dispatcher


CALLS = {
    "dispatch": lambda dispatcher: dispatcher.dispatch(),
    "sync": lambda dispatcher: dispatcher.sync("alice", {"b": 0}),
    "sync of a new channel": lambda dispatcher: dispatcher.sync("bob", {"b": 0}),
    "replace": lambda dispatcher: dispatcher.sync("alice", {}, replace=True),
    "touch": lambda dispatcher: dispatcher.touch("alice"),
    "answer": lambda dispatcher: dispatcher.answer(1),
    "next_deadline": lambda dispatcher: dispatcher.next_deadline(),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def seen(dispatcher):
    return dispatcher.channels(), dispatcher.watches("alice"), dispatcher.channel("alice"), dispatcher.stats()


@calls
@pytest.mark.parametrize("error", [ZeroDivisionError, *INTERRUPTS])
def test_an_error_of_the_clock_is_raised_and_nothing_has_changed(clock, dispatcher, call, error):
    before = seen(dispatcher)
    clock.answer = error()
    with pytest.raises(error):
        call(dispatcher)
    assert seen(dispatcher) == before
    dispatcher.verify()


@calls
@pytest.mark.parametrize("answer", [None, "0", 1.5, b"0", object()])
def test_a_clock_that_answers_no_int_is_a_type_error_and_nothing_has_changed(clock, dispatcher, call, answer):
    before = seen(dispatcher)
    clock.answer = answer
    with pytest.raises(TypeError):
        call(dispatcher)
    assert seen(dispatcher) == before


@calls
@pytest.mark.parametrize("answer", [2**63, 2**64, 10**30])
def test_a_clock_that_answers_too_much_is_an_error_and_nothing_has_changed(clock, dispatcher, call, answer):
    before = seen(dispatcher)
    clock.answer = answer
    with pytest.raises((ValueError, OverflowError)):
        call(dispatcher)
    assert seen(dispatcher) == before


def test_after_an_error_of_the_clock_all_goes_on(clock, dispatcher):
    clock.answer = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        dispatcher.dispatch()
    clock.answer = 7
    assert dispatcher.dispatch()
    assert dispatcher.channel("alice").state == "in_flight"


@pytest.mark.parametrize("answer", [ZeroDivisionError(), None])
def test_a_change_of_the_tree_under_a_broken_clock_is_whole_or_has_not_happened(clock, dispatcher, answer):
    clock.answer = answer
    tree = dispatcher.tree
    try:
        tree.put("a", b"v")
    except (ZeroDivisionError, TypeError):
        assert (tree.index, "a" in tree) == (0, False)
    else:
        assert (tree.index, tree.get("a").value) == (1, b"v")
    clock.answer = 7
    dispatcher.dispatch()
    assert dispatcher.stats().sent == 1
    tree.verify()
    dispatcher.verify()


# on_work.


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_on_work_that_raises_does_not_undo_the_change_that_it_tells_of(rig, error, caplog):
    def refuse_work():
        raise error

    rig.watch("alice", "a")
    rig.dispatcher.on_work = refuse_work
    with contextlib.suppress(error):
        rig.put("a", b"v")
    assert rig.tree.get("a").value == b"v"
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]
