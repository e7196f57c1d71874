"""What a subscriber counts, and the sizes that it shows (contract §4)."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from contract.follower import ANOTHER_TREE
from watchtree import Failure, SubscriberStats

COUNTERS = [field.name for field in dataclasses.fields(SubscriberStats)]


def changed(follower, act):
    """The numbers that something changes, and by how much."""
    before = dataclasses.asdict(follower.stats())
    act()
    after = dataclasses.asdict(follower.stats())
    return {name: after[name] - before[name] for name in COUNTERS if after[name] != before[name]}


def test_everything_is_0_at_first(follower):
    assert follower.stats() == SubscriberStats(**dict.fromkeys(COUNTERS, 0))


def test_stats_can_be_pickled_and_do_not_change(follower):
    stats = follower.stats()
    follower.add(["a"])
    assert stats.keys == 0
    assert pickle.loads(pickle.dumps(stats)) == stats
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.keys = 7


def test_keys_are_those_that_are_followed_in_all_groups(pair):
    assert changed(pair, lambda: pair.add(["a", "b"], "x")) == {"keys": 2}
    assert changed(pair, lambda: pair.add(["a"], "y")) == {"keys": 1}
    assert changed(pair, lambda: pair.remove(["a"], "x")) == {"keys": -1}


def test_connected_are_the_servers_not_the_groups(pair):
    pair.add(["a"], "x")
    pair.add(["a"], "y")
    assert changed(pair, pair.actions) == {}
    assert changed(pair, lambda: pair.connected("both")) == {"connected": 1}


def test_requests_are_those_without_an_answer(follower):
    follower.add(["a"])
    follower.connect()
    assert changed(follower, follower.actions) == {"requests": 1}
    assert changed(follower, lambda: follower.synced(1, ANOTHER_TREE, 7)) == {"requests": -1, "syncs": 1}


def test_a_lost_connection_takes_its_request_along(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    lost = changed(follower, lambda: follower.disconnected("one"))
    assert lost == {"connected": -1, "requests": -1, "failures": 1}


def test_notifications_are_accepted_dropped_or_refused(follower):
    follower.follow("a", "b")
    news = [("a", 3), ("b", 4), ("b", 4), ("b", 2), ("c", 9)]
    assert changed(follower, lambda: follower.notify(*news)) == {
        "waiting": 2,
        "accepted": 2,
        "dropped": 2,
        "refused": 1,
    }


def test_notifications_from_a_server_that_it_is_not_with_are_refused(follower):
    follower.follow("a")
    assert changed(follower, lambda: follower.notified("two", [("a", 2, 3, None)] * 3)) == {"refused": 3}


def test_an_event_that_is_replaced_is_coalesced(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    assert changed(follower, lambda: follower.notify(("a", 4))) == {"accepted": 1, "coalesced": 1}


def test_a_taken_event_does_not_wait(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    assert changed(follower, follower.take) == {"waiting": -1}


def test_an_event_that_was_dropped_with_its_key_does_not_wait(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    assert changed(follower, lambda: follower.remove(["a"])) == {"keys": -1, "waiting": -1}


def test_a_touch_that_was_answered_is_a_heartbeat(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    assert changed(follower, lambda: follower.touched(2, 1)) == {"requests": -1, "heartbeats": 1}


def test_a_heartbeat_that_found_another_number_found_a_server_that_forgot(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    assert changed(follower, lambda: follower.touched(2, 0)) == {"requests": -1, "heartbeats": 1, "forgotten": 1}


def test_an_answer_from_another_tree_is_counted(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    assert changed(follower, lambda: follower.synced(2, ANOTHER_TREE, 7)) == {
        "requests": -1,
        "syncs": 1,
        "other_trees": 1,
    }


def test_each_group_that_gave_up_its_server_is_a_failure(pair):
    pair.follow("a", group="x")
    pair.follow("a", group="y")
    assert changed(pair, lambda: pair.disconnected("both")) == {"connected": -1, "failures": 2}


def test_a_request_that_failed_is_a_failure_of_its_group(pair):
    pair.follow("a", group="x")
    pair.add(["a"], "y")
    pair.actions()
    assert changed(pair, lambda: pair.request_failed(2, Failure.STOPPING)) == {"requests": -1, "failures": 1}


def test_what_is_late_again_or_unasked_for_is_an_ignored_answer(follower):
    follower.follow("a")
    acts = [
        lambda: follower.connected("one"),
        lambda: follower.connect_failed("one"),
        lambda: follower.disconnected("two"),
        lambda: follower.synced(1, ANOTHER_TREE, 7),
        lambda: follower.touched(1, 7),
        lambda: follower.request_failed(1, Failure.NETWORK),
    ]
    for act in acts:
        assert changed(follower, act) == {"ignored_answers": 1}
