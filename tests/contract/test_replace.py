"""A sync whose map is the channel's whole set (contract §2, `replace=True`)."""

from __future__ import annotations

from watchtree import State


def test_watches_that_the_map_does_not_name_are_dropped(rig):
    rig.watch("alice", "a", "b", "c")
    rig.sync("alice", {"b": 0, "d": 0}, replace=True)
    assert list(rig.dispatcher.watches("alice")) == ["b", "d"]
    rig.settle()
    rig.put("a")
    assert rig.sent_by(rig.settle) == []


def test_watches_that_the_map_names_are_registered_in_its_order(rig):
    rig.watch("alice", "a", "b", "c")
    rig.sync("alice", {"c": 0, "z": 0, "a": 0}, replace=True)
    assert rig.keys_by(rig.settle) == [("alice", ["c", "z", "a"])]


def test_without_replace_the_others_stay(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {"b": 0})
    assert list(rig.dispatcher.watches("alice")) == ["a", "b"]


def test_a_key_named_with_minus_1_is_dropped_with_the_others(rig):
    rig.watch("alice", "a", "b", "c")
    rig.sync("alice", {"a": -1, "b": 0}, replace=True)
    assert list(rig.dispatcher.watches("alice")) == ["b"]


def test_a_map_that_names_only_unwatched_keys_closes_the_channel(rig):
    rig.watch("alice", "a", "b")
    rig.sync("alice", {"a": -1, "x": -1}, replace=True)
    assert rig.dispatcher.channels() == []


def test_an_empty_map_closes_the_channel(rig):
    rig.watch("alice", "a", "b")
    assert rig.sync("alice", {}, replace=True) == (rig.tree.id, 0)
    assert rig.dispatcher.channels() == []
    assert rig.dispatcher.stats().holders == 0


def test_an_empty_map_makes_no_channel(rig):
    rig.sync("alice", {}, replace=True)
    assert rig.dispatcher.channels() == []


def test_a_new_channel_may_start_with_replace(rig):
    rig.sync("alice", {"a": 0}, replace=True)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_other_channels_are_left_alone(rig):
    rig.watch("alice", "a", "b")
    rig.watch("bob", "a", "b")
    rig.sync("alice", {"a": 0}, replace=True)
    assert list(rig.dispatcher.watches("bob")) == ["a", "b"]


def test_a_holder_that_old_and_new_watches_share_lives_on(rig):
    """The missing p.q keeps the index of its holder, though its only watch moves to a key below it."""
    rig.put("p.other")
    rig.watch("alice", "p.q")
    rig.put("p.other")
    rig.sync("alice", {"p.q.r": 0}, replace=True)
    rig.sync("bob", {"p.q": 0})
    assert rig.sent_by(rig.settle) == [
        ("alice", [("p.q.r", State.MISSING, 2, None)]),
        ("bob", [("p.q", State.MISSING, 1, None)]),
    ]


def test_dropped_watches_leave_the_batch_in_flight_to_the_others(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"b": 5}, replace=True)
    assert batch.acknowledge()
    assert rig.dispatcher.watches("alice") == {"b": 5}
