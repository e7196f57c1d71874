"""Which error comes first where several things are wrong (contract §1, Failures)."""

from __future__ import annotations

import pytest
from rig import image
from watchtree import CompareAndSet, InvalidKey, KeyTooLong, Mkdir, Put, Remove, StaleIndex, Tree, ValueTooLong

LONG_KEY = "k" * 8193
LONG_VALUE = bytes((1 << 20) + 1)
TOO_HIGH = 2**63


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.put("value", b"v", index=10)
    tree.put("dir.child", b"c", parents=True, index=20)
    return tree


TYPE_FIRST = {
    "form: put": lambda t: t.put("a..b", 7),
    "form: put, index": lambda t: t.put("a..b", b"", index="high"),
    "form: put, long key": lambda t: t.put(LONG_KEY, None),
    "form: mkdir": lambda t: t.mkdir("a..b", index=1.0),
    "form: remove": lambda t: t.remove("", index=b"1"),
    "form: compare_and_set": lambda t: t.compare_and_set("a..b", 7, b""),
    "form: compare_and_set, value": lambda t: t.compare_and_set(LONG_KEY, b"", "text"),
    "form: get_many": lambda t: t.get_many(["a..b", 7]),
    "index: put": lambda t: t.put("new", None, index=1),
    "index: mkdir": lambda t: t.mkdir(7, index=1),
    "index: remove": lambda t: t.remove(None, index=TOO_HIGH),
    "index: compare_and_set": lambda t: t.compare_and_set("new", 7, b"", index=1),
    "index: batch": lambda t: t.batch([Put("new", b""), "put"], index=1),
    "index: batch, a field": lambda t: t.batch([Put("new", None)], index=1),
    "state: put": lambda t: t.put("dir", 7),
    "state: mkdir": lambda t: t.mkdir("dir", index="high"),
    "state: remove": lambda t: t.remove("dir", index="high"),
    "state: compare_and_set": lambda t: t.compare_and_set("dir", "text", b""),
}

FORM_FIRST = {
    "put, index": (lambda t: t.put("a..b", b"", index=1), InvalidKey),
    "put, high index": (lambda t: t.put("a..b", b"", index=TOO_HIGH), InvalidKey),
    "put, long key, index": (lambda t: t.put(LONG_KEY, b"", index=20), KeyTooLong),
    "put, long value, index": (lambda t: t.put("new", LONG_VALUE, index=20), ValueTooLong),
    "put, long value, high index": (lambda t: t.put("new", LONG_VALUE, index=TOO_HIGH), ValueTooLong),
    "put, long value, directory": (lambda t: t.put("dir", LONG_VALUE), ValueTooLong),
    "put, long value, missing parent": (lambda t: t.put("no.key", LONG_VALUE), ValueTooLong),
    "put, long value, root": (lambda t: t.put("", LONG_VALUE), ValueTooLong),
    "mkdir, index": (lambda t: t.mkdir(".a", index=1), InvalidKey),
    "mkdir, long key, index": (lambda t: t.mkdir(LONG_KEY, index=TOO_HIGH), KeyTooLong),
    "remove, index": (lambda t: t.remove("a.", index=1), InvalidKey),
    "remove, long key, index": (lambda t: t.remove(LONG_KEY, index=1), KeyTooLong),
    "compare_and_set, index": (lambda t: t.compare_and_set("..", None, b"", index=1), InvalidKey),
    "compare_and_set, long value": (lambda t: t.compare_and_set("value", b"w", LONG_VALUE), ValueTooLong),
    "compare_and_set, long value, index": (lambda t: t.compare_and_set("new", None, LONG_VALUE, index=1), ValueTooLong),
    "compare_and_set, long value, directory": (lambda t: t.compare_and_set("dir", None, LONG_VALUE), ValueTooLong),
}

INDEX_FIRST = {
    "put over a directory": lambda t, i: t.put("dir", b"", index=i),
    "put over the root": lambda t, i: t.put("", b"", index=i),
    "put without a parent": lambda t, i: t.put("no.key", b"", index=i),
    "put below a value": lambda t, i: t.put("value.key", b"", parents=True, index=i),
    "mkdir of a directory": lambda t, i: t.mkdir("dir", index=i),
    "mkdir of a value": lambda t, i: t.mkdir("value", index=i),
    "remove of a missing key": lambda t, i: t.remove("no", index=i),
    "remove of a directory with children": lambda t, i: t.remove("dir", index=i),
    "compare_and_set of another value": lambda t, i: t.compare_and_set("value", b"w", b"", index=i),
    "compare_and_set of a directory": lambda t, i: t.compare_and_set("dir", None, b"", index=i),
    "batch of nothing possible": lambda t, i: t.batch([Mkdir("dir"), Remove("no"), Put("a..b", b"")], index=i),
}


@pytest.mark.parametrize("call", TYPE_FIRST.values(), ids=TYPE_FIRST)
def test_a_wrong_type_is_found_before_anything_else(tree, call):
    before = image(tree)
    with pytest.raises(TypeError):
        call(tree)
    assert image(tree) == before


@pytest.mark.parametrize(("call", "error"), FORM_FIRST.values(), ids=FORM_FIRST)
def test_the_form_of_the_arguments_is_checked_before_the_index_and_the_state(tree, call, error):
    before = image(tree)
    with pytest.raises(error):
        call(tree)
    assert image(tree) == before


@pytest.mark.parametrize("call", INDEX_FIRST.values(), ids=INDEX_FIRST)
def test_a_stale_index_is_found_before_the_state_of_the_tree(tree, call):
    with pytest.raises(StaleIndex):
        call(tree, 20)


@pytest.mark.parametrize("call", INDEX_FIRST.values(), ids=INDEX_FIRST)
def test_an_index_too_high_is_found_before_the_state_of_the_tree(tree, call):
    with pytest.raises(ValueError, match="index") as caught:
        call(tree, TOO_HIGH)
    assert type(caught.value) is ValueError


def test_in_a_batch_the_form_of_an_item_is_found_before_its_state(tree):
    answers = tree.batch([CompareAndSet("dir", None, LONG_VALUE), Put("value.key", LONG_VALUE), Put("", LONG_VALUE)])
    assert [type(answer) for answer in answers] == [ValueTooLong] * 3
