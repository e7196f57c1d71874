"""What a subscriber registers and what it is told first (contract §2, `sync`)."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from types import MappingProxyType

import pytest
from watchtree import DuplicateKey, InvalidKey, KeyTooLong, State, Synced

MAX_INDEX = 2**63 - 1


def test_a_subscriber_that_has_nothing_gets_the_value(rig):
    index = rig.put("app.db", b"v1")
    rig.sync("alice", {"app.db": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("app.db", State.VALUE, index, b"v1")])]


def test_a_subscriber_that_has_nothing_gets_an_empty_value_as_a_value(rig):
    index = rig.put("app", b"")
    rig.sync("alice", {"app": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("app", State.VALUE, index, b"")])]


def test_a_subscriber_that_has_nothing_gets_the_directory(rig):
    index = rig.put("app.db")
    rig.sync("alice", {"app": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("app", State.DIRECTORY, index, None)])]


def test_a_subscriber_that_has_nothing_is_told_that_the_key_is_missing_even_on_an_empty_tree(rig):
    rig.sync("alice", {"app.db": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("app.db", State.MISSING, 0, None)])]


def test_a_subscriber_that_has_nothing_gets_the_root_of_an_empty_tree(rig):
    rig.sync("alice", {"": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("", State.DIRECTORY, 0, None)])]


@pytest.mark.parametrize("key", ["", "dir", "dir.value", "missing", "missing.deeper"])
def test_the_first_notification_is_the_only_one(rig, key):
    rig.put("dir.value")
    rig.sync("alice", {key: 0})
    rig.send_one().acknowledge()
    assert rig.sent_by(rig.settle) == []
    assert rig.state("alice") == "idle"


def test_a_watch_of_a_subscriber_that_has_nothing_is_ready_at_once(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    assert rig.state("alice") == "ready"
    assert rig.dispatcher.channel("alice").ready_watches == 2


def test_first_notifications_stand_in_the_order_of_the_map(rig):
    rig.sync("alice", {"c": 0, "a": 0, "b": 0})
    assert rig.keys_by(rig.dispatch) == [("alice", ["c", "a", "b"])]


def test_a_change_before_the_first_step_is_in_the_first_notification(rig):
    rig.sync("alice", {"a": 0})
    index = rig.put("a", b"new")
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"new")])]


def test_a_subscriber_that_has_the_newest_state_is_told_nothing(rig):
    index = rig.put("a")
    rig.sync("alice", {"a": index})
    assert rig.state("alice") == "idle"
    assert rig.sent_by(rig.dispatch) == []


def test_a_subscriber_that_has_the_newest_state_is_told_the_next_one(rig):
    rig.sync("alice", {"a": rig.put("a")})
    index = rig.put("a", b"next")
    assert rig.sent_by(rig.dispatch) == [("alice", [("a", State.VALUE, index, b"next")])]


def test_a_subscriber_that_has_an_older_state_is_told_at_once(rig):
    known = rig.put("a", b"1")
    index = rig.put("a", b"2")
    rig.sync("alice", {"a": known})
    assert rig.state("alice") == "ready"
    assert rig.sent_by(rig.dispatch) == [("alice", [("a", State.VALUE, index, b"2")])]


def test_a_subscriber_of_a_directory_that_has_an_older_state_is_told_at_once(rig):
    known = rig.put("dir.a")
    index = rig.put("dir.a")
    rig.sync("alice", {"dir": known})
    assert rig.sent_by(rig.dispatch) == [("alice", [("dir", State.DIRECTORY, index, None)])]


def test_a_subscriber_that_missed_the_removal_is_told_at_once(rig):
    known = rig.put("a")
    index = rig.tree.remove("a")
    rig.sync("alice", {"a": known})
    assert rig.sent_by(rig.dispatch) == [("alice", [("a", State.MISSING, index, None)])]


def test_a_known_index_beyond_the_trees_waits_until_the_key_is_beyond_it(rig):
    rig.put("a")
    rig.sync("alice", {"a": 10})
    rig.tree.put("a", b"", index=9)
    assert rig.sent_by(rig.settle) == []
    rig.tree.put("a", b"", index=10)
    assert rig.sent_by(rig.settle) == []
    rig.tree.put("a", b"", index=11)
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, 11, b"")])]


def test_the_greatest_known_index_is_legal(rig):
    rig.sync("alice", {"a": MAX_INDEX})
    assert rig.dispatcher.watches("alice") == {"a": MAX_INDEX}


def test_the_notified_index_of_a_new_watch_is_the_known_one_and_minus_1_for_none(rig):
    rig.sync("alice", {"a": 0, "b": 5})
    assert rig.dispatcher.watches("alice") == {"a": -1, "b": 5}


def test_watches_are_listed_in_key_order(rig):
    rig.sync("alice", {"b": 0, "a!": 0, "a.b": 0, "": 0, "a": 0})
    assert list(rig.dispatcher.watches("alice")) == ["", "a", "a.b", "a!", "b"]


def test_sync_answers_the_id_and_the_index_of_the_tree(rig):
    index = rig.put("a.b.c")
    synced = rig.sync("alice", {"a": 0})
    assert type(synced) is Synced
    assert synced == (rig.tree.id, index)


def test_sync_answers_the_same_where_it_makes_no_channel(rig):
    assert rig.sync("alice", {}) == (rig.tree.id, 0)


def test_channels_on_one_key_are_told_each_for_itself(rig):
    old, new = rig.put("a", b"1"), rig.put("a", b"2")
    rig.sync("alice", {"a": old})
    rig.sync("bob", {"a": new})
    rig.sync("carol", {"a": 0})
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"]), ("carol", ["a"])]


KNOWN = {
    "dict": {"a": 0, "b": 0},
    "OrderedDict": OrderedDict(a=0, b=0),
    "read-only dict": MappingProxyType({"a": 0, "b": 0}),
    "a mapping that is no dict": UserDict({"a": 0, "b": 0}),
    "list of pairs": [("a", 0), ("b", 0)],
    "tuple of pairs": (("a", 0), ("b", 0)),
    "items": {"a": 0, "b": 0}.items(),
}


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_known_is_any_mapping_or_iterable_of_pairs(rig, known):
    rig.sync("alice", known)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"])]


def test_known_may_be_a_generator_of_pairs(rig):
    rig.sync("alice", ((key, 0) for key in "ab"))
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"])]


REFUSED = {
    "a bad key": ([("b", 0), ("a..b", 0)], InvalidKey),
    "a bad key to be unwatched": ([("b", 0), (".", -1)], InvalidKey),
    "a long key": ([("b", 0), ("k" * 8193, 0)], KeyTooLong),
    "an index below -1": ([("b", 0), ("c", -2)], ValueError),
    "an index far below -1": ([("b", 0), ("c", -(2**64))], ValueError),
    "an index above the greatest": ([("b", 0), ("c", MAX_INDEX + 1)], ValueError),
    "an index far above the greatest": ([("b", 0), ("c", 2**64)], ValueError),
    "a key named twice": ([("b", 0), ("c", 0), ("b", 0)], DuplicateKey),
    "a key named twice with different indexes": ([("b", 0), ("b", -1)], DuplicateKey),
}
refused = pytest.mark.parametrize(("known", "error"), REFUSED.values(), ids=REFUSED)


@refused
@pytest.mark.parametrize("replace", [False, True])
def test_a_refused_sync_changes_nothing_for_a_channel(rig, known, error, replace):
    rig.watch("alice", "a", "b")
    before = rig.dispatcher.watches("alice"), rig.dispatcher.stats()
    with pytest.raises(error):
        rig.sync("alice", known, replace)
    assert (rig.dispatcher.watches("alice"), rig.dispatcher.stats()) == before
    assert rig.sent_by(rig.dispatch) == []


@refused
def test_a_refused_sync_makes_no_channel(rig, known, error):
    with pytest.raises(error):
        rig.sync("alice", known)
    assert rig.dispatcher.channels() == []
    assert rig.dispatcher.stats().holders == 0


def test_a_refused_sync_is_no_activity(rig):
    rig.watch("alice", "a")
    rig.advance(119)
    with pytest.raises(InvalidKey):
        rig.sync("alice", {"..": 0})
    rig.advance(1)
    rig.dispatch()
    assert rig.dispatcher.channels() == []


def test_an_error_of_sync_names_the_key(rig):
    with pytest.raises(DuplicateKey) as caught:
        rig.sync("alice", [("twice", 0), ("twice", 0)])
    assert caught.value.key == "twice"
