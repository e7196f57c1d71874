"""Many threads on one tree and one dispatcher, checked by the guarantees when all are done (contract §5)."""

from __future__ import annotations

import contextlib
import queue
import random
import threading

from threads.reports import ROUNDS, Journal, recover, run_together, settle, strictly_increasing
from watchtree import (
    CompareFailed,
    Config,
    Dispatcher,
    Failure,
    ManualClock,
    NotFound,
    ParentNotFound,
    Put,
    Result,
    State,
    Tree,
)

THREADS = 8
CHANNELS = [f"channel {number}" for number in range(THREADS)]
KEYS = [f"dir{number % 3}.key{number}" for number in range(THREADS)]


def current(tree, key):
    """The (state, index, value) of a key that exists."""
    node = tree.get(key)
    state = State.DIRECTORY if node.is_directory else State.VALUE
    return state, node.update_index, node.value


def run_while_dispatching(dispatcher, *works):
    """Run each work in a thread, and one more that dispatches until they are done."""
    done = threading.Event()

    def drive():
        while not done.is_set():
            dispatcher.dispatch()

    def work():
        try:
            run_together(*works)
        finally:
            done.set()

    run_together(drive, work)


def test_changes_from_many_threads_have_each_an_index_of_their_own():
    tree = Tree()
    indexes = [[] for _ in range(THREADS)]

    def put(own, key):
        return lambda: own.extend(tree.put(key, b"%d" % i, parents=True) for i in range(ROUNDS))

    run_together(*(put(own, key) for own, key in zip(indexes, KEYS, strict=True)))
    assert sorted(index for own in indexes for index in own) == list(range(1, THREADS * ROUNDS + 1))
    assert all(strictly_increasing(own) for own in indexes)
    assert tree.index == THREADS * ROUNDS
    tree.verify()


def test_one_of_many_that_compare_and_set_succeeds():
    tree = Tree()
    tree.put("counter", b"0")

    def count():
        for _ in range(ROUNDS):
            while True:
                value = tree.get("counter").value
                try:
                    tree.compare_and_set("counter", value, b"%d" % (int(value) + 1))
                    break
                except CompareFailed:
                    continue

    run_together(*[count] * 4)
    assert tree.get("counter").value == b"%d" % (4 * ROUNDS)


def test_a_snapshot_taken_between_changes_is_consistent():
    """Each batch writes both keys at one index: no image shows one without the other."""
    tree = Tree()
    tree.batch([Put("left", b"0"), Put("right.below", b"0", parents=True)])
    done = threading.Event()
    images = []

    def change():
        for number in range(ROUNDS):
            tree.batch([Put("left", b"%d" % number), Put("right.below", b"%d" % number)])
        done.set()

    def take():
        while not done.is_set():
            images.append(tree.snapshot())

    run_together(change, take, take)
    for image in images[:: max(1, len(images) // 50)]:
        copy = Tree.from_snapshot(image)
        left, right = copy.get("left"), copy.get("right.below")
        assert (left.value, left.update_index) == (right.value, right.update_index)
        assert copy.index == left.update_index


def test_reads_see_whole_changes():
    tree = Tree()
    tree.batch([Put("left", b"0"), Put("right", b"0")])
    done = threading.Event()
    torn = []

    def change():
        for number in range(ROUNDS):
            tree.batch([Put("left", b"%d" % number), Put("right", b"%d" % number)])
        done.set()

    def read():
        while not done.is_set():
            for left, right in (tree.get_many(["left", "right"]), tree.list()):
                if (left.value, left.update_index) != (right.value, right.update_index):
                    torn.append((left, right))

    run_together(change, read, read)
    assert torn == []


def test_every_channel_ends_with_the_newest_state_and_none_is_told_twice():
    """G2 and G3 with eight threads that put, touch and answer while one dispatches; nothing fails."""
    tree, waiting = Tree(), queue.SimpleQueue()
    journal = Journal(waiting.put)
    dispatcher = Dispatcher(tree, journal, clock=ManualClock())
    for channel in CHANNELS:
        dispatcher.sync(channel, dict.fromkeys([*KEYS, "dir0", ""], 0))

    def work(number):
        def put_and_answer():
            for i in range(ROUNDS):
                tree.put(KEYS[number], b"%d" % i, parents=True)
                dispatcher.touch(CHANNELS[number])
                with contextlib.suppress(queue.Empty):
                    waiting.get_nowait().acknowledge()

        return put_and_answer

    run_while_dispatching(dispatcher, *(work(number) for number in range(THREADS)))
    settle(dispatcher)
    assert journal.overlaps == 0
    assert all(strictly_increasing(indexes) for indexes in journal.indexes().values())
    assert journal.last() == {(channel, key): current(tree, key) for channel in CHANNELS for key in [*KEYS, "dir0", ""]}


def test_every_watch_ends_acknowledged_at_its_keys_index_whatever_failed_meanwhile():
    """G3 with eight threads that put, remove, sync, close and give every kind of answer while one dispatches."""
    tree, clock, waiting = Tree(), ManualClock(), queue.SimpleQueue()
    config = Config(max_batch_size=5, max_batch_bytes=200, on_error=lambda error, channel: None)
    journal = Journal(waiting.put)
    dispatcher = Dispatcher(tree, journal, config=config, clock=clock)

    def answer(choice, batch):
        count = len(batch)
        choice(
            [
                lambda: batch.acknowledge(),
                lambda: batch.acknowledge([Result.OK] * count),
                lambda: batch.acknowledge(
                    [choice([Result.OK, Result.ERROR, Result.REMOVE_WATCH]) for _ in range(count)]
                ),
                lambda: batch.acknowledge([Result.OK] * choice([0, count, count + 1])),
                lambda: batch.fail(choice(list(Failure))),
                lambda: dispatcher.answer(batch.ticket - choice([0, 1, 2])),
                lambda: batch.remove_all(),
            ]
        )()

    def change(choice, key):
        try:
            choice(
                [
                    lambda: tree.put(key, b"value", parents=True),
                    lambda: tree.put(key, b"value", parents=True),
                    lambda: tree.remove(key),
                    lambda: tree.remove(key.partition(".")[0], recursive=True),
                ]
            )()
        except (NotFound, ParentNotFound):
            return

    def work(number):
        choice = random.Random(number).choice

        def churn():
            for _ in range(ROUNDS):
                channel = choice(CHANNELS)
                change(choice, choice(KEYS))
                dispatcher.sync(channel, {choice(KEYS): choice([-1, 0, 0, 5])}, replace=choice([False] * 9 + [True]))
                if choice(range(20)) == 0:
                    dispatcher.close(choice(CHANNELS))
                clock.advance(choice([0, 0.1, 1]))
                with contextlib.suppress(queue.Empty):
                    answer(choice, waiting.get_nowait())

        return churn

    run_while_dispatching(dispatcher, *(work(number) for number in range(THREADS)))
    dispatcher.verify()
    for channel in CHANNELS:
        dispatcher.sync(channel, dict.fromkeys(KEYS, 0))
    for key in KEYS:
        tree.put(key, b"last", parents=True)
    recover(dispatcher, clock)
    newest = {key: tree.get(key).update_index for key in KEYS}
    assert [dispatcher.watches(channel) for channel in CHANNELS] == [newest] * THREADS
    assert journal.overlaps == 0
    tree.verify()


def test_threads_that_dispatch_together_never_call_the_transport_together():
    tree = Tree()
    journal = Journal(lambda batch: batch.acknowledge())
    config = Config(max_batch_size=1, max_batch_bytes=1)
    dispatcher = Dispatcher(tree, journal, config=config, clock=ManualClock())
    for channel in CHANNELS:
        dispatcher.sync(channel, dict.fromkeys(KEYS, 0))

    def work(number):
        def put_and_dispatch():
            for i in range(ROUNDS):
                tree.put(KEYS[number], b"%d" % i, parents=True)
                dispatcher.dispatch()

        return put_and_dispatch

    run_together(*(work(number) for number in range(THREADS)))
    settle(dispatcher)
    assert journal.overlaps == 0
    assert all(strictly_increasing(indexes) for indexes in journal.indexes().values())


def test_an_answer_from_another_thread_is_taken_while_the_transport_is_busy():
    """The transport waits for the answer that another thread gives: no lock is held meanwhile."""
    tree, waiting, answered = Tree(), queue.SimpleQueue(), threading.Event()

    def send(batch):
        waiting.put(batch)
        assert answered.wait(60)

    errors = []
    config = Config(on_error=lambda error, channel: errors.append(error))
    dispatcher = Dispatcher(tree, send, config=config)
    dispatcher.sync("alice", {"a": 0})

    def answer():
        waiting.get().acknowledge()
        tree.put("a", b"v")
        dispatcher.sync("bob", {"b": 0})
        answered.set()

    run_together(dispatcher.dispatch, answer)
    assert errors == []
    assert dispatcher.channel("alice").acknowledged == 1


def test_many_dispatchers_come_and_go_while_the_tree_changes():
    tree, done = Tree(), threading.Event()

    def change():
        number = 0
        while not done.is_set():
            tree.put(KEYS[number % THREADS], b"v", parents=True)
            number += 1

    def come_and_go():
        for _ in range(ROUNDS):
            dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge(), clock=ManualClock())
            dispatcher.sync("alice", dict.fromkeys(KEYS, 0))
            dispatcher.dispatch()
            assert dispatcher.stats().acknowledged == len(KEYS)

    def end_after(works):
        try:
            run_together(*works)
        finally:
            done.set()

    run_together(change, lambda: end_after([come_and_go] * 3))
    tree.verify()


def test_a_tree_is_restored_while_others_dispatch_and_answer():
    tree, done = Tree(), threading.Event()
    for key in KEYS:
        tree.put(key, b"v", parents=True)
    image, ignored = tree.snapshot(), []
    dispatcher = Dispatcher(tree, lambda batch: ignored.append(batch.acknowledge()), clock=ManualClock())

    def restore():
        for _ in range(ROUNDS):
            tree.restore(image)
        done.set()

    def use():
        while not done.is_set():
            dispatcher.sync("alice", dict.fromkeys(KEYS, 0))
            dispatcher.dispatch()

    run_together(restore, use, use)
    assert dispatcher.epoch == 1 + ROUNDS
    dispatcher.verify()
    tree.verify()


def test_on_work_is_called_from_the_thread_that_made_the_work():
    tree = Tree()
    dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge(), clock=ManualClock())
    dispatcher.sync("alice", {"a": tree.put("a", b"")})
    threads = []
    dispatcher.on_work = lambda: threads.append(threading.get_ident())
    own = []

    def change():
        own.append(threading.get_ident())
        tree.put("a", b"v")

    run_together(change)
    assert threads == own


def test_no_work_is_left_without_a_call_of_on_work():
    """A dispatching thread sleeps until on_work wakes it; each change waits for the one before it to arrive."""
    tree, wake, done = Tree(), threading.Event(), threading.Event()
    arrived, sent = threading.Condition(), {}

    def send(batch):
        batch.acknowledge()
        with arrived:
            sent.update({(batch.channel, n.key): n.index for n in batch})
            arrived.notify_all()

    dispatcher = Dispatcher(tree, send, clock=ManualClock())
    dispatcher.on_work = wake.set

    def drive():
        while not done.is_set():
            wake.wait()
            wake.clear()
            while not dispatcher.dispatch():
                pass

    def work(number):
        channel, key = CHANNELS[number], KEYS[number]

        def put_and_wait():
            dispatcher.sync(channel, dict.fromkeys(KEYS, 0))
            for i in range(ROUNDS):
                index = tree.put(key, b"%d" % i, parents=True)
                with arrived:
                    assert arrived.wait_for(lambda least=index: sent.get((channel, key), -1) >= least, timeout=60)

        return put_and_wait

    def all_work():
        try:
            run_together(*(work(number) for number in range(THREADS)))
        finally:
            done.set()
            wake.set()

    run_together(drive, all_work)
    assert {channel for channel, _ in sent} == set(CHANNELS)
