"""Many threads on one subscriber: nothing is told twice, nothing lost, and a listener is called with one event at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from itertools import pairwise

from threads.reports import ROUNDS, run_together
from watchtree import REMOVE_ALL_WATCHES, ManualClock, State, Subscriber, Sync

KEYS = [f"key{number}" for number in range(4)]


def connected(*keys):
    """A subscriber that follows these keys through a server that answered its sync."""
    subscriber = Subscriber(["server"], clock=ManualClock())
    subscriber.add(keys)
    subscriber.actions()
    subscriber.connected("server")
    (sync,) = subscriber.actions()
    assert isinstance(sync, Sync)
    return subscriber


def notify(subscriber, key, indexes):
    for index in indexes:
        assert subscriber.notified("server", [(key, State.VALUE, index, b"%d" % index)]) != REMOVE_ALL_WATCHES


def last_events(events):
    """The last index told of each key; they must have been told in order."""
    told = defaultdict(list)
    for event in events:
        told[event.key].append(event.index)
    for indexes in told.values():
        assert all(before < after for before, after in pairwise(indexes))
    return {key: indexes[-1] for key, indexes in told.items()}


def test_events_taken_by_many_threads_are_each_told_once_and_the_newest_is_told():
    subscriber = connected(*KEYS)
    taken = [[] for _ in KEYS]
    done = threading.Event()

    def take(own):
        def work():
            while not done.is_set() or subscriber.stats().waiting:
                event = subscriber.take()
                if event is not None:
                    own.append(event)

        return work

    def write_all():
        try:
            run_together(*[lambda key=key: notify(subscriber, key, range(1, ROUNDS + 1)) for key in KEYS])
        finally:
            done.set()

    run_together(write_all, *[take(own) for own in taken])
    told = [(event.key, event.index) for own in taken for event in own]
    assert len(told) == len(set(told))
    newest = defaultdict(int)
    for key, index in told:
        newest[key] = max(newest[key], index)
    assert newest == dict.fromkeys(KEYS, ROUNDS)
    subscriber.verify()


def test_a_listener_is_called_with_one_event_at_a_time_and_with_the_newest_in_the_end():
    subscriber = connected(*KEYS)
    events = []
    busy = threading.Lock()
    overlaps = []

    def listener(event):
        if not busy.acquire(blocking=False):
            overlaps.append(event)
            return
        events.append(event)
        busy.release()

    subscriber.listener = listener
    run_together(*[lambda key=key: notify(subscriber, key, range(1, ROUNDS + 1)) for key in KEYS])
    assert overlaps == []
    assert last_events(events) == dict.fromkeys(KEYS, ROUNDS)


def test_everything_may_be_called_at_once():
    subscriber = Subscriber({"one": ["a", "b"], "two": ["b"]})
    done = threading.Event()

    def until_done(call):
        def work():
            while not done.is_set():
                call()

        return work

    def add_and_remove():
        try:
            for number in range(ROUNDS):
                group = ("one", "two")[number % 2]
                subscriber.add(KEYS, group)
                subscriber.remove(KEYS[number % 4 :], group)
        finally:
            done.set()

    def serve():
        for action in subscriber.actions():
            if isinstance(action, Sync):
                subscriber.request_failed(action.request, 0)
        subscriber.connected("b")
        subscriber.disconnected("a")

    run_together(
        add_and_remove,
        until_done(serve),
        until_done(lambda: subscriber.notified("b", [("key1", 0, 1, b"")], "two")),
        until_done(lambda: (subscriber.known("one"), subscriber.stats(), subscriber.next_deadline(), repr(subscriber))),
        until_done(subscriber.verify),
    )
    subscriber.verify()


def test_a_listener_may_be_changed_while_it_is_called():
    subscriber = connected("a")
    events = []

    def first(event):
        events.append(("first", event.index))
        subscriber.listener = second
        subscriber.notified("server", [("a", State.VALUE, 2, b"")])

    def second(event):
        events.append(("second", event.index))

    subscriber.listener = first
    subscriber.notified("server", [("a", State.VALUE, 1, b"")])
    assert events == [("first", 1), ("second", 2)]
