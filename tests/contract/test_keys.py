"""What a key is (contract §1, Keys)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig, image
from watchtree import CompareAndSet, Config, InvalidKey, KeyTooLong, Mkdir, Put, Remove, Tree

GOOD = {
    "one letter": "a",
    "parts": "app.db.host",
    "a space": "a b",
    "other punctuation": "a/b-c_d:e*[]{}",
    "cyrillic": "приложение.база",
    "outside the basic plane": "😀.🌳",
    "a space that is no control character": "a\u00a0b",
    "the last code point": "\U0010ffff",
    "a composed and a combining letter": "é.e\u0301",
    "the byte order mark": "\ufeffa",
    "the letter before the surrogates": "\ud7ff",
}

BAD = {
    "a dot": ".",
    "two dots": "..",
    "a leading dot": ".a",
    "a trailing dot": "a.",
    "a double dot": "a..b",
    "the first control character": "\x00",
    "a zero in the middle": "a\x00b",
    "a line end": "a\n",
    "the last low control character": "\x1f.a",
    "delete": "a\x7f",
    "the first high control character": "a\x80",
    "the last high control character": "a.\x9fb",
    "a high surrogate": "\ud800",
    "a low surrogate": "a.\udfff",
    "a surrogate pair that is no pair": "\ud83d\ude00",
}

CALLS: dict[str, Callable[[Tree, str], object]] = {
    "put": lambda tree, key: tree.put(key, b""),
    "put with parents": lambda tree, key: tree.put(key, b"", parents=True),
    "mkdir": lambda tree, key: tree.mkdir(key),
    "mkdir with parents": lambda tree, key: tree.mkdir(key, parents=True),
    "remove": lambda tree, key: tree.remove(key),
    "remove recursive": lambda tree, key: tree.remove(key, recursive=True),
    "compare_and_set": lambda tree, key: tree.compare_and_set(key, None, b""),
    "get": lambda tree, key: tree.get(key),
    "get_many": lambda tree, key: tree.get_many(["here", key]),
    "list": lambda tree, key: tree.list(key),
}

ITEMS = {
    "Put": lambda key: Put(key, b""),
    "Mkdir": lambda key: Mkdir(key),
    "Remove": lambda key: Remove(key),
    "CompareAndSet": lambda key: CompareAndSet(key, None, b""),
}

call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
item = pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
bad = pytest.mark.parametrize("key", BAD.values(), ids=BAD)

LONGEST = "k" * 8192


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.put("here", b"v")
    return tree


@pytest.mark.parametrize("key", GOOD.values(), ids=GOOD)
def test_a_good_key_comes_back_as_it_was(tree, key):
    tree.put(key, b"x", parents=True)
    assert tree.get(key).key == key
    assert key in tree
    assert key in list(tree)


def test_the_empty_key_is_the_root_and_always_exists(tree):
    assert tree.get("").is_directory
    assert "" in tree
    assert "" not in list(tree)


@bad
@call
def test_a_bad_key_is_refused_everywhere_and_changes_nothing(tree, call, key):
    before = image(tree)
    with pytest.raises(InvalidKey):
        call(tree, key)
    assert image(tree) == before
    tree.verify()


@bad
@item
def test_a_bad_key_in_a_batch_is_the_answer_of_its_item(tree, item, key):
    before = image(tree)
    [answer] = tree.batch([item(key)])
    assert type(answer) is InvalidKey
    assert image(tree) == before


@bad
def test_a_bad_key_is_refused_by_sync_and_registers_nothing(rig, key):
    with pytest.raises(InvalidKey):
        rig.sync("alice", {"good": 0, key: 0})
    assert rig.dispatcher.channels() == []


@bad
def test_a_bad_key_is_in_no_tree(tree, key):
    assert key not in tree


@call
def test_a_key_of_8193_bytes_is_refused_everywhere_and_changes_nothing(tree, call):
    before = image(tree)
    with pytest.raises(KeyTooLong):
        call(tree, LONGEST + "k")
    assert image(tree) == before


@item
def test_a_key_too_long_in_a_batch_is_the_answer_of_its_item(tree, item):
    [answer] = tree.batch([item(LONGEST + "k")])
    assert type(answer) is KeyTooLong


def test_a_key_too_long_is_refused_by_sync_and_registers_nothing(rig):
    with pytest.raises(KeyTooLong):
        rig.sync("alice", {"good": 0, LONGEST + "k": 0})
    assert rig.dispatcher.channels() == []


def test_a_key_of_8192_bytes_is_a_key(rig):
    index = rig.tree.put(LONGEST, b"v")
    rig.sync("alice", {LONGEST: 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [(LONGEST, 0, index, b"v")])]


def test_the_limit_of_a_key_counts_bytes_of_utf8_and_not_letters(tree):
    assert tree.put("é" * 4096, b"") == 2
    with pytest.raises(KeyTooLong):
        tree.put("é" * 4096 + "a", b"")


def test_a_key_may_have_thousands_of_parts():
    key = ".".join(["a"] * 4096)
    tree = Tree()
    tree.put(key, b"deep", parents=True)
    assert len(tree) == 4096
    tree.remove("a", recursive=True)
    assert len(tree) == 0
    tree.verify()


def test_the_limit_of_a_key_is_set_for_a_tree_and_for_a_dispatcher():
    rig = Rig(max_key_bytes=4)
    rig.tree.put("abcd", b"")
    rig.sync("alice", {"abcd": 0})
    with pytest.raises(KeyTooLong):
        rig.tree.put("abcde", b"")
    with pytest.raises(KeyTooLong):
        rig.sync("alice", {"abcde": 0})


def test_a_dispatcher_and_its_tree_may_have_different_limits():
    rig = Rig(tree=Tree(config=Config(max_key_bytes=4)), max_key_bytes=8)
    rig.sync("alice", {"abcdefgh": 0})
    with pytest.raises(KeyTooLong):
        rig.sync("alice", {"abcdefghi": 0})
    with pytest.raises(KeyTooLong):
        rig.tree.put("abcde", b"")


PARTS = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="."), min_size=1, max_size=3)
NEAR_PARTS = st.text("ab!-~é\U0001f600\uffff", min_size=1, max_size=2)
KEYS = st.lists(PARTS | NEAR_PARTS, min_size=1, max_size=4).map(".".join)


def in_key_order(keys):
    return sorted(keys, key=lambda key: [part.encode() for part in key.split(".")])


@given(st.lists(KEYS, max_size=20))
def test_keys_are_in_the_order_of_their_parts_byte_by_byte_and_parents_before_children(keys):
    tree = Tree()
    for key in keys:
        if key not in tree:
            tree.mkdir(key, parents=True)
    assert list(tree) == in_key_order(tree)


@given(st.sets(PARTS | NEAR_PARTS, max_size=20))
def test_children_are_listed_in_key_order(parts):
    tree = Tree()
    tree.mkdir("dir")
    for part in parts:
        tree.put(f"dir.{part}", b"")
    assert [node.key for node in tree.list("dir")] == in_key_order(f"dir.{part}" for part in parts)


def test_a_dot_ends_a_part_before_any_letter_does():
    tree = Tree()
    for key in ("a!", "a", "a.b", "a-", "b"):
        tree.mkdir(key, parents=True)
    assert list(tree) == ["a", "a.b", "a!", "a-", "b"]
