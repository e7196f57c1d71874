"""A transport may call anything back, and is never called again before it returned (contract §3)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Dispatcher, Failure, Result, WrongResultCount


class Depth:
    """Counts how deep calls of the transport are nested."""

    def __init__(self):
        self.now = self.most = 0

    def __enter__(self):
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *error):
        self.now -= 1


def test_a_transport_that_makes_work_and_dispatches_is_not_called_again_inside(rig):
    """Each batch makes the next channel ready and dispatches: the outermost call hands all of them over."""
    depth = Depth()
    sent_inside = []

    def go_on(batch):
        with depth:
            number = int(batch.channel) + 1
            batch.acknowledge()
            if number <= 300:
                rig.put(f"key{number}")
                rig.dispatcher.sync(str(number), {f"key{number}": 0})
                before = len(rig.batches)
                rig.dispatcher.dispatch()
                sent_inside.append(len(rig.batches) - before)

    rig.during_send = go_on
    rig.sync("0", {"key0": 0})
    rig.dispatch()
    assert [batch.channel for batch in rig.batches] == [str(number) for number in range(301)]
    assert (depth.most, sent_inside) == (1, [0] * 300)
    assert rig.errors == []


def test_the_next_part_of_a_cut_batch_acknowledged_inside_is_handed_over_afterwards():
    rig = Rig(max_batch_bytes=1)
    depth = Depth()

    def acknowledge(batch):
        with depth:
            batch.acknowledge()

    rig.during_send = acknowledge
    rig.sync("alice", {f"key{number}": 0 for number in range(1000)})
    rig.dispatch()
    assert [batch[0].key for batch in rig.batches] == [f"key{number}" for number in range(1000)]
    assert depth.most == 1


def test_what_an_answer_hands_over_may_answer_again():
    """The same from an answer that comes later: the call that answers hands the next parts over, one by one."""
    rig = Rig(max_batch_bytes=1)
    rig.sync("alice", {f"key{number}": 0 for number in range(1000)})
    first = rig.send_one()
    rig.during_send = lambda batch: batch.acknowledge()
    first.acknowledge()
    assert len(rig.batches) == 1000


ACTS = {
    "dispatch": lambda rig, batch: rig.dispatcher.dispatch(),
    "acknowledge": lambda rig, batch: batch.acknowledge(),
    "errors": lambda rig, batch: batch.acknowledge([Result.ERROR] * len(batch)),
    "removals": lambda rig, batch: batch.acknowledge([Result.REMOVE_WATCH] * len(batch)),
    "wrong number": lambda rig, batch: batch.acknowledge([]),
    "remove_all": lambda rig, batch: batch.remove_all(),
    "fail": lambda rig, batch: batch.fail(Failure.NETWORK),
    "fail for ever": lambda rig, batch: batch.fail(Failure.STOPPING),
    "answer": lambda rig, batch: rig.dispatcher.answer(batch.ticket + 1),
    "sync": lambda rig, batch: rig.dispatcher.sync(batch.channel, {"a": 0, "new": 0}),
    "unwatch": lambda rig, batch: rig.dispatcher.sync(batch.channel, {}, replace=True),
    "close": lambda rig, batch: rig.dispatcher.close(batch.channel),
    "close the other": lambda rig, batch: rig.dispatcher.close("alice bob".replace(batch.channel, "").strip()),
    "reset": lambda rig, batch: rig.dispatcher.reset(),
    "restore": lambda rig, batch: rig.tree.restore(rig.tree.snapshot()),
    "put": lambda rig, batch: rig.put("a"),
    "remove": lambda rig, batch: rig.tree.remove("a") if "a" in rig.tree else None,
    "touch": lambda rig, batch: rig.dispatcher.touch(batch.channel),
    "advance": lambda rig, batch: rig.advance(1000),
    "verify": lambda rig, batch: rig.verify(),
    "look": lambda rig, batch: (rig.dispatcher.stats(), rig.dispatcher.channels(), repr(batch), repr(rig.dispatcher)),
}


@pytest.mark.parametrize("second", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("first", ACTS.values(), ids=ACTS)
def test_any_two_calls_from_inside_the_transport_leave_everything_whole(first, second):
    rig = Rig()
    depth = Depth()

    def act(batch):
        with depth:
            first(rig, batch)
            second(rig, batch)
            rig.during_send = None

    rig.sync("alice", {"a": 0, "b": 0})
    rig.sync("bob", {"a": 0})
    rig.during_send = act
    rig.dispatch()
    rig.advance(100)
    rig.settle()
    rig.sync("carol", {"a": 0})
    assert ("carol", ["a"]) in rig.keys_by(rig.settle)
    assert depth.most == 1
    assert {type(error) for error, _ in rig.errors} <= {WrongResultCount}


def test_an_error_report_may_call_back():
    rig = Rig(on_error=lambda error, channel: (rig.dispatcher.close(channel), rig.put("a"), rig.dispatcher.dispatch()))
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.sync("bob", {"b": 0})
    rig.dispatch()
    assert rig.dispatcher.channels() == []
    assert [batch.channel for batch in rig.batches] == ["alice", "bob"]


def test_on_work_may_call_back_from_a_change_a_sync_and_an_answer(rig):
    depth = Depth()

    def work():
        with depth:
            rig.dispatcher.dispatch()

    rig.during_send = lambda batch: batch.acknowledge()
    rig.dispatcher.on_work = work
    rig.sync("alice", {"a": 0})
    for number in range(10):
        rig.put("a", b"%d" % number)
    assert [batch[0].value for batch in rig.batches] == [None, *(b"%d" % number for number in range(10))]


def test_a_clock_may_call_back():
    """The time is read before anything is done, so a clock that dispatches makes a whole step of its own."""
    sent = []
    rig = Rig()

    def clock():
        if rig.dispatcher.channels() and not sent:
            sent.append(rig.sent_by(rig.dispatcher.dispatch))
        return 5

    dispatcher = Dispatcher(rig.tree, lambda batch: None, clock=clock)
    rig.sync("alice", {"a": 0})
    dispatcher.sync("bob", {"a": 0})
    assert dispatcher.dispatch()
    assert [channel for [(channel, _)] in sent] == ["alice"]
