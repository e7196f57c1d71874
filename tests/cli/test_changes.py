"""Invented changes leave the tree well-formed and come to every kind of entry."""

from __future__ import annotations

import random

from watchtree import Tree
from watchtree.cli.changes import CHANGES_PER_SECOND, Changes
from watchtree.cli.source import Entry

ENTRIES = [Entry("d", None), Entry("d.a", b"1"), Entry("d.e", None), Entry("d.e.b", b"2"), Entry("f", b"3")]


def filled() -> Tree:
    tree = Tree()
    for key, value in ENTRIES:
        tree.mkdir(key) if value is None else tree.put(key, value)
    return tree


def test_everything_goes_and_comes_back() -> None:
    tree = filled()
    changes = Changes(tree, ENTRIES, ["new-1", "d.new-2.inside"], random.Random(1))
    gone: set[str] = set()
    came: set[str] = set()
    for _ in range(5000):
        before = set(tree)
        changes.make_one()
        gone |= before - set(tree)
        came |= set(tree) - before
    expected = {entry.key for entry in ENTRIES} | {"new-1", "d.new-2.inside", "d.new-2"}
    assert gone == came == expected
    tree.verify()


def test_changes_come_at_their_rate_and_at_most_a_tenth_of_a_second_at_once() -> None:
    changes = Changes(filled(), ENTRIES, [], random.Random(1))
    changes.advance(100.0)
    assert changes.count == 0
    changes.advance(100.01)
    assert changes.count == CHANGES_PER_SECOND // 100
    changes.advance(200.0)
    assert changes.count == CHANGES_PER_SECOND // 100 + CHANGES_PER_SECOND // 10


def test_an_empty_directory_can_be_changed_too() -> None:
    tree = Tree()
    Changes(tree, [], [], random.Random(1)).make_one()
    assert tree.index == 1
