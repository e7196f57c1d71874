"""Watches on keys that do not exist, no longer or not yet (contract §2, Watches and Where a watch hangs)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Holder, State

VALUE, DIRECTORY, MISSING = State.VALUE, State.DIRECTORY, State.MISSING


def first_state(rig, key):
    """What a new subscriber that has nothing is told about a key."""
    rig.sync("newcomer", {key: 0}, replace=True)
    [(_, [(_, state, index, value)])] = [sent for sent in rig.sent_by(rig.settle) if sent[0] == "newcomer"]
    return state, index, value


def test_the_index_of_a_missing_key_is_that_of_the_nearest_existing_ancestor(rig):
    rig.tree.put("p.q.r", b"", parents=True, index=5)
    rig.tree.put("other", b"", index=9)
    assert first_state(rig, "p.q.missing.deeper") == (MISSING, 5, None)


def test_the_nearest_existing_ancestor_may_be_the_root(rig):
    rig.tree.put("other", b"", index=9)
    assert first_state(rig, "p.q") == (MISSING, 9, None)


def test_the_nearest_existing_ancestor_may_be_a_value(rig):
    rig.tree.put("value", b"", index=5)
    rig.tree.put("other", b"", index=9)
    assert first_state(rig, "value.below") == (MISSING, 5, None)


def test_a_key_that_only_begins_like_another_is_missing(rig):
    rig.put("apple")
    assert first_state(rig, "app") == (MISSING, 1, None)


def test_the_index_of_a_missing_key_does_not_move_while_it_is_watched(rig):
    rig.tree.put("p.other", b"", parents=True, index=5)
    rig.watch("alice", "p.q")
    rig.tree.put("p.other", b"", index=6)
    assert rig.sent_by(rig.settle) == []
    assert first_state(rig, "p.q") == (MISSING, 5, None)


def test_the_index_of_a_missing_key_is_forgotten_with_its_last_watch(rig):
    rig.tree.put("p.other", b"", parents=True, index=5)
    rig.watch("alice", "p.q")
    rig.tree.put("p.other", b"", index=6)
    rig.dispatcher.close("alice")
    assert first_state(rig, "p.q") == (MISSING, 6, None)


def test_the_index_of_a_missing_key_is_kept_by_the_holder_of_a_key_below_it(rig):
    rig.tree.put("p.other", b"", parents=True, index=5)
    rig.watch("alice", "p.q.r")
    rig.tree.put("p.other", b"", index=6)
    assert first_state(rig, "p.q") == (MISSING, 5, None)


def test_the_index_of_a_removed_key_is_that_of_its_removal(rig):
    rig.put("p.q")
    rig.watch("alice", "p.q")
    rig.tree.remove("p.q", index=7)
    rig.tree.put("p.other", b"", index=8)
    assert rig.sent_by(rig.settle) == [("alice", [("p.q", MISSING, 7, None)])]
    assert first_state(rig, "p.q") == (MISSING, 7, None)


def test_the_index_of_a_key_removed_unwatched_is_that_of_the_nearest_existing_ancestor(rig):
    rig.put("p.q")
    rig.tree.remove("p.q", index=7)
    rig.tree.put("p.other", b"", index=8)
    assert first_state(rig, "p.q") == (MISSING, 8, None)


def test_a_directory_removed_over_a_watched_key_is_missing_at_the_removals_index(rig):
    rig.put("p.q.r")
    rig.watch("alice", "p.q.r")
    rig.tree.remove("p.q", recursive=True, index=7)
    rig.tree.put("p.other", b"", index=8)
    assert first_state(rig, "p.q") == (MISSING, 7, None)


def test_a_value_removed_over_a_missing_key_is_missing_at_the_removals_index(rig):
    rig.put("value")
    rig.watch("alice", "value.below")
    rig.tree.remove("value", index=7)
    rig.tree.put("other", b"", index=8)
    assert rig.sent_by(rig.settle) == []
    assert first_state(rig, "value") == (MISSING, 7, None)


def test_a_missing_key_that_is_made_is_sent(rig):
    rig.watch("alice", "p.q")
    index = rig.put("p.q", b"v")
    assert rig.sent_by(rig.settle) == [("alice", [("p.q", VALUE, index, b"v")])]


def test_a_missing_key_that_is_made_as_a_directory_is_sent(rig):
    rig.watch("alice", "p.q")
    index = rig.put("p.q.r")
    assert rig.sent_by(rig.settle) == [("alice", [("p.q", DIRECTORY, index, None)])]


def test_a_missing_key_is_sent_when_its_path_grows_part_by_part(rig):
    rig.watch("alice", "p.q.r")
    rig.tree.mkdir("p")
    rig.tree.mkdir("p.q")
    assert rig.sent_by(rig.settle) == []
    index = rig.tree.put("p.q.r", b"v")
    assert rig.sent_by(rig.settle) == [("alice", [("p.q.r", VALUE, index, b"v")])]


@pytest.mark.parametrize("known", [0, 1])
def test_a_directory_made_above_a_missing_key_sends_nothing_for_it(rig, known):
    rig.put("other")
    rig.sync("alice", {"p.q.r": known})
    rig.settle()
    rig.tree.mkdir("p")
    rig.tree.put("p.q", b"a value even")
    assert rig.sent_by(rig.settle) == []
    assert first_state(rig, "p.q.r") == (MISSING, 1, None)


@pytest.mark.parametrize("recursive", [False, True])
def test_a_directory_removed_above_a_missing_key_sends_nothing_for_it(rig, recursive):
    rig.tree.mkdir("p.q", parents=True)
    rig.watch("alice", "p.q.r")
    rig.tree.remove("p.q", recursive=recursive)
    rig.tree.remove("p", recursive=recursive)
    assert rig.sent_by(rig.settle) == []
    assert first_state(rig, "p.q.r") == (MISSING, 1, None)


def test_a_missing_key_that_the_subscriber_knows_is_not_sent_again(rig):
    rig.put("p.q")
    index = rig.tree.remove("p.q")
    rig.sync("alice", {"p.q": index})
    assert rig.sent_by(rig.settle) == []


def test_a_key_removed_is_sent_to_each_of_its_watchers(rig):
    rig.put("p.q")
    rig.watch("alice", "p.q")
    rig.watch("bob", "p.q")
    index = rig.tree.remove("p.q")
    gone = [("p.q", MISSING, index, None)]
    assert rig.sent_by(rig.dispatch) == [("alice", gone), ("bob", gone)]


def test_a_recursive_removal_is_sent_for_each_watched_key_below_with_one_index(rig):
    rig.put("p.q.r")
    rig.put("p.s")
    rig.watch("alice", "p.q.r", "p.q", "p.s", "p", "p.never")
    index = rig.tree.remove("p", recursive=True)
    assert rig.sent_by(rig.dispatch) == [
        ("alice", [(key, MISSING, index, None) for key in ("p.q.r", "p.q", "p.s", "p")]),
    ]


def test_a_key_removed_and_made_again_before_the_step_is_sent_once_in_its_newest_state(rig):
    rig.put("app.db", b"v1")
    rig.watch("alice", "app.db")
    rig.tree.remove("app.db")
    index = rig.tree.put("app.db", b"v2")
    assert rig.sent_by(rig.settle) == [("alice", [("app.db", VALUE, index, b"v2")])]


def test_a_key_made_and_removed_again_before_the_step_is_sent_as_missing(rig):
    rig.watch("alice", "a")
    rig.put("a")
    index = rig.tree.remove("a")
    assert rig.sent_by(rig.settle) == [("alice", [("a", MISSING, index, None)])]


def test_a_value_that_became_a_directory_is_sent_as_one(rig):
    rig.put("a")
    rig.watch("alice", "a", "a.b")
    rig.tree.remove("a")
    index = rig.put("a.b", b"v")
    assert sorted(rig.sent_by(rig.settle)[0][1]) == [("a", DIRECTORY, index, None), ("a.b", VALUE, index, b"v")]


def test_a_change_below_a_directory_is_sent_to_its_watcher_at_any_depth(rig):
    rig.put("a.b.c.d")
    rig.watch("alice", "a")
    index = rig.put("a.b.c.d")
    assert rig.sent_by(rig.settle) == [("alice", [("a", DIRECTORY, index, None)])]


def test_a_watch_that_moved_to_a_missing_key_and_back_still_works(rig):
    rig.put("p.q.r")
    rig.watch("alice", "p.q.r")
    for _ in range(3):
        removed = rig.tree.remove("p", recursive=True)
        assert rig.sent_by(rig.settle) == [("alice", [("p.q.r", MISSING, removed, None)])]
        made = rig.put("p.q.r", b"again")
        assert rig.sent_by(rig.settle) == [("alice", [("p.q.r", VALUE, made, b"again")])]


HOLDERS = {
    "the root": ([], [""], 1),
    "an existing value": (["p.q.r"], ["p.q.r"], 1),
    "an existing directory": (["p.q.r"], ["p.q"], 1),
    "existing keys of one path": (["p.q.r"], ["p.q.r", "p"], 2),
    "a missing key below the root": ([], ["a"], 2),
    "a missing key deep below the root": ([], ["a.b.c"], 4),
    "a missing key below a directory": (["p.q"], ["p.x"], 2),
    "a missing key deep below a value": (["p.q"], ["p.q.x.y"], 3),
    "two missing keys that share a part": ([], ["a.b", "a.c"], 4),
    "a missing key and one above it": ([], ["a.b", "a"], 3),
}


@pytest.mark.parametrize(("values", "keys", "holders"), HOLDERS.values(), ids=HOLDERS)
def test_a_watch_hangs_on_its_node_or_below_the_nearest_existing_one(values, keys, holders):
    rig = Rig()
    for key in values:
        rig.put(key)
    rig.sync("alice", dict.fromkeys(keys, 0))
    rig.sync("bob", dict.fromkeys(keys, 0))
    assert rig.dispatcher.stats().holders == holders
    rig.dispatcher.close("alice")
    rig.dispatcher.close("bob")
    assert rig.dispatcher.stats().holders == 0


@pytest.mark.parametrize(("values", "keys", "holders"), HOLDERS.values(), ids=HOLDERS)
def test_the_holders_are_the_same_whatever_came_before(values, keys, holders):
    """Watched on an empty tree, then made, removed and made again: the same as watched at the end."""
    rig = Rig()
    rig.sync("alice", dict.fromkeys(keys, 0))
    for _ in range(2):
        rig.put("p.q.r.s")
        rig.put("a.b.c.d")
        rig.tree.remove("p", recursive=True)
        rig.tree.remove("a", recursive=True)
        rig.verify()
    for key in values:
        rig.put(key)
    assert rig.dispatcher.stats().holders == holders


def test_the_holders_say_where_the_watches_of_each_key_hang(rig):
    rig.put("a.b")
    rig.sync("alice", {"a.b": 0, "a.x.y": 0, "": 5})
    rig.sync("bob", {"a.b": 0})
    assert rig.dispatcher.holders() == [
        Holder("", True, 1, 1, False),
        Holder("a", True, 0, 1, False),
        Holder("a.b", True, 2, 1, False),
        Holder("a.x", False, 0, 1, False),
        Holder("a.x.y", False, 1, 1, False),
    ]
    index = rig.put("a.b")
    assert [holder.key for holder in rig.dispatcher.holders() if holder.queued] == ["", "a.b"]
    made = rig.put("a.x")
    assert Holder("a.x", True, 0, made, False) in rig.dispatcher.holders()
    assert Holder("a.b", True, 2, index, True) in rig.dispatcher.holders()
    rig.dispatcher.close("alice")
    rig.dispatcher.close("bob")
    assert rig.dispatcher.holders() == []


def test_a_key_made_takes_its_holder_from_the_one_above(rig):
    rig.sync("alice", {"p.q": 0})
    assert rig.dispatcher.stats().holders == 3
    rig.tree.mkdir("p")
    assert rig.dispatcher.stats().holders == 2
    rig.tree.put("p.q", b"")
    assert rig.dispatcher.stats().holders == 1


def test_a_key_removed_hangs_its_holder_below_the_one_above(rig):
    rig.put("p.q")
    rig.sync("alice", {"p.q": 0})
    assert rig.dispatcher.stats().holders == 1
    rig.tree.remove("p.q")
    assert rig.dispatcher.stats().holders == 2
    rig.tree.remove("p")
    assert rig.dispatcher.stats().holders == 3
