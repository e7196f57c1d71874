"""Nothing is left behind, by count: references, cycles, and what lives longer than its maker."""

from __future__ import annotations

import contextlib
import gc
import sys
import tracemalloc
import uuid
import weakref

import pytest
from rig import Rig
from watchtree import Config, Dispatcher, Failure, ManualClock, Put, State, Subscriber, Tree

TREE_ID = uuid.UUID(int=1)


class Callable:
    """A callable to which a weak reference may point."""

    def __init__(self):
        self.held = []

    def __call__(self, *arguments):
        return None


class Clock(Callable):
    def __call__(self):
        return 0


@contextlib.contextmanager
def traced():
    """Answers how many bytes of Python's memory live that were asked for below a line of this file.

    Not all there are: other threads of the process allocate too, such as the one that brings a worker of pytest its tests.
    """

    def memory():
        gc.collect()
        here = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__, all_frames=True)])
        return sum(trace.size for trace in here.traces)

    tracemalloc.start(5)
    try:
        yield memory
    finally:
        tracemalloc.stop()


def collected(make):
    """Whether the collector takes everything that `make` answered a weak reference to."""
    reference = make()
    gc.collect()
    gc.collect()
    return reference() is None


def cycle_over_the_transport():
    transport = Callable()
    dispatcher = Dispatcher(Tree(), transport)
    transport.held.append(dispatcher)
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
    return weakref.ref(transport)


def cycle_over_the_clock():
    clock = Clock()
    dispatcher = Dispatcher(Tree(), print, clock=clock)
    clock.held.append(dispatcher)
    return weakref.ref(clock)


def cycle_over_on_work():
    callback = Callable()
    dispatcher = Dispatcher(Tree(), print)
    dispatcher.on_work = callback
    callback.held.append(dispatcher)
    return weakref.ref(callback)


def cycle_over_on_error():
    callback = Callable()
    dispatcher = Dispatcher(Tree(), print, config=Config(on_error=callback))
    callback.held.append(dispatcher)
    return weakref.ref(callback)


def cycle_over_a_batch():
    transport = Callable()
    batches = []

    def send(batch, transport=transport):
        batches.append(batch)

    dispatcher = Dispatcher(Tree(), send)
    transport.held.append((dispatcher, batches))
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
    return weakref.ref(transport)


def cycle_over_the_tree():
    transport = Callable()
    tree = Tree()
    for _ in range(3):
        dispatcher = Dispatcher(tree, transport)
        transport.held += [tree, dispatcher]
    return weakref.ref(transport)


def cycle_over_a_listener():
    listener = Callable()
    subscriber = Subscriber(["s"])
    subscriber.listener = listener
    listener.held.append(subscriber)
    return weakref.ref(listener)


def cycle_over_the_clock_of_a_subscriber():
    clock = Clock()
    clock.held.append(Subscriber(["s"], clock=clock))
    return weakref.ref(clock)


def cycle_over_the_on_error_of_a_subscriber():
    callback = Callable()
    callback.held.append(Subscriber(["s"], config=Config(on_error=callback)))
    return weakref.ref(callback)


CYCLES = [
    cycle_over_a_listener,
    cycle_over_the_clock_of_a_subscriber,
    cycle_over_the_on_error_of_a_subscriber,
    cycle_over_the_transport,
    cycle_over_the_clock,
    cycle_over_on_work,
    cycle_over_on_error,
    cycle_over_a_batch,
    cycle_over_the_tree,
]


@pytest.mark.parametrize("make", CYCLES)
def test_a_cycle_through_a_callback_is_collected(make):
    assert collected(make)


def test_callbacks_are_let_go_with_their_dispatcher():
    transport, clock, on_work, on_error = Callable(), Clock(), Callable(), Callable()
    held = [transport, clock, on_work, on_error]
    before = [sys.getrefcount(callback) for callback in held]
    dispatcher = Dispatcher(Tree(), transport, config=Config(on_error=on_error), clock=clock)
    dispatcher.on_work = on_work
    dispatcher.sync("alice", {"a": 0})
    dispatcher.dispatch()
    del dispatcher
    gc.collect()
    assert [sys.getrefcount(callback) for callback in held] == before


def test_a_subscriber_holds_no_memory_of_keys_and_events_that_are_gone():
    def follow_and_leave(subscriber):
        for number in range(2_000):
            key = f"key{number}"
            subscriber.add([key])
            subscriber.actions()
            subscriber.connected("s") if number == 0 else None
            for action in subscriber.actions():
                subscriber.synced(action.request, TREE_ID, number)
            subscriber.notified("s", [(key, State.VALUE, number + 1, b"v" * 100)])
            subscriber.take()
            if number:
                subscriber.remove([f"key{number - 1}"])

    subscriber = Subscriber(["s"])
    follow_and_leave(subscriber)
    subscriber.remove(subscriber.known())
    gc.collect()
    with traced() as memory:
        before = memory()
        follow_and_leave(subscriber)
        after = memory()
    assert after - before < 20_000
    assert subscriber.stats().keys == 1


def test_an_on_work_that_is_replaced_is_let_go():
    dispatcher = Dispatcher(Tree(), print)
    first = Callable()
    before = sys.getrefcount(first)
    dispatcher.on_work = first
    dispatcher.on_work = None
    assert sys.getrefcount(first) == before


def test_reading_attributes_leaves_no_references():
    rig = Rig()
    dispatcher = rig.dispatcher
    counts = [sys.getrefcount(held) for held in (rig.tree, rig.config, dispatcher)]
    for _ in range(100):
        assert dispatcher.tree is rig.tree
        assert dispatcher.config is rig.config
    assert [sys.getrefcount(held) for held in (rig.tree, rig.config, dispatcher)] == counts


def test_values_keys_and_answers_leave_no_references(rig):
    key, value, channel = "key of its own", b"value of its own" * 100, "channel of its own"
    results, known = [0], {key: 0}
    held = [key, value, channel, results, known]
    before = [sys.getrefcount(thing) for thing in held]
    for _ in range(100):
        rig.tree.put(key, value)
        rig.tree.batch([Put(key, value)])
        rig.tree.compare_and_set(key, value, value)
        rig.dispatcher.sync(channel, known)
        for batch in rig.batches_by(rig.dispatcher.dispatch):
            batch.acknowledge(results)
        rig.dispatcher.touch(channel)
    rig.batches.clear()
    rig.settle()
    assert [sys.getrefcount(thing) for thing in held] == before


def test_errors_leave_no_references(rig):
    key = "key of its own." * 3
    before = sys.getrefcount(key)
    for call in (rig.tree.get, rig.tree.mkdir, rig.tree.remove, rig.tree.list, lambda bad: rig.sync("a", {bad: 0})):
        for _ in range(100):
            with pytest.raises(ValueError, match="part"):
                call(key)
    assert sys.getrefcount(key) == before


def test_a_batch_lives_longer_than_its_dispatcher_and_tree():
    rig = Rig()
    rig.put("a", b"value")
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    before = list(batch)
    del rig
    gc.collect()
    assert list(batch) == before
    assert (batch.channel, batch.ticket, batch.epoch, len(batch)) == ("alice", 1, 1, 2)
    assert "alice" in repr(batch)


ANSWERS = {
    "acknowledge": lambda batch: batch.acknowledge(),
    "results": lambda batch: batch.acknowledge([2, 1]),
    "wrong number": lambda batch: batch.acknowledge([]),
    "remove_all": lambda batch: batch.remove_all(),
    "fail": lambda batch: batch.fail(Failure.NETWORK),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_batch_may_be_answered_when_its_dispatcher_is_gone(answer):
    batches = []
    tree = Tree()
    dispatcher = Dispatcher(tree, batches.append, config=Config(on_error=lambda error, channel: None))
    dispatcher.sync("alice", {"a": 0, "b": 0})
    dispatcher.dispatch()
    del dispatcher
    gc.collect()
    assert answer(batches[0]) in (True, False)
    assert not answer(batches[0])
    tree.put("a", b"v")
    tree.verify()


def test_a_tree_that_outlives_its_dispatchers_goes_on():
    tree = Tree()
    for _ in range(10):
        dispatcher = Dispatcher(tree, print)
        dispatcher.sync("alice", {"a": tree.index + 1, "b.c": tree.index + 1})
        tree.put("a", b"v")
        del dispatcher
        gc.collect()
        tree.put("a", b"w")
        tree.verify()
    assert tree.index == 20


def test_a_dispatcher_keeps_its_tree():
    dispatcher = Dispatcher(Tree(), print)
    gc.collect()
    dispatcher.tree.put("a", b"v")
    assert dispatcher.tree.index == 1


def test_an_iterator_keeps_what_it_iterates():
    keys, notifications = iter(Tree()), iter(batch_of_a_rig_that_is_gone())
    gc.collect()
    assert list(keys) == []
    assert [notification.key for notification in notifications] == ["a"]


def batch_of_a_rig_that_is_gone():
    rig = Rig()
    rig.sync("alice", {"a": 0})
    return rig.send_one()


def live_and_die():
    """One life of a tree and a dispatcher with all that they hold."""
    rig = Rig()
    for key in ("a.b", "a.c", "d"):
        rig.put(key, bytes(1000))
    rig.sync("alice", {"a.b": 0, "a": 0, "missing.deep": 0})
    rig.dispatcher.on_work = rig.dispatcher.dispatch
    rig.during_send = lambda batch: (list(batch), batch.acknowledge())
    rig.settle()
    rig.tree.remove("a", recursive=True)
    rig.tree.restore(rig.tree.snapshot())
    rig.sync("bob", {"a": 0})


def test_a_thousand_lives_leave_no_python_objects():
    for _ in range(20):
        live_and_die()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1000):
        live_and_die()
    gc.collect()
    assert len(gc.get_objects()) - before < 500


def test_a_thousand_lives_leave_no_python_memory():
    with traced() as memory:
        for _ in range(50):
            live_and_die()
        before = memory()
        for _ in range(1000):
            live_and_die()
        after = memory()
    assert after - before < 100_000


def test_closing_everything_gives_the_memory_of_watches_back():
    rig = Rig()
    empty = rig.dispatcher.memory()["total"]
    for channel in range(100):
        rig.dispatcher.sync(f"channel {channel}", {f"dir.key{key}": 0 for key in range(100)})
    full = rig.dispatcher.memory()["total"]
    for channel in range(100):
        rig.dispatcher.close(f"channel {channel}")
    assert rig.dispatcher.stats().holders == rig.dispatcher.stats().watches == 0
    again = rig.dispatcher.memory()["total"]
    for channel in range(100):
        rig.dispatcher.sync(f"channel {channel}", {f"dir.key{key}": 0 for key in range(100)})
    assert empty < full
    assert again <= full
    assert rig.dispatcher.memory()["total"] <= full


def test_a_subscriber_that_never_answers_costs_one_entry_for_each_key(rig):
    """G7: a thousand changes of a key wait for it as one."""
    rig.sync("alice", {"a": 0, "b": 0})
    rig.dispatch()
    rig.put("a")
    rig.dispatch()
    before = rig.dispatcher.memory()
    for _ in range(1000):
        rig.put("a")
        rig.dispatch()
    assert rig.dispatcher.memory() == before


def test_a_clock_of_ones_own_is_let_go():
    clock = ManualClock()
    before = sys.getrefcount(clock)
    for _ in range(100):
        Dispatcher(Tree(), print, clock=clock)
    gc.collect()
    assert sys.getrefcount(clock) == before
