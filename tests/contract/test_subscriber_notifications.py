"""What a subscriber answers to notifications, and what it knows afterwards (contract §4, Notifications)."""

from __future__ import annotations

import pytest
from watchtree import REMOVE_ALL_WATCHES, Notification, Result, State, UnknownGroup, UnknownServer

OK, REMOVE_WATCH = Result.OK, Result.REMOVE_WATCH

GONE = [("a", State.VALUE, 5, b"v"), ("b", State.MISSING, 6, None)]


def test_there_is_one_result_for_each_notification_in_their_order(follower):
    follower.follow("a", "b")
    assert follower.notify(("b", 3), ("c", 4), ("a", 5), ("d", 6)) == [OK, REMOVE_WATCH, OK, REMOVE_WATCH]


def test_results_are_results(follower):
    follower.follow("a")
    assert [type(result) for result in follower.notify(("a", 3), ("b", 4))] == [Result, Result]


def test_no_notification_has_no_result(follower):
    follower.follow("a")
    assert follower.notified("one", []) == []


def test_notifications_of_a_batch_will_do(follower):
    follower.follow("a")
    assert follower.notified("one", (Notification("a", State.DIRECTORY, 3, None),)) == [OK]
    assert follower.events() == [("a", 3)]


def test_any_iterable_of_notifications_will_do(follower):
    follower.follow("a")
    assert follower.notified("one", (each for each in GONE)) == [OK, REMOVE_WATCH]


def test_a_greater_index_is_news(follower):
    follower.follow("a")
    assert follower.notify(("a", 3)) == [OK]
    assert follower.notify(("a", 4)) == [OK]
    assert follower.known() == {"a": 4}
    assert follower.count("accepted") == 2


@pytest.mark.parametrize("index", [0, 4, 5])
def test_an_index_that_is_not_greater_is_dropped(follower, index):
    follower.follow("a")
    follower.notify(("a", 5))
    follower.events()
    assert follower.notify(("a", index)) == [OK]
    assert follower.known() == {"a": 5}
    assert follower.take() is None
    assert follower.count("dropped") == 1


def test_an_index_that_is_not_greater_does_not_replace_the_event_that_waits(follower):
    follower.follow("a")
    follower.notify(("a", 5))
    follower.notified("one", [("a", State.MISSING, 5, None)])
    [event] = follower.taken()
    assert (event.state, event.index) == (State.VALUE, 5)


def test_index_0_is_news_if_nothing_is_known(follower):
    """As that of a missing key in an empty tree."""
    follower.follow("a")
    follower.notified("one", [("a", State.MISSING, 0, None)])
    assert follower.events() == [("a", 0)]
    assert follower.known() == {"a": 0}


def test_index_0_is_news_once(follower):
    follower.follow("a")
    follower.notify(("a", 0))
    follower.events()
    follower.notify(("a", 0))
    assert follower.take() is None
    assert follower.count("dropped") == 1


def test_the_greatest_index_is_news(follower):
    follower.follow("a")
    follower.notify(("a", 2**63 - 1))
    assert follower.events() == [("a", 2**63 - 1)]
    assert follower.known() == {"a": 2**63 - 1}


def test_a_key_that_comes_twice_is_news_twice(follower):
    follower.follow("a")
    assert follower.notify(("a", 3), ("a", 4), ("a", 4)) == [OK, OK, OK]
    assert follower.known() == {"a": 4}
    assert (follower.count("accepted"), follower.count("dropped")) == (2, 1)


def test_a_key_that_was_removed_is_not_wanted_before_the_server_was_told(follower):
    follower.follow("a", "b")
    follower.remove(["a"])
    assert follower.notify(("a", 3)) == [REMOVE_WATCH]
    assert follower.take() is None


@pytest.mark.parametrize("key", ["a.b", "", "A", "a..b", "\n", "\ud800", "k" * 100_000])
def test_a_key_that_is_not_followed_is_not_wanted_whatever_it_is(follower, key):
    follower.follow("a")
    assert follower.notify((key, 3)) == [REMOVE_WATCH]
    assert follower.count("refused") == 1


def test_a_key_is_wanted_before_the_server_was_told_of_it(follower):
    follower.follow("a")
    follower.add(["b"])
    assert follower.notify(("b", 3)) == [OK]
    assert follower.events() == [("b", 3)]


def test_a_server_may_notify_before_it_answered_the_sync(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    assert follower.notify(("a", 3)) == [OK]
    assert follower.events() == [("a", 3)]


def test_a_server_may_notify_as_soon_as_it_is_connected(follower):
    follower.add(["a"])
    follower.connect()
    assert follower.notify(("a", 3)) == [OK]


# Remove all watches.


def test_a_server_that_it_is_not_with_is_to_remove_all_watches(follower):
    follower.follow("a", "b")
    assert follower.notified("two", GONE) is REMOVE_ALL_WATCHES
    assert follower.known() == {"a": 0, "b": 0}
    assert follower.take() is None
    assert follower.count("refused") == 2


def test_a_server_that_it_is_only_connecting_to_is_to_remove_all_watches(follower):
    follower.add(["a"])
    follower.actions()
    assert follower.notified("one", GONE) is REMOVE_ALL_WATCHES


def test_a_server_that_was_given_up_is_to_remove_all_watches(follower):
    follower.follow("a")
    follower.disconnected("one")
    assert follower.notified("one", GONE) is REMOVE_ALL_WATCHES
    follower.settle()
    assert follower.notified("one", GONE) is REMOVE_ALL_WATCHES


def test_a_server_is_to_remove_all_watches_if_nothing_is_followed(follower):
    follower.follow("a", "b")
    follower.remove(["a", "b"])
    assert follower.server() == "one"
    assert follower.notified("one", GONE) is REMOVE_ALL_WATCHES


def test_no_notification_from_a_server_that_it_is_not_with_is_answered_as_well(follower):
    assert follower.notified("one", []) is REMOVE_ALL_WATCHES


def test_a_server_that_one_group_is_with_is_to_remove_all_watches_of_another(pair):
    pair.follow("a", group="x")
    assert pair.notified("both", GONE, "y") is REMOVE_ALL_WATCHES
    pair.add(["a"], "y")
    assert pair.notified("both", GONE, "y") is REMOVE_ALL_WATCHES
    assert pair.notified("both", GONE, "x") == [OK, REMOVE_WATCH]


def test_notifications_are_of_one_group(pair):
    pair.follow("a", group="x")
    pair.follow("a", "b", group="y")
    assert pair.notified("both", GONE, "y") == [OK, OK]
    assert (pair.known("x"), pair.known("y")) == ({"a": 0}, {"a": 5, "b": 6})


# Refused.


def test_a_server_that_does_not_exist_is_refused(follower):
    follower.follow("a")
    before = follower.seen()
    with pytest.raises(UnknownServer, match="three"):
        follower.notified("three", GONE)
    assert follower.seen() == before


def test_a_group_that_does_not_exist_is_refused(pair):
    pair.follow("a", group="x")
    before = pair.seen()
    with pytest.raises(UnknownGroup, match="z"):
        pair.notified("both", GONE, "z")
    with pytest.raises(UnknownGroup):
        pair.notified("both", GONE)
    assert pair.seen() == before


def test_a_server_of_another_group_is_one_that_it_is_not_with(following):
    follower = following({"x": ["one"], "y": ["two"]})
    follower.follow("a", group="x")
    assert follower.notified("two", GONE, "x") is REMOVE_ALL_WATCHES


IMPOSSIBLE = {
    "a state below 0": ("b", -1, 5, None),
    "a state above 2": ("b", 3, 5, b"v"),
    "a state far above": ("b", 2**70, 5, b"v"),
    "an index below 0": ("b", State.VALUE, -1, b"v"),
    "an index above 2^63 - 1": ("b", State.VALUE, 2**63, b"v"),
    "an index far above": ("b", State.VALUE, 2**70, b"v"),
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("server", ["one", "two"])
def test_a_state_or_index_that_cannot_be_refuses_the_whole_call(follower, wrong, server):
    follower.follow("a", "b")
    before = follower.seen()
    with pytest.raises(ValueError, match=r"state|index|State"):
        follower.notified(server, [GONE[0], wrong, GONE[1]])
    assert follower.seen() == before
    assert follower.take() is None
