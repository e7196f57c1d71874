"""Which index a change carries and which nodes keep it (contract §1, Indexes)."""

from __future__ import annotations

import pytest
from rig import image
from watchtree import CompareAndSet, NotFound, Put, StaleIndex, Tree

MAX_INDEX = 2**63 - 1

CHANGES = {
    "put": lambda tree, index: tree.put("new", b"", index=index),
    "put over": lambda tree, index: tree.put("value", b"", index=index),
    "put with parents": lambda tree, index: tree.put("p.q", b"", parents=True, index=index),
    "mkdir": lambda tree, index: tree.mkdir("new", index=index),
    "remove": lambda tree, index: tree.remove("value", index=index),
    "remove recursive": lambda tree, index: tree.remove("dir", recursive=True, index=index),
    "compare_and_set": lambda tree, index: tree.compare_and_set("value", b"v", b"w", index=index),
    "compare_and_set that creates": lambda tree, index: tree.compare_and_set("new", None, b"w", index=index),
    "compare_and_set that removes": lambda tree, index: tree.compare_and_set("value", b"v", None, index=index),
    "batch": lambda tree, index: tree.batch([Put("new", b"")], index=index),
}
change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.put("value", b"v", index=10)
    tree.put("dir.child", b"c", parents=True, index=20)
    return tree


def answered(answer):
    return answer[0] if isinstance(answer, list) else answer


def updates(tree, *keys):
    return [tree.get(key).update_index for key in keys]


def test_a_new_tree_has_index_0_and_a_root_of_index_0():
    tree = Tree()
    assert tree.index == 0
    assert (tree.get("").create_index, tree.get("").update_index) == (0, 0)


def test_the_tree_counts_its_changes_from_1():
    tree = Tree()
    assert [tree.put("a", b""), tree.mkdir("b"), tree.put("a", b""), tree.remove("a")] == [1, 2, 3, 4]
    assert tree.index == 4


@change
def test_a_change_answers_its_index_and_the_tree_has_it(tree, change):
    assert answered(change(tree, None)) == 21
    assert tree.index == 21
    tree.verify()


@change
def test_a_change_takes_the_index_that_is_given(tree, change):
    assert answered(change(tree, 1000)) == 1000
    assert tree.index == 1000


@change
def test_the_tree_counts_on_from_an_index_that_was_given(tree, change):
    change(tree, 1000)
    assert tree.put("next", b"") == 1001


@change
@pytest.mark.parametrize("index", [20, 19, 1, 0, -1, -(2**63), -(2**64)])
def test_an_index_not_greater_than_the_trees_is_stale_and_changes_nothing(tree, change, index):
    before = image(tree)
    with pytest.raises(StaleIndex):
        change(tree, index)
    assert image(tree) == before
    tree.verify()


@change
def test_the_greatest_index_is_2_to_the_63_less_1(tree, change):
    assert answered(change(tree, MAX_INDEX)) == MAX_INDEX


@change
@pytest.mark.parametrize("index", [MAX_INDEX + 1, 2**64, 2**64 + 21, 10**100])
def test_an_index_above_the_greatest_is_a_value_error_and_changes_nothing(tree, change, index):
    before = image(tree)
    with pytest.raises(ValueError, match="index") as caught:
        change(tree, index)
    assert not isinstance(caught.value, StaleIndex)
    assert image(tree) == before


@change
def test_after_the_greatest_index_no_change_is_possible(tree, change):
    tree.put("last", b"", index=MAX_INDEX)
    before = image(tree)
    with pytest.raises(ValueError, match="index"):
        change(tree, None)
    assert image(tree) == before


def test_a_stale_index_names_the_trees(tree):
    with pytest.raises(StaleIndex) as caught:
        tree.put("new", b"", index=20)
    assert caught.value.index == 20


def test_a_failed_change_uses_no_index(tree):
    with pytest.raises(NotFound):
        tree.remove("nothing", index=50)
    assert tree.put("next", b"") == 21


def test_a_change_sets_the_update_index_of_its_node_and_of_every_ancestor(tree):
    tree.mkdir("dir.sub", index=30)
    tree.put("dir.sub.leaf", b"", index=40)
    assert updates(tree, "dir.sub.leaf", "dir.sub", "dir", "") == [40, 40, 40, 40]


def test_a_change_leaves_siblings_and_what_lies_below_alone(tree):
    tree.mkdir("dir.sub", index=30)
    assert updates(tree, "dir.child", "value") == [20, 10]


def test_a_removal_sets_the_update_index_of_every_ancestor(tree):
    tree.put("dir.sub.leaf", b"", parents=True, index=30)
    tree.remove("dir.sub.leaf", index=40)
    assert updates(tree, "dir.sub", "dir", "", "dir.child") == [40, 40, 40, 20]


def test_a_recursive_removal_sets_the_update_index_of_every_ancestor(tree):
    tree.put("dir.sub.leaf", b"", parents=True, index=30)
    tree.remove("dir.sub", recursive=True, index=40)
    assert updates(tree, "dir", "", "value") == [40, 40, 10]


def test_a_creation_sets_the_create_index_and_an_update_keeps_it(tree):
    tree.put("new", b"", index=30)
    tree.put("new", b"again", index=40)
    assert (tree.get("new").create_index, tree.get("new").update_index) == (30, 40)


def test_made_parents_are_created_with_the_same_index(tree):
    tree.put("dir.p.q.leaf", b"", parents=True, index=30)
    for key in ("dir.p", "dir.p.q", "dir.p.q.leaf"):
        assert (tree.get(key).create_index, tree.get(key).update_index) == (30, 30)
    assert tree.get("dir").create_index == 20


def test_a_key_made_again_has_a_new_create_index(tree):
    tree.remove("value", index=30)
    tree.put("value", b"", index=40)
    assert tree.get("value").create_index == 40


def test_a_change_below_a_directory_keeps_its_create_index(tree):
    tree.put("dir.child", b"", index=30)
    assert tree.get("dir").create_index == 20


def test_the_create_index_of_the_root_stays_0(tree):
    assert tree.get("").create_index == 0


def test_writing_the_same_bytes_again_is_a_change(tree):
    assert tree.put("value", b"v") == 21
    assert tree.compare_and_set("value", b"v", b"v") == 22
    assert tree.batch([CompareAndSet("value", b"v", b"v")]) == [23]
    assert tree.get("value").update_index == 23
