"""The news that the user gets: one at a time, the newest of each key (contract §4, Events)."""

from __future__ import annotations

import gc
import logging
import weakref

import pytest
from watchtree import Event, Result, State

OK = Result.OK


def test_without_news_there_is_no_event(follower):
    assert follower.take() is None
    follower.follow("a")
    assert follower.take() is None


def test_an_event_is_the_newest_state_of_a_key(follower):
    follower.follow("a", "b", "c")
    follower.notified(
        "one",
        [("a", State.VALUE, 3, b"v"), ("b", State.DIRECTORY, 4, None), ("c", State.MISSING, 5, None)],
    )
    assert follower.taken() == [
        Event("", "a", State.VALUE, 3, b"v"),
        Event("", "b", State.DIRECTORY, 4, None),
        Event("", "c", State.MISSING, 5, None),
    ]


def test_an_event_is_a_named_tuple_of_plain_types(follower):
    follower.follow("a")
    follower.notified("one", [("a", 0, 3, bytearray(b"v"))])
    event = follower.take()
    assert type(event) is Event
    assert [type(field) for field in event] == [str, str, State, int, bytes]


def test_an_empty_value_is_a_value(follower):
    follower.follow("a")
    follower.notified("one", [("a", State.VALUE, 3, b"")])
    assert follower.take().value == b""


@pytest.mark.parametrize("state", [State.DIRECTORY, State.MISSING])
def test_what_is_no_value_has_no_bytes(follower, state):
    follower.follow("a")
    follower.notified("one", [("a", state, 3, b"v")])
    assert follower.take().value is None


def test_the_bytes_of_an_event_are_a_copy(follower):
    follower.follow("a")
    value = bytearray(b"old")
    follower.notified("one", [("a", State.VALUE, 3, value)])
    value[:] = b"new"
    assert follower.take().value == b"old"


def test_an_event_is_taken_once(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    assert follower.events() == [("a", 3)]
    assert follower.take() is None


def test_there_is_one_event_for_a_key_the_newest(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.notify(("a", 4), ("a", 5))
    assert follower.count("waiting") == 1
    assert follower.events() == [("a", 5)]
    assert follower.count("coalesced") == 2


def test_events_come_in_the_order_in_which_the_keys_changed(follower):
    follower.follow("a", "b", "c")
    follower.notify(("c", 3), ("a", 4))
    follower.notify(("b", 5))
    assert follower.events() == [("c", 3), ("a", 4), ("b", 5)]


def test_an_event_that_is_replaced_keeps_its_place(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    follower.notify(("a", 5))
    assert follower.events() == [("a", 5), ("b", 4)]


def test_the_next_event_of_a_key_has_a_new_place(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    follower.take()
    follower.notify(("a", 5))
    assert follower.events() == [("b", 4), ("a", 5)]


def test_events_of_all_groups_come_in_one_order(pair):
    for group in "xy":
        pair.follow("a", "b", group=group)
    pair.notify(("a", 9), group="y")
    pair.notify(("a", 3), group="x")
    pair.notify(("b", 10), group="y")
    pair.notify(("a", 4), group="x")
    assert [(event.group, event.key, event.index) for event in pair.taken()] == [
        ("y", "a", 9),
        ("x", "a", 4),
        ("y", "b", 10),
    ]


def test_events_outlive_the_connection(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.disconnected("one")
    follower.settle()
    assert follower.events() == [("a", 3)]


# A listener.


@pytest.fixture
def heard(follower):
    """What the listener is called with, while it does nothing else."""
    heard = []
    follower.subscriber.listener = heard.append
    follower.follow("a", "b", "c")
    return heard


def test_there_is_no_listener_at_first(follower):
    assert follower.subscriber.listener is None


def test_a_listener_may_be_set_and_taken_away(follower):
    def listener(event):
        return event

    follower.subscriber.listener = listener
    assert follower.subscriber.listener is listener
    follower.subscriber.listener = None
    assert follower.subscriber.listener is None


def test_a_listener_is_told_of_each_event_in_their_order(follower, heard):
    assert follower.notify(("b", 3), ("a", 4)) == [OK, OK]
    assert [(event.key, event.index) for event in heard] == [("b", 3), ("a", 4)]
    assert type(heard[0]) is Event


def test_what_a_listener_was_told_does_not_wait(follower, heard):
    follower.notify(("a", 3))
    assert follower.take() is None
    assert follower.count("waiting") == 0


def test_a_listener_is_not_told_what_is_no_news(follower, heard):
    follower.notify(("a", 3))
    follower.notify(("a", 3), ("a", 2), ("d", 7))
    assert len(heard) == 1


def test_a_listener_is_told_of_a_key_that_came_twice_in_its_newest_state(follower, heard):
    follower.notify(("a", 3), ("b", 4), ("a", 5))
    assert [(event.key, event.index) for event in heard] == [("a", 5), ("b", 4)]


def test_a_listener_that_was_taken_away_is_told_nothing(follower, heard):
    follower.subscriber.listener = None
    follower.notify(("a", 3))
    assert heard == []
    assert follower.events() == [("a", 3)]


def test_a_listener_is_told_of_what_waited_when_it_was_set(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    heard = []
    follower.subscriber.listener = heard.append
    assert [(event.key, event.index) for event in heard] == [("a", 3), ("b", 4)]
    assert follower.take() is None


def test_a_listener_sees_that_its_event_is_known_and_taken(follower):
    seen = []
    follower.follow("a", "b")
    follower.subscriber.listener = lambda event: seen.append((follower.known(), follower.count("waiting")))
    follower.notify(("a", 3), ("b", 4))
    assert seen == [({"a": 3, "b": 4}, 1), ({"a": 3, "b": 4}, 0)]


# A listener that calls back.


class Depth:
    """A listener that notes how deep its calls are nested, and calls something for its first event."""

    def __init__(self, act):
        self.act = act
        self.now = self.most = 0
        self.heard = []

    def __call__(self, event):
        self.now += 1
        self.most = max(self.most, self.now)
        self.heard.append((event.key, event.index))
        if len(self.heard) == 1:
            self.act()
        self.now -= 1


def told_by(follower, act):
    """What a listener is told by news of a and b, if it calls something back when it is told of a."""
    follower.follow("a", "b", "c")
    listener = Depth(act)
    follower.subscriber.listener = listener
    assert follower.notify(("a", 3), ("b", 4)) == [OK, OK]
    assert listener.most == 1
    return listener.heard


def test_a_listener_that_is_told_more_is_not_called_again_before_it_returned(follower):
    assert told_by(follower, lambda: follower.notify(("c", 5))) == [("a", 3), ("b", 4), ("c", 5)]


def test_news_of_its_own_key_come_to_a_listener_afterwards(follower):
    assert told_by(follower, lambda: follower.notify(("a", 5))) == [("a", 3), ("b", 4), ("a", 5)]


def test_news_of_a_key_whose_event_waits_replace_it(follower):
    assert told_by(follower, lambda: follower.notify(("b", 5))) == [("a", 3), ("b", 5)]


def test_a_listener_that_removes_a_key_is_not_told_of_it(follower):
    assert told_by(follower, lambda: follower.remove(["b"])) == [("a", 3)]


def test_a_listener_may_take_the_next_event_itself(follower):
    taken = []
    assert told_by(follower, lambda: taken.extend(follower.events())) == [("a", 3)]
    assert taken == [("b", 4)]


def test_a_listener_may_take_itself_away(follower):
    assert told_by(follower, lambda: setattr(follower.subscriber, "listener", None)) == [("a", 3)]
    assert follower.events() == [("b", 4)]


def test_a_listener_may_set_another_which_is_told_the_rest(follower):
    heard = []
    assert told_by(follower, lambda: setattr(follower.subscriber, "listener", heard.append)) == [("a", 3)]
    assert [(event.key, event.index) for event in heard] == [("b", 4)]


@pytest.mark.parametrize(
    "act",
    [
        lambda follower: follower.actions(),
        lambda follower: follower.add(["d"]),
        lambda follower: follower.disconnected("one"),
        lambda follower: follower.next_deadline(),
        lambda follower: follower.seen(),
    ],
)
def test_a_listener_may_call_anything(follower, act):
    assert told_by(follower, lambda: act(follower)) == [("a", 3), ("b", 4)]


# A listener that raises.


class Broken(Exception):
    """Raised by listeners."""


def refuse(event):
    raise Broken(event.key)


def test_an_error_of_the_listener_is_reported_with_the_group_and_the_rest_is_told(pair):
    for group in "xy":
        pair.follow("a", "b", group=group)
    pair.subscriber.listener = refuse
    assert pair.notify(("a", 3), ("b", 4), group="y") == [OK, OK]
    assert [(type(error), str(error), group) for error, group in pair.errors] == [
        (Broken, "a", "y"),
        (Broken, "b", "y"),
    ]


def test_an_event_whose_listener_raised_has_been_told(follower):
    follower.follow("a")
    follower.subscriber.listener = refuse
    follower.notify(("a", 3))
    assert follower.count("waiting") == 0
    assert follower.known() == {"a": 3}


def test_an_error_of_the_listener_is_logged_without_an_on_error(following, caplog):
    follower = following(["one"], on_error=None)
    follower.follow("a")
    follower.subscriber.listener = refuse
    with caplog.at_level(logging.ERROR, logger="watchtree"):
        assert follower.notify(("a", 3)) == [OK]
    assert [record.name for record in caplog.records] == ["watchtree"]


def test_an_error_of_on_error_is_logged_and_the_rest_is_told(following, caplog):
    told = []

    def on_error(error, group):
        told.append(str(error))
        raise RuntimeError

    follower = following(["one"], on_error=on_error)
    follower.follow("a", "b")
    follower.subscriber.listener = refuse
    with caplog.at_level(logging.ERROR, logger="watchtree"):
        assert follower.notify(("a", 3), ("b", 4)) == [OK, OK]
    assert told == ["a", "b"]
    assert len(caplog.records) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_is_raised_from_the_call(follower, error):
    def interrupt(event):
        raise error

    follower.follow("a", "b")
    follower.subscriber.listener = interrupt
    with pytest.raises(error):
        follower.notify(("a", 3), ("b", 4))
    assert follower.errors == []
    assert follower.known() == {"a": 3, "b": 4}
    assert follower.events() == [("b", 4)]


def test_a_listener_is_told_the_rest_after_an_interrupt(follower):
    heard = []

    def interrupt_once(event):
        heard.append((event.key, event.index))
        if len(heard) == 1:
            raise KeyboardInterrupt

    follower.follow("a", "b")
    follower.subscriber.listener = interrupt_once
    with pytest.raises(KeyboardInterrupt):
        follower.notify(("a", 3), ("b", 4))
    follower.notify(("a", 5))
    assert heard == [("a", 3), ("b", 4), ("a", 5)]


def test_what_on_error_raises_that_is_no_exception_is_raised_from_the_call(following):
    def on_error(error, group):
        raise KeyboardInterrupt

    follower = following(["one"], on_error=on_error)
    follower.follow("a", "b")
    follower.subscriber.listener = refuse
    with pytest.raises(KeyboardInterrupt):
        follower.notify(("a", 3), ("b", 4))
    assert follower.events() == [("b", 4)]


def test_a_listener_that_refers_to_its_subscriber_is_collected_with_it(make):
    class Listener:
        def __call__(self, event):
            return event

    listener = Listener()
    listener.subscriber = make(["one"])
    listener.subscriber.listener = listener
    reference = weakref.ref(listener)
    del listener
    gc.collect()
    assert reference() is None
