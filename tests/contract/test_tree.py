"""The operations on the tree, each row of the table and each of its failures (contract §1)."""

from __future__ import annotations

from array import array

import pytest
from rig import Rig, image
from watchtree import (
    CompareFailed,
    Config,
    DirectoryExists,
    HasChildren,
    InvalidKey,
    IsDirectory,
    Node,
    NotDirectory,
    NotFound,
    ParentNotDirectory,
    ParentNotFound,
    Tree,
    ValueExists,
    ValueTooLong,
)


def plant(tree: Tree) -> Tree:
    tree.put("value", b"v")
    tree.mkdir("dir")
    tree.put("dir.child", b"c")
    tree.mkdir("empty")
    return tree


@pytest.fixture
def tree() -> Tree:
    return plant(Tree())


CHANGE_FAILURES = {
    "put, the parent is missing": (lambda t: t.put("no.key", b""), ParentNotFound),
    "put, the parent below a value is missing": (lambda t: t.put("value.no.key", b""), ParentNotFound),
    "put, the parent is a value": (lambda t: t.put("value.key", b""), ParentNotDirectory),
    "put over a directory": (lambda t: t.put("dir", b""), IsDirectory),
    "put over an empty directory": (lambda t: t.put("empty", b""), IsDirectory),
    "put over the root": (lambda t: t.put("", b""), IsDirectory),
    "put with parents, the parent is a value": (lambda t: t.put("value.k", b"", parents=True), ParentNotDirectory),
    "put with parents, an ancestor is a value": (lambda t: t.put("value.n.k", b"", parents=True), ParentNotDirectory),
    "put with parents over a directory": (lambda t: t.put("dir", b"", parents=True), IsDirectory),
    "put with parents over the root": (lambda t: t.put("", b"", parents=True), IsDirectory),
    "put of a long value": (lambda t: t.put("new", bytes((1 << 20) + 1)), ValueTooLong),
    "put with parents of a long value": (lambda t: t.put("n.k", bytes((1 << 20) + 1), parents=True), ValueTooLong),
    "mkdir, the parent is missing": (lambda t: t.mkdir("no.key"), ParentNotFound),
    "mkdir, the parent below a value is missing": (lambda t: t.mkdir("value.no.key"), ParentNotFound),
    "mkdir, the parent is a value": (lambda t: t.mkdir("value.key"), ParentNotDirectory),
    "mkdir of a directory": (lambda t: t.mkdir("dir"), DirectoryExists),
    "mkdir of a value": (lambda t: t.mkdir("value"), ValueExists),
    "mkdir of the root": (lambda t: t.mkdir(""), DirectoryExists),
    "mkdir with parents, the parent is a value": (lambda t: t.mkdir("value.k", parents=True), ParentNotDirectory),
    "mkdir with parents, an ancestor is a value": (lambda t: t.mkdir("value.n.k", parents=True), ParentNotDirectory),
    "mkdir with parents of a directory": (lambda t: t.mkdir("dir", parents=True), DirectoryExists),
    "mkdir with parents of a value": (lambda t: t.mkdir("value", parents=True), ValueExists),
    "mkdir with parents of the root": (lambda t: t.mkdir("", parents=True), DirectoryExists),
    "remove of a missing key": (lambda t: t.remove("no"), NotFound),
    "remove below a missing key": (lambda t: t.remove("no.key"), NotFound),
    "remove below a value": (lambda t: t.remove("value.key"), NotFound),
    "remove of a directory with children": (lambda t: t.remove("dir"), HasChildren),
    "remove of the root": (lambda t: t.remove(""), InvalidKey),
    "remove recursive of a missing key": (lambda t: t.remove("no", recursive=True), NotFound),
    "remove recursive of the root": (lambda t: t.remove("", recursive=True), InvalidKey),
    "compare_and_set, another value": (lambda t: t.compare_and_set("value", b"w", b"x"), CompareFailed),
    "compare_and_set, a longer value": (lambda t: t.compare_and_set("value", b"v\0", b"x"), CompareFailed),
    "compare_and_set, none is not empty": (lambda t: t.compare_and_set("no", b"", b"x"), CompareFailed),
    "compare_and_set, value expected of a missing key": (lambda t: t.compare_and_set("no", b"v", b"x"), CompareFailed),
    "compare_and_set, none expected of a value": (lambda t: t.compare_and_set("value", None, b"x"), CompareFailed),
    "compare_and_set, removal of another value": (lambda t: t.compare_and_set("value", b"w", None), CompareFailed),
    "compare_and_set, removal of none from a value": (lambda t: t.compare_and_set("value", None, None), CompareFailed),
    "compare_and_set, removal of a missing value": (lambda t: t.compare_and_set("no", b"v", None), CompareFailed),
    "compare_and_set, removal of nothing": (lambda t: t.compare_and_set("no", None, None), NotFound),
    "compare_and_set, removal of nothing further down": (lambda t: t.compare_and_set("no.k", None, None), NotFound),
    "compare_and_set of a directory": (lambda t: t.compare_and_set("dir", None, b"x"), IsDirectory),
    "compare_and_set of a directory as a value": (lambda t: t.compare_and_set("empty", b"", b"x"), IsDirectory),
    "compare_and_set, removal of a directory": (lambda t: t.compare_and_set("empty", b"", None), IsDirectory),
    "compare_and_set, removal of none from a directory": (lambda t: t.compare_and_set("dir", None, None), IsDirectory),
    "compare_and_set of the root": (lambda t: t.compare_and_set("", None, b"x"), IsDirectory),
    "compare_and_set, the parent is missing": (lambda t: t.compare_and_set("no.key", None, b"x"), ParentNotFound),
    "compare_and_set, the parent is a value": (lambda t: t.compare_and_set("value.k", None, b"x"), ParentNotDirectory),
    "compare_and_set, value expected below a value": (lambda t: t.compare_and_set("value.k", b"", b""), CompareFailed),
    "compare_and_set to a long value": (lambda t: t.compare_and_set("value", b"v", bytes((1 << 20) + 1)), ValueTooLong),
}

READ_FAILURES = {
    "get of a missing key": (lambda t: t.get("no"), NotFound),
    "get below a missing key": (lambda t: t.get("no.key"), NotFound),
    "get below a value": (lambda t: t.get("value.key"), NotFound),
    "get of a key that a part of another begins": (lambda t: t.get("di"), NotFound),
    "list of a missing key": (lambda t: t.list("no"), NotFound),
    "list below a value": (lambda t: t.list("value.key"), NotFound),
    "list of a value": (lambda t: t.list("value"), NotDirectory),
}

FAILURES = CHANGE_FAILURES | READ_FAILURES


@pytest.mark.parametrize(("call", "error"), FAILURES.values(), ids=FAILURES)
def test_a_failed_operation_raises_its_error_and_changes_nothing(tree, call, error):
    before = image(tree)
    with pytest.raises(error) as caught:
        call(tree)
    assert type(caught.value) is error
    assert image(tree) == before
    tree.verify()


@pytest.mark.parametrize(("call", "error"), CHANGE_FAILURES.values(), ids=CHANGE_FAILURES)
def test_a_failed_operation_tells_no_watcher(call, error):
    rig = Rig()
    plant(rig.tree)
    rig.watch("alice", "", "value", "value.key", "value.n", "dir", "dir.child", "empty", "no", "no.key", "new", "n.k")
    with pytest.raises(error):
        call(rig.tree)
    assert rig.dispatcher.stats().changed_holders == 0
    assert rig.sent_by(rig.dispatch) == []


def test_put_of_a_new_key_makes_a_value(tree):
    index = tree.put("dir.new", b"x")
    assert tree.get("dir.new") == Node("dir.new", b"x", False, index, index)


def test_put_of_a_value_replaces_it(tree):
    index = tree.put("value", b"new")
    assert tree.get("value") == Node("value", b"new", False, 1, index)


def test_an_empty_value_is_a_value(tree):
    tree.put("new", b"")
    assert tree.get("new").value == b""
    assert not tree.get("new").is_directory


@pytest.mark.parametrize("value", [b"\0", bytes(range(256)), b"\xff\xfe", "😀".encode()])
def test_a_value_is_any_bytes(tree, value):
    tree.put("new", value)
    assert tree.get("new").value == value


BUFFERS = {
    "bytearray": bytearray(b"abcd"),
    "memoryview": memoryview(b"abcd"),
    "slice of a memoryview": memoryview(b"xabcdx")[1:5],
    "array of bytes": array("B", b"abcd"),
    "array of numbers": array("h", [1, 2]),
    "memoryview of numbers": memoryview(array("i", [7])),
}


@pytest.mark.parametrize("value", BUFFERS.values(), ids=BUFFERS)
def test_a_value_is_taken_from_any_contiguous_buffer(tree, value):
    tree.put("new", value)
    assert tree.get("new").value == bytes(value)
    assert type(tree.get("new").value) is bytes


def test_a_value_is_copied(tree):
    value = bytearray(b"before")
    tree.put("new", value)
    value[:] = b"after!"
    assert tree.get("new").value == b"before"


def test_a_value_may_have_1_mib(tree):
    tree.put("new", bytes(1 << 20))
    assert len(tree.get("new").value) == 1 << 20


def test_the_limit_of_a_value_is_set_with_the_tree():
    tree = Tree(config=Config(max_value_bytes=0))
    tree.put("new", b"")
    with pytest.raises(ValueTooLong):
        tree.put("new", b"x")
    with pytest.raises(ValueTooLong):
        tree.compare_and_set("new", b"", b"x")


def test_an_expected_value_may_have_any_length(tree):
    with pytest.raises(CompareFailed):
        tree.compare_and_set("value", bytes((1 << 20) + 1), b"x")


def test_put_with_parents_makes_the_missing_directories(tree):
    tree.put("dir.p.q.leaf", b"x", parents=True)
    assert [tree.get(key).is_directory for key in ("dir.p", "dir.p.q", "dir.p.q.leaf")] == [True, True, False]


def test_put_with_parents_needs_no_missing_parent(tree):
    assert tree.put("dir.new", b"x", parents=True) == tree.index
    assert tree.put("dir.new", b"y", parents=True) == tree.index
    assert tree.put("top", b"y", parents=True) == tree.index


def test_mkdir_makes_an_empty_directory(tree):
    index = tree.mkdir("dir.new")
    assert tree.get("dir.new") == Node("dir.new", None, True, index, index)
    assert tree.list("dir.new") == []


def test_mkdir_with_parents_makes_the_missing_directories(tree):
    index = tree.mkdir("p.q.r", parents=True)
    assert tree.get_many(["p", "p.q", "p.q.r"]) == [
        Node(key, None, True, index, index) for key in ("p", "p.q", "p.q.r")
    ]


def test_remove_takes_a_value_away(tree):
    tree.remove("dir.child")
    assert "dir.child" not in tree
    assert tree.list("dir") == []


def test_remove_takes_an_empty_directory_away(tree):
    tree.remove("empty")
    assert "empty" not in tree


def test_a_directory_that_lost_its_children_is_still_one(tree):
    tree.remove("dir.child")
    assert tree.get("dir").is_directory


@pytest.mark.parametrize("key", ["value", "empty"])
def test_remove_recursive_takes_a_node_without_children_away(tree, key):
    tree.remove(key, recursive=True)
    assert key not in tree


def test_remove_recursive_takes_everything_below_away_as_one_change(tree):
    tree.put("dir.a.b.c", b"", parents=True)
    index = tree.remove("dir", recursive=True)
    assert index == tree.index == 6
    assert list(tree) == ["empty", "value"]
    assert tree.get_many(["dir", "dir.child", "dir.a", "dir.a.b", "dir.a.b.c"]) == [None] * 5


def test_a_key_may_be_a_value_and_then_a_directory(tree):
    tree.remove("value")
    tree.mkdir("value")
    tree.put("value.child", b"x")
    assert tree.get("value").is_directory


def test_compare_and_set_replaces_the_expected_value(tree):
    index = tree.compare_and_set("value", b"v", b"w")
    assert tree.get("value") == Node("value", b"w", False, 1, index)


def test_compare_and_set_makes_a_key_where_none_is_expected(tree):
    index = tree.compare_and_set("dir.new", None, b"w")
    assert tree.get("dir.new") == Node("dir.new", b"w", False, index, index)


def test_compare_and_set_removes_the_expected_value(tree):
    index = tree.compare_and_set("value", b"v", None)
    assert "value" not in tree
    assert tree.index == index == 5


def test_compare_and_set_tells_an_empty_value_from_a_missing_key(tree):
    tree.compare_and_set("new", None, b"")
    tree.compare_and_set("new", b"", None)
    assert "new" not in tree


def test_get_many_answers_each_key_and_none_for_a_missing_one(tree):
    assert tree.get_many(["no", "value", "", "value", "value.k"]) == [
        None,
        tree.get("value"),
        tree.get(""),
        tree.get("value"),
        None,
    ]
    assert tree.get_many([]) == []


def test_get_many_takes_any_iterable(tree):
    assert tree.get_many(key for key in ("value", "no")) == [tree.get("value"), None]


def test_list_answers_the_children_of_a_directory_and_not_theirs(tree):
    tree.put("dir.a.b", b"", parents=True)
    assert tree.list("dir") == [tree.get("dir.a"), tree.get("dir.child")]


def test_list_answers_the_children_of_the_root_when_no_key_is_given(tree):
    assert [node.key for node in tree.list()] == ["dir", "empty", "value"]
    assert tree.list("") == tree.list()


def test_list_answers_a_list(tree):
    assert isinstance(tree.list(), list)


def test_the_length_of_a_tree_is_the_number_of_nodes_below_the_root(tree):
    assert len(tree) == 4
    assert len(Tree()) == 0


def test_iteration_yields_every_key_below_the_root_in_key_order(tree):
    assert list(tree) == ["dir", "dir.child", "empty", "value"]


def test_iteration_yields_the_keys_as_they_were_when_it_began(tree):
    keys = iter(tree)
    tree.remove("dir", recursive=True)
    tree.put("zero", b"")
    assert list(keys) == ["dir", "dir.child", "empty", "value"]


def test_a_key_is_in_the_tree_while_it_exists(tree):
    assert "dir.child" in tree
    tree.remove("dir.child")
    assert "dir.child" not in tree


def test_every_tree_has_an_id_of_its_own():
    assert len({Tree().id for _ in range(100)}) == 100


def test_a_tree_keeps_its_id(tree):
    before = tree.id
    tree.put("new", b"")
    assert tree.id == before
