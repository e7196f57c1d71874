"""Arguments of a wrong type to a dispatcher, a batch or a clock: a clear exception, and nothing has changed."""

from __future__ import annotations

import math

import pytest
from contract.bad_objects import (
    NO_BOOL,
    NO_INT,
    NO_STR,
    SURROGATES,
    TYPE_ERROR,
    MappingWithoutValues,
    Raising,
    RaisingMapping,
    RaisingSequence,
    Refused,
    Text,
    raising_iterator,
)
from rig import Rig
from watchtree import Failure, ManualClock, Result


def cases(table):
    return pytest.mark.parametrize("wrong", table.values(), ids=table)


def seen(rig):
    """All that a dispatcher shows."""
    dispatcher = rig.dispatcher
    channels = {name: (dispatcher.watches(name), dispatcher.channel(name)) for name in dispatcher.channels()}
    return (
        channels,
        dispatcher.stats(),
        dispatcher.next_deadline(),
        dispatcher.epoch,
        dispatcher.on_work,
        len(rig.batches),
    )


def refuses(rig, error, call):
    """Whether a call raises the error and leaves the dispatcher as it was."""
    before = seen(rig)
    with pytest.raises(error):
        call()
    rig.verify()
    return seen(rig) == before


@pytest.fixture
def batch(rig):
    """A batch of alice in flight, with two notifications."""
    rig.sync("alice", {"a": 0, "b": 0})
    return rig.send_one()


CHANNEL_CALLS = {
    "sync": lambda dispatcher, channel: dispatcher.sync(channel, {"a": 0}),
    "sync of nothing": lambda dispatcher, channel: dispatcher.sync(channel, {}),
    "touch": lambda dispatcher, channel: dispatcher.touch(channel),
    "close": lambda dispatcher, channel: dispatcher.close(channel),
    "channel": lambda dispatcher, channel: dispatcher.channel(channel),
    "watches": lambda dispatcher, channel: dispatcher.watches(channel),
}
channel_call = pytest.mark.parametrize("call", CHANNEL_CALLS.values(), ids=CHANNEL_CALLS)


@cases(NO_STR)
@channel_call
def test_a_channel_that_is_no_str_is_a_type_error(rig, call, wrong):
    assert refuses(rig, TYPE_ERROR, lambda: call(rig.dispatcher, wrong))


@pytest.mark.parametrize("wrong", SURROGATES)
@channel_call
def test_a_channel_with_a_lone_surrogate_is_a_value_error(rig, call, wrong):
    assert refuses(rig, ValueError, lambda: call(rig.dispatcher, wrong))


WRONG_KNOWN = {
    "None": None,
    "an int": 7,
    "a str": "ab",
    "a list of keys": ["a", "b"],
    "keys of two letters": ["ab", "cd"],
    "a pair of one": [("a",)],
    "a pair of three": [("a", 0, 0)],
    "a pair that is None": [("a", 0), None],
    "a pair that is an int": [("a", 0), 7],
    "an index that is None": {"a": 0, "b": None},
    "an index that is a str": {"a": 0, "b": "0"},
    "an index that is a float": {"a": 0, "b": 0.0},
    "an index that is no number": {"a": 0, "b": math.nan},
    "an index that is an object": {"a": 0, "b": object()},
    "a key that is None": {"a": 0, None: 0},
    "a key that is bytes": {"a": 0, b"b": 0},
    "a key that is an int": {"a": 0, 7: 0},
    "a pair with a key that is an object": [("a", 0), (object(), 0)],
    "a bad key and then a wrong type": {"a..b": 0, "b": None},
    "a duplicate and then a wrong type": [("a", 0), ("a", 0), ("b", None)],
}


@cases(WRONG_KNOWN)
@pytest.mark.parametrize("replace", [False, True])
def test_a_map_of_a_wrong_type_is_refused(rig, batch, wrong, replace):
    assert refuses(rig, (TypeError, ValueError), lambda: rig.dispatcher.sync("alice", wrong, replace))
    assert refuses(rig, (TypeError, ValueError), lambda: rig.dispatcher.sync("bob", wrong, replace))


@cases({name: known for name, known in WRONG_KNOWN.items() if "index" in name or "key that" in name or "then" in name})
def test_a_key_or_index_of_a_wrong_type_is_a_type_error(rig, wrong):
    assert refuses(rig, TypeError, lambda: rig.dispatcher.sync("alice", wrong))


MISBEHAVING_KNOWN = {
    "a generator that raises midway": lambda: raising_iterator(("a", 0), ("b", 0)),
    "a generator that raises at once": lambda: raising_iterator(),
    "a mapping that raises midway": RaisingMapping,
    "a mapping that raises for its values": MappingWithoutValues,
    "an object that raises": Raising,
}


@pytest.mark.parametrize("known", MISBEHAVING_KNOWN.values(), ids=MISBEHAVING_KNOWN)
@pytest.mark.parametrize("replace", [False, True])
def test_an_error_of_the_map_is_raised_as_it_is(rig, batch, known, replace):
    assert refuses(rig, Refused, lambda: rig.dispatcher.sync("alice", known(), replace))
    assert refuses(rig, Refused, lambda: rig.dispatcher.sync("bob", known(), replace))


def test_a_map_whose_indexes_raise_is_refused(rig, batch):
    assert refuses(rig, TYPE_ERROR, lambda: rig.dispatcher.sync("alice", {"a": 0, "c": Raising()}))


def test_a_map_that_changes_while_it_is_iterated_is_refused(rig, batch):
    class Growing(dict):
        def items(self):
            for pair in dict.items(self):
                self[f"more{len(self)}"] = 0
                yield pair

        def __iter__(self):
            for key in dict.__iter__(self):
                self[f"more{len(self)}"] = 0
                yield key

    try:
        rig.dispatcher.sync("bob", Growing(a=0, b=0))
    except RuntimeError:
        assert rig.dispatcher.touch("bob") == 0
    else:
        assert rig.dispatcher.touch("bob") == 2
    rig.verify()


def test_a_map_that_an_index_changes_is_read_or_refused_as_a_whole(rig):
    known = {"a": 0, "b": 0}

    class Clearing:
        def __index__(self):
            known.clear()
            known.update({f"other{number}": 0 for number in range(100)})
            return 0

    known["c"] = Clearing()
    known["d"] = 0
    try:
        rig.dispatcher.sync("alice", known)
    except (TypeError, RuntimeError):
        assert rig.dispatcher.channels() == []
    else:
        assert list(rig.dispatcher.watches("alice")) == ["a", "b", "c", "d"]
    rig.verify()


def test_keys_may_be_str_subclasses(rig):
    rig.sync("alice", {Text("a"): 0})
    rig.sync(Text("bob"), [(Text("b"), 0)])
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"]), ("bob", ["b"])]


@cases(NO_BOOL)
def test_a_replace_that_is_no_bool_is_a_type_error(rig, batch, wrong):
    assert refuses(rig, TypeError, lambda: rig.dispatcher.sync("alice", {"a": 0}, wrong))
    assert refuses(rig, TypeError, lambda: rig.dispatcher.sync("alice", {"a": 0}, replace=wrong))


RE_ENTERING = {
    "sync": (lambda rig: rig.dispatcher.sync("alice", {"inner": 0}), ["first", "inner", "last", "old"]),
    "replace": (lambda rig: rig.dispatcher.sync("alice", {"inner": 0}, True), ["first", "inner", "last"]),
    "close": (lambda rig: rig.dispatcher.close("alice"), ["first", "last"]),
    "reset": (lambda rig: rig.dispatcher.reset(), ["first", "last"]),
    "dispatch": (lambda rig: rig.dispatcher.dispatch(), ["first", "last", "old"]),
    "put": (lambda rig: rig.put("first"), ["first", "last", "old"]),
    "restore": (lambda rig: rig.tree.restore(rig.tree.snapshot()), ["first", "last"]),
}


@pytest.mark.parametrize(("act", "watched"), RE_ENTERING.values(), ids=RE_ENTERING)
def test_a_map_that_calls_back_is_read_before_anything_is_registered(rig, act, watched):
    def known():
        yield "first", 0
        act(rig)
        yield "last", 0

    rig.sync("alice", {"old": 0})
    rig.sync("alice", known())
    assert list(rig.dispatcher.watches("alice")) == watched
    rig.settle()


# Answers.


@cases(NO_INT | {"None": None, "an object that raises": Raising()})
def test_a_ticket_that_is_no_int_is_a_type_error(rig, batch, wrong):
    assert refuses(rig, TYPE_ERROR, lambda: rig.dispatcher.answer(wrong))
    assert batch.acknowledge()


WRONG_RESULTS = {
    "an int": 7,
    "a float": 1.5,
    "a str": "OK",
    "an object": object(),
    "None for a result": [Result.OK, None],
    "a str for a result": [Result.OK, "OK"],
    "a float for a result": [0, 0.0],
    "bytes for a result": [b"0", b"0"],
    "an object for a result": [Result.OK, object()],
    "a failure name": "NETWORK",
    "a wrong type in a wrong number": [Result.OK, None, None],
}


@cases(WRONG_RESULTS)
def test_results_of_a_wrong_type_are_a_type_error_and_the_batch_may_still_be_answered(rig, batch, wrong):
    assert refuses(rig, TypeError, lambda: batch.acknowledge(wrong))
    assert refuses(rig, TypeError, lambda: rig.dispatcher.answer(batch.ticket, wrong))
    assert batch.acknowledge()


def test_results_of_a_wrong_type_are_a_type_error_for_an_ignored_answer_too(rig, batch):
    batch.acknowledge()
    assert refuses(rig, TypeError, lambda: batch.acknowledge([None, None]))


def test_an_error_of_the_results_is_raised_as_it_is(rig, batch):
    assert refuses(rig, Refused, lambda: batch.acknowledge(RaisingSequence()))
    assert refuses(rig, Refused, lambda: rig.dispatcher.answer(batch.ticket, RaisingSequence()))
    assert refuses(rig, TYPE_ERROR, lambda: batch.acknowledge([Result.OK, Raising()]))
    assert batch.acknowledge()


def test_results_that_answer_the_batch_themselves_come_too_late(rig, batch):
    class Answering(list):
        def __iter__(self):
            batch.acknowledge()
            return super().__iter__()

        def __len__(self):
            batch.acknowledge()
            return super().__len__()

        def __getitem__(self, position):
            batch.acknowledge()
            return super().__getitem__(position)

    counted = batch.acknowledge(Answering([Result.REMOVE_WATCH, Result.REMOVE_WATCH]))
    assert rig.dispatcher.touch("alice") == (0 if counted else 2)
    rig.verify()


WRONG_FAILURES = {
    "None": None,
    "an int of no failure": 99,
    "a negative int": -1,
    "a str": "NETWORK",
    "a float": 0.0,
    "a state": object(),
    "the class": Failure,
    "an object that raises": Raising(),
}


@cases(WRONG_FAILURES)
def test_a_reason_that_is_no_failure_is_refused_and_the_batch_may_still_be_answered(rig, batch, wrong):
    assert refuses(rig, (*TYPE_ERROR, ValueError), lambda: batch.fail(wrong))
    if wrong is not None:
        assert refuses(rig, (*TYPE_ERROR, ValueError), lambda: rig.dispatcher.answer(batch.ticket, failure=wrong))
    assert batch.acknowledge()


MISUSES = {
    "sync without a map": lambda rig, batch: rig.dispatcher.sync("alice"),
    "a failure by position": lambda rig, batch: rig.dispatcher.answer(batch.ticket, None, Failure.NETWORK),
    "answer without a ticket": lambda rig, batch: rig.dispatcher.answer(),
    "fail without a reason": lambda rig, batch: batch.fail(),
    "a ticket to be set": lambda rig, batch: setattr(batch, "ticket", 7),
    "an epoch to be set": lambda rig, batch: setattr(rig.dispatcher, "epoch", 7),
    "a notification to be set": lambda rig, batch: batch.__setitem__(0, None),
    "a new attribute": lambda rig, batch: setattr(rig.dispatcher, "colour", "green"),
    "an on_work that is not callable": lambda rig, batch: setattr(rig.dispatcher, "on_work", 7),
    "an on_work to be deleted": lambda rig, batch: delattr(rig.dispatcher, "on_work"),
}


@pytest.mark.parametrize("call", MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_refused(rig, batch, call):
    assert refuses(rig, (TypeError, AttributeError), lambda: call(rig, batch))
    assert batch.acknowledge()


# A batch as a sequence.


def test_a_batch_is_a_sequence_of_notifications(rig, batch):
    assert len(batch) == 2
    assert list(batch) == [batch[0], batch[1]]
    assert [batch[-1], batch[-2]] == [batch[1], batch[0]]
    assert batch[0].key == "a"


@pytest.mark.parametrize("position", [2, -3, 2**31, 2**70, -(2**70)])
def test_a_position_outside_of_a_batch_is_an_index_error(batch, position):
    with pytest.raises(IndexError):
        batch[position]


@pytest.mark.parametrize("position", [None, "0", 1.0, b"0", object()])
def test_a_position_that_is_no_int_is_a_type_error(batch, position):
    with pytest.raises(TypeError):
        batch[position]


# The clock.


def test_a_manual_clock_stands_still_until_it_is_moved():
    clock = ManualClock(5)
    assert (clock(), clock()) == (5, 5)
    clock.advance(1.5)
    clock.advance(0)
    assert clock() == 1_500_000_005


def test_a_manual_clock_starts_at_0():
    assert ManualClock()() == 0


@pytest.mark.parametrize("start", [-1, 2**63, 2**64, 10**30])
def test_a_manual_clock_does_not_start_outside_of_its_range(start):
    with pytest.raises((ValueError, OverflowError)):
        ManualClock(start)


@pytest.mark.parametrize("start", [None, "0", 1.5, b"0", object()])
def test_a_manual_clock_starts_with_an_int(start):
    with pytest.raises(TypeError):
        ManualClock(start)


@pytest.mark.parametrize("seconds", [-1, -1e-9, math.nan, math.inf, -math.inf, 1e300])
def test_a_manual_clock_moves_forward_by_finite_seconds(seconds):
    clock = ManualClock(7)
    with pytest.raises((ValueError, OverflowError)):
        clock.advance(seconds)
    assert clock() == 7


@pytest.mark.parametrize("seconds", [None, "1", b"1", object()])
def test_a_manual_clock_moves_by_a_number(seconds):
    clock = ManualClock(7)
    with pytest.raises(TypeError):
        clock.advance(seconds)
    assert clock() == 7


def test_a_manual_clock_does_not_move_beyond_its_range():
    clock = ManualClock(2**63 - 1)
    with pytest.raises((ValueError, OverflowError)):
        clock.advance(1)
    assert clock() == 2**63 - 1


def test_two_rigs_do_not_share_anything():
    first, second = Rig(), Rig()
    first.watch("alice", "a")
    assert second.dispatcher.channels() == []
