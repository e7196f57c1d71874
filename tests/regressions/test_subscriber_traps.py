"""What the subscriber once did wrong, found by its model (contract §4): each as the shortest sequence of calls."""

from __future__ import annotations

import uuid

import pytest
from watchtree import Connect, ManualClock, State, Subscriber, Sync

ONE_TREE, ANOTHER_TREE = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def subscriber(clock):
    """One that follows `a`, through a server that answered its first sync."""
    subscriber = Subscriber(["one"], clock=clock)
    subscriber.add(["a"])
    subscriber.actions()
    subscriber.connected("one")
    subscriber.actions()
    subscriber.synced(1, ONE_TREE, 9)
    return subscriber


def test_an_event_that_waits_keeps_its_index_when_another_tree_comes(subscriber):
    subscriber.notified("one", [("a", State.VALUE, 5, b"v")])
    subscriber.add(["b"])
    subscriber.actions()
    subscriber.synced(2, ANOTHER_TREE, 7)
    assert subscriber.take().index == 5


def test_a_group_without_a_server_has_no_deadline_when_it_follows_nothing(clock):
    subscriber = Subscriber(["one"], clock=clock)
    subscriber.add(["a"])
    subscriber.actions()
    subscriber.connect_failed("one")
    subscriber.remove(["a"])
    assert subscriber.next_deadline() is None
    subscriber.add(["a"])
    assert subscriber.next_deadline() == 1.0
    clock.advance(1.0)
    assert subscriber.actions() == [Connect("one")]


def test_a_removal_is_told_even_if_everything_is_to_be_told(subscriber, clock):
    clock.advance(60)
    subscriber.actions()
    subscriber.touched(2, 0)
    subscriber.remove(["a"])
    assert subscriber.actions() == [Sync(3, "one", {}, True, "")]


def test_another_tree_that_answers_changes_is_told_everything(subscriber):
    subscriber.add(["b"])
    subscriber.actions()
    subscriber.synced(2, ANOTHER_TREE, 7)
    assert subscriber.actions() == [Sync(3, "one", {"a": 0, "b": 0}, True, "")]


@pytest.mark.parametrize("servers", [["\ud800"], {"\ud800": ["one"]}])
def test_a_name_with_a_lone_surrogate_is_refused_before_it_can_break_an_action(servers):
    with pytest.raises(ValueError, match="surrogate"):
        Subscriber(servers)


def test_a_request_of_a_wrong_type_is_called_a_request(subscriber):
    with pytest.raises(TypeError, match="request"):
        subscriber.touched("1", 1)
