"""What the user follows, and what is known of it (contract §4, Keys)."""

from __future__ import annotations

import pytest
from watchtree import InvalidKey, KeyTooLong, UnknownGroup

BAD_KEYS = ["a..b", ".a", "a.", "a\n", "\x00", "a\x9f", "\ud800"]

either = pytest.mark.parametrize("what", ["add", "remove"])


def test_nothing_is_followed_at_first(follower):
    assert follower.known() == {}


def test_of_a_key_that_is_followed_nothing_is_known_at_first(follower):
    follower.add(["a"])
    assert follower.known() == {"a": 0}


def test_keys_stand_in_the_order_they_were_added(follower):
    follower.add(["c", "a"])
    follower.add(["b"])
    assert list(follower.known()) == ["c", "a", "b"]


def test_any_iterable_of_keys_will_do(follower):
    follower.add(key for key in "ab")
    follower.remove({"a": 7})
    assert follower.known() == {"b": 0}


def test_no_key_changes_nothing(follower):
    follower.add([])
    follower.remove([])
    assert follower.known() == {}
    assert follower.actions() == []


def test_the_root_may_be_followed(follower):
    follower.follow("")
    follower.notify(("", 7))
    assert follower.events() == [("", 7)]


def test_a_key_that_was_removed_is_not_followed(follower):
    follower.add(["a", "b", "c"])
    follower.remove(["a", "c"])
    assert follower.known() == {"b": 0}


def test_what_is_known_of_a_key_is_the_index_of_its_newest_notification(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3))
    follower.notify(("a", 5))
    assert follower.known() == {"a": 5, "b": 0}


def test_what_is_known_does_not_depend_on_events_being_taken(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.take()
    assert follower.known() == {"a": 3}


def test_what_is_known_outlives_a_connection(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.disconnected("one")
    assert follower.known() == {"a": 3}


# Again.


def test_adding_a_key_that_is_followed_changes_nothing(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3))
    before = follower.seen()
    follower.add(["a"])
    assert follower.seen() == before
    assert follower.actions() == []
    assert follower.events() == [("a", 3)]


def test_a_key_named_twice_is_added_once(follower):
    follower.add(["a", "b", "a"])
    assert list(follower.known().items()) == [("a", 0), ("b", 0)]


def test_removing_a_key_that_is_not_followed_changes_nothing(follower):
    follower.follow("a")
    before = follower.seen()
    follower.remove(["b", "a.b", ""])
    assert follower.seen() == before
    assert follower.actions() == []


def test_a_key_named_twice_is_removed_once(follower):
    follower.follow("a", "b")
    follower.remove(["a", "a"])
    assert follower.known() == {"b": 0}
    assert list(follower.one_action().known.items()) == [("a", -1)]


def test_following_a_key_is_not_following_those_below_it(follower):
    follower.add(["a", "a.b"])
    follower.remove(["a"])
    assert follower.known() == {"a.b": 0}


# A key that is removed and added again begins anew.


def test_nothing_is_known_of_a_key_that_was_removed_and_added_again(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.remove(["a"])
    follower.add(["a"])
    assert follower.known() == {"a": 0}


def test_a_key_that_was_removed_and_added_again_stands_last(follower):
    follower.add(["a", "b"])
    follower.remove(["a"])
    follower.add(["a"])
    assert list(follower.known()) == ["b", "a"]


def test_the_waiting_event_of_a_key_that_was_removed_is_gone(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    follower.remove(["a"])
    assert follower.events() == [("b", 4)]


def test_the_waiting_event_of_a_key_that_was_removed_and_added_again_is_gone(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.remove(["a"])
    follower.add(["a"])
    assert follower.take() is None


def test_an_older_index_is_news_of_a_key_that_was_removed_and_added_again(follower):
    follower.follow("a")
    follower.notify(("a", 5))
    follower.remove(["a"])
    follower.follow("a")
    follower.notify(("a", 3))
    assert follower.events() == [("a", 3)]


def test_the_event_of_a_key_that_was_removed_and_added_again_has_a_place_of_its_own(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    follower.remove(["a"])
    follower.follow("a")
    follower.notify(("a", 5))
    assert follower.events() == [("b", 4), ("a", 5)]


# Refused.


@either
@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_refuses_the_whole_call(follower, what, key):
    follower.follow("a")
    before = follower.seen()
    with pytest.raises(InvalidKey) as caught:
        getattr(follower, what)(["a", "b", key, "c"])
    assert caught.value.key == key
    assert follower.seen() == before
    assert follower.actions() == []


@either
def test_a_key_that_is_too_long_refuses_the_whole_call(following, what):
    follower = following(["one"], max_key_bytes=3)
    follower.follow("abc")
    before = follower.seen()
    with pytest.raises(KeyTooLong) as caught:
        getattr(follower, what)(["abc", "d", "äöü"])
    assert (caught.value.key, caught.value.limit) == ("äöü", 3)
    assert follower.seen() == before


def test_a_key_as_long_as_the_limit_is_followed(follower):
    follower.add(["k" * 8192])
    with pytest.raises(KeyTooLong):
        follower.add(["k" * 8193])
    assert list(follower.known()) == ["k" * 8192]


@pytest.mark.parametrize("what", ["add", "remove"])
def test_keys_of_a_group_that_does_not_exist_are_refused(pair, what):
    with pytest.raises(UnknownGroup, match="z"):
        getattr(pair, what)(["a"], "z")
    with pytest.raises(UnknownGroup):
        getattr(pair, what)(["a"])


@pytest.mark.parametrize("what", ["known", "server", "tree"])
def test_a_group_that_does_not_exist_shows_nothing(pair, what):
    with pytest.raises(UnknownGroup):
        getattr(pair, what)("z")
    with pytest.raises(UnknownGroup):
        getattr(pair, what)()


# Groups.


def test_groups_share_no_keys(pair):
    pair.add(["a"], "x")
    pair.add(["b"], "y")
    pair.remove(["a"], "y")
    assert (pair.known("x"), pair.known("y")) == ({"a": 0}, {"b": 0})


def test_groups_know_different_things_of_the_same_key(pair):
    pair.follow("a", group="x")
    pair.follow("a", group="y")
    pair.notify(("a", 5), group="x")
    pair.notify(("a", 3), group="y")
    assert (pair.known("x"), pair.known("y")) == ({"a": 5}, {"a": 3})


def test_a_key_removed_in_one_group_keeps_its_event_in_another(pair):
    pair.follow("a", group="x")
    pair.follow("a", group="y")
    pair.notify(("a", 5), group="x")
    pair.notify(("a", 3), group="y")
    pair.remove(["a"], "x")
    assert [(event.group, event.index) for event in pair.taken()] == [("y", 3)]


def test_servers_without_groups_are_the_group_without_a_name(follower):
    follower.add(["a"], "")
    assert follower.known() == follower.known("") == {"a": 0}
