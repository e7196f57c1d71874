"""Several changes under one index (contract §1, `batch`)."""

from __future__ import annotations

import pytest
from rig import image
from watchtree import (
    CompareAndSet,
    CompareFailed,
    DirectoryExists,
    HasChildren,
    InvalidKey,
    IsDirectory,
    KeyTooLong,
    Mkdir,
    NotFound,
    ParentNotDirectory,
    ParentNotFound,
    Put,
    Remove,
    StaleIndex,
    State,
    Tree,
    ValueExists,
    ValueTooLong,
)


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.put("value", b"v")
    tree.put("dir.child", b"c", parents=True)
    return tree


FAILING = {
    "Put, bad key": (Put("a..b", b""), InvalidKey),
    "Put, long key": (Put("k" * 8193, b""), KeyTooLong),
    "Put, long value": (Put("new", bytes((1 << 20) + 1)), ValueTooLong),
    "Put, no parent": (Put("no.key", b""), ParentNotFound),
    "Put, value as parent": (Put("value.key", b""), ParentNotDirectory),
    "Put with parents, value above": (Put("value.no.key", b"", parents=True), ParentNotDirectory),
    "Put, directory": (Put("dir", b""), IsDirectory),
    "Put, root": (Put("", b""), IsDirectory),
    "Mkdir, bad key": (Mkdir("."), InvalidKey),
    "Mkdir, no parent": (Mkdir("no.key"), ParentNotFound),
    "Mkdir, value as parent": (Mkdir("value.key"), ParentNotDirectory),
    "Mkdir, directory": (Mkdir("dir"), DirectoryExists),
    "Mkdir, value": (Mkdir("value"), ValueExists),
    "Mkdir, root": (Mkdir(""), DirectoryExists),
    "Remove, missing": (Remove("no"), NotFound),
    "Remove, children": (Remove("dir"), HasChildren),
    "Remove, root": (Remove("", recursive=True), InvalidKey),
    "CompareAndSet, other value": (CompareAndSet("value", b"w", b""), CompareFailed),
    "CompareAndSet, directory": (CompareAndSet("dir", None, None), IsDirectory),
    "CompareAndSet, nothing": (CompareAndSet("no", None, None), NotFound),
    "CompareAndSet, no parent": (CompareAndSet("no.key", None, b""), ParentNotFound),
    "CompareAndSet, value as parent": (CompareAndSet("value.key", None, b""), ParentNotDirectory),
}
failing = pytest.mark.parametrize(("operation", "error"), FAILING.values(), ids=FAILING)


def test_a_batch_answers_one_index_for_all_that_succeed(tree):
    answers = tree.batch(
        [
            Put("value", b"w"),
            Mkdir("new"),
            Remove("dir.child"),
            CompareAndSet("value", b"w", b"x"),
            Put("p.q", b"", True),
        ]
    )
    assert answers == [3] * 5
    assert tree.index == 3
    tree.verify()


def test_a_batch_does_what_its_items_say(tree):
    tree.batch([Put("p.q", b"1", parents=True), Mkdir("m.n", parents=True), Remove("dir", recursive=True)])
    tree.batch([CompareAndSet("value", b"v", None), CompareAndSet("new", None, b"2")])
    assert list(tree) == ["m", "m.n", "new", "p", "p.q"]
    assert (tree.get("p.q").value, tree.get("new").value) == (b"1", b"2")


@failing
def test_a_failed_item_is_answered_with_its_exception(tree, operation, error):
    [answer] = tree.batch([operation])
    assert type(answer) is error
    assert str(answer)


@failing
def test_a_batch_in_which_nothing_succeeds_uses_no_index(tree, operation, error):
    before = image(tree)
    tree.batch([operation, operation], index=50)
    assert image(tree) == before
    tree.verify()


@failing
def test_a_failed_item_leaves_the_others_alone(tree, operation, error):
    answers = tree.batch([Put("before", b"1"), operation, Put("after", b"2")], index=50)
    assert answers[0] == answers[2] == tree.index == 50
    assert type(answers[1]) is error
    assert tree.get_many(["before", "after"]) == [tree.get("before"), tree.get("after")]


def test_a_failed_item_has_its_fields(tree):
    missing, too_long = tree.batch([Remove("no.key"), Put("k" * 8193, b"")])
    assert missing.key == "no.key"
    assert too_long.limit == 8192


def test_an_empty_batch_answers_nothing_and_uses_no_index(tree):
    assert tree.batch([]) == []
    assert tree.index == 2


def test_items_see_what_earlier_items_did(tree):
    answers = tree.batch(
        [
            Mkdir("a"),
            Put("a.b", b"1"),
            CompareAndSet("a.b", b"1", b"2"),
            Remove("a"),
            Remove("a.b"),
            Remove("a"),
            Remove("a"),
        ]
    )
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [
        3, 3, 3, HasChildren, 3, 3, NotFound
    ]  # fmt: skip


def test_a_key_removed_and_made_in_one_batch_is_a_new_one(tree):
    tree.batch([Remove("value"), Put("value", b"w")])
    assert (tree.get("value").create_index, tree.get("value").update_index) == (3, 3)


def test_operations_may_come_from_any_iterable(tree):
    assert tree.batch(Put(key, b"") for key in "ab") == [3, 3]
    assert tree.batch((Put("c", b""),)) == [4]


def test_operations_are_read_before_anything_is_done(tree):
    def operations():
        yield Put("a", b"")
        tree.put("b", b"")
        yield Put("c", b"")

    assert tree.batch(operations()) == [4, 4]
    assert [tree.get(key).update_index for key in "abc"] == [4, 3, 4]


def test_an_error_of_the_iterable_is_raised_and_nothing_has_changed(tree):
    def operations():
        yield Put("a", b"")
        raise LookupError("midway")

    before = image(tree)
    with pytest.raises(LookupError, match="midway"):
        tree.batch(operations())
    assert image(tree) == before


def test_a_batch_takes_the_index_that_is_given(tree):
    assert tree.batch([Put("a", b""), Put("b", b"")], index=50) == [50, 50]
    assert tree.put("c", b"") == 51


@pytest.mark.parametrize("index", [2, 1, 0, -1])
def test_a_stale_index_refuses_the_whole_batch(tree, index):
    before = image(tree)
    with pytest.raises(StaleIndex):
        tree.batch([Put("a", b""), Put("b", b"")], index=index)
    assert image(tree) == before


NO_OPERATIONS = {
    "None": None,
    "a str": "put",
    "a tuple": ("a", b""),
    "a dict": {"key": "a", "value": b""},
    "the class": Put,
    "an int": 1,
    "a key that is no str": Put(7, b""),
    "a key that is bytes": Mkdir(b"a"),
    "a key that is None": Remove(None),
    "a value that is a str": Put("a", "text"),
    "a value that is None": Put("a", None),
    "an expected value that is an int": CompareAndSet("a", 7, b""),
    "a new value that is a str": CompareAndSet("a", None, "text"),
    "parents that is a str": Put("a", b"", parents="yes"),
    "recursive that is None": Remove("value", recursive=None),
}


@pytest.mark.parametrize("item", NO_OPERATIONS.values(), ids=NO_OPERATIONS)
def test_an_item_that_is_no_operation_refuses_the_whole_call(tree, item):
    before = image(tree)
    with pytest.raises(TypeError):
        tree.batch([Put("before", b""), item, Put("after", b"")])
    assert image(tree) == before
    tree.verify()


def test_watchers_see_a_batch_together(rig):
    rig.watch("alice", "a", "b")
    [index, _] = rig.tree.batch([Put("b", b"1"), Put("a", b"2")])
    assert rig.sent_by(rig.dispatch) == [
        ("alice", [("b", State.VALUE, index, b"1"), ("a", State.VALUE, index, b"2")]),
    ]


def test_watchers_see_only_the_last_state_of_a_key_in_a_batch(rig):
    rig.watch("alice", "a")
    [index, _, _] = rig.tree.batch([Put("a", b"1"), Remove("a"), Put("a", b"2")])
    assert rig.sent_by(rig.dispatch) == [("alice", [("a", State.VALUE, index, b"2")])]


def test_a_key_made_and_removed_in_one_batch_is_missing_at_its_index(rig):
    rig.watch("alice", "a")
    [index, _] = rig.tree.batch([Put("a", b"1"), Remove("a")])
    assert rig.sent_by(rig.dispatch) == [("alice", [("a", State.MISSING, index, None)])]
