"""Arguments of a wrong type, and objects that misbehave: a clear exception, and nothing has changed (contract §1)."""

from __future__ import annotations

import array
import contextlib
import copy
import pickle
import re

import pytest
from contract.bad_objects import (
    NO_BOOL,
    NO_BUFFER,
    NO_INT,
    NO_STR,
    TYPE_ERROR,
    Number,
    Raising,
    Refused,
    Text,
    raising_iterator,
)
from rig import image
from watchtree import Batch, CompareAndSet, Config, Dispatcher, ManualClock, Put, Tree


def cases(table):
    return pytest.mark.parametrize("wrong", table.values(), ids=table)


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.put("value", b"v")
    tree.put("dir.child", b"c", parents=True)
    return tree


def refuses(tree, error, call):
    """Whether a call raises the error and leaves the tree as it was."""
    before = image(tree)
    with pytest.raises(error):
        call()
    tree.verify()
    return image(tree) == before


KEY_CALLS = {
    "put": lambda tree, key: tree.put(key, b""),
    "mkdir": lambda tree, key: tree.mkdir(key),
    "remove": lambda tree, key: tree.remove(key),
    "compare_and_set": lambda tree, key: tree.compare_and_set(key, None, b""),
    "get": lambda tree, key: tree.get(key),
    "get_many": lambda tree, key: tree.get_many(["value", key]),
    "list": lambda tree, key: tree.list(key),
    "batch": lambda tree, key: tree.batch([Put("new", b""), Put(key, b"")]),
}


@cases(NO_STR)
@pytest.mark.parametrize("call", KEY_CALLS.values(), ids=KEY_CALLS)
def test_a_key_that_is_no_str_is_a_type_error(tree, call, wrong):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, wrong))


@cases(NO_STR)
def test_what_is_no_str_is_in_no_tree(tree, wrong):
    assert wrong not in tree


VALUE_CALLS = {
    "put": lambda tree, value: tree.put("new", value),
    "put over": lambda tree, value: tree.put("value", value),
    "batch": lambda tree, value: tree.batch([Put("new", value)]),
    "batch of several": lambda tree, value: tree.batch(
        [Put("new", b""), CompareAndSet("new", b"", b""), Put("x", value)]
    ),
}
value_call = pytest.mark.parametrize("call", VALUE_CALLS.values(), ids=VALUE_CALLS)


@cases(NO_BUFFER)
@value_call
def test_a_value_that_is_no_buffer_is_a_type_error(tree, call, wrong):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, wrong))


@cases({name: wrong for name, wrong in NO_BUFFER.items() if wrong is not None})
@pytest.mark.parametrize("place", ["expected", "value"])
def test_a_value_to_compare_or_set_that_is_no_buffer_is_a_type_error(tree, place, wrong):
    arguments = {"expected": b"v", "value": b"w"} | {place: wrong}
    assert refuses(tree, TYPE_ERROR, lambda: tree.compare_and_set("value", **arguments))
    assert refuses(tree, TYPE_ERROR, lambda: tree.batch([CompareAndSet("value", **arguments)]))


def released():
    view = memoryview(b"gone")
    view.release()
    return view


BAD_BUFFERS = {
    "every second byte": memoryview(b"abcdef")[::2],
    "backwards": memoryview(b"abcdef")[::-1],
    "columns": memoryview(bytes(16)).cast("B", (4, 4))[::2],
    "released": released(),
}


@cases(BAD_BUFFERS)
@value_call
def test_a_buffer_that_is_not_contiguous_is_refused(tree, call, wrong):
    assert refuses(tree, (BufferError, ValueError, TypeError), lambda: call(tree, wrong))


def test_a_buffer_is_let_go_after_the_call(tree):
    value = bytearray(b"value")
    tree.put("new", value)
    tree.compare_and_set("new", value, value)
    tree.batch([Put("new", value)])
    value.extend(b" that may grow again")
    assert tree.get("new").value == b"value"


def test_a_buffer_is_let_go_when_the_call_fails(tree):
    value = array.array("B", b"value")
    assert refuses(tree, ValueError, lambda: tree.put("dir", value))
    assert refuses(tree, TypeError, lambda: tree.batch([Put("new", value), 7]))
    for fields in ((), ("x",), ("x", value)):
        assert refuses(tree, TypeError, lambda fields=fields: tree.batch([tuple.__new__(Put, fields)]))
    value.append(1)
    assert len(value) == 6


INDEX_CALLS = {
    "put": lambda tree, index: tree.put("new", b"", index=index),
    "mkdir": lambda tree, index: tree.mkdir("new", index=index),
    "remove": lambda tree, index: tree.remove("value", index=index),
    "compare_and_set": lambda tree, index: tree.compare_and_set("value", b"v", b"w", index=index),
    "batch": lambda tree, index: tree.batch([Put("new", b"")], index=index),
}
index_call = pytest.mark.parametrize("call", INDEX_CALLS.values(), ids=INDEX_CALLS)


@cases(NO_INT)
@index_call
def test_an_index_that_is_no_int_is_a_type_error(tree, call, wrong):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, wrong))


@index_call
def test_an_index_that_raises_is_refused(tree, call):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, Raising()))


def test_a_bool_is_an_int():
    tree = Tree()
    assert tree.put("a", b"", index=True) == 1


FLAG_CALLS = {
    "put": lambda tree, flag: tree.put("p.q", b"", parents=flag),
    "mkdir": lambda tree, flag: tree.mkdir("p.q", parents=flag),
    "remove": lambda tree, flag: tree.remove("dir", recursive=flag),
    "batch": lambda tree, flag: tree.batch([Put("new", b""), Put("p.q", b"", parents=flag)]),
}
flag_call = pytest.mark.parametrize("call", FLAG_CALLS.values(), ids=FLAG_CALLS)


@cases(NO_BOOL)
@flag_call
def test_a_flag_that_is_no_bool_is_a_type_error(tree, call, wrong):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, wrong))


@flag_call
def test_a_flag_that_raises_is_refused(tree, call):
    assert refuses(tree, TYPE_ERROR, lambda: call(tree, Raising()))


@cases({"None": None, "an int": 7, "an object": object()})
def test_what_cannot_be_iterated_is_a_type_error(tree, wrong):
    assert refuses(tree, TypeError, lambda: tree.get_many(wrong))
    assert refuses(tree, TypeError, lambda: tree.batch(wrong))


def test_an_error_of_an_iterable_is_raised_as_it_is(tree):
    assert refuses(tree, Refused, lambda: tree.get_many(raising_iterator("value", "dir")))
    assert refuses(tree, Refused, lambda: tree.batch(raising_iterator(Put("new", b""))))
    assert refuses(tree, Refused, lambda: tree.batch(Raising()))


def test_keys_are_read_before_the_tree_is(tree):
    def keys():
        yield "value"
        tree.remove("value")
        yield "dir"

    assert tree.get_many(keys()) == [None, tree.get("dir")]


def test_a_list_of_keys_may_change_while_it_is_read(tree):
    class Shrinking(list):
        def __iter__(self):
            while self:
                yield self.pop()

    assert len(tree.get_many(Shrinking(["value", "dir"] * 100))) == 200


def test_a_str_subclass_is_a_key_by_its_characters(tree):
    tree.put(Text("new"), b"1")
    assert tree.get(Text("new")).value == b"1"
    assert type(tree.get(Text("new")).key) is str
    assert Text("new") in tree


def test_an_int_subclass_is_an_index_by_its_number():
    class Position(int):
        pass

    tree = Tree()
    assert tree.put("a", b"", index=Position(7)) == 7
    assert type(tree.index) is int


@index_call
def test_an_int_subclass_that_raises_is_an_index_or_refused(tree, call):
    before = image(tree)
    try:
        call(tree, Number(50))
    except TYPE_ERROR:
        assert image(tree) == before
    else:
        assert tree.index == 50
    tree.verify()


MISUSES = {
    "put without a value": lambda t: t.put("new"),
    "put with parents by position": lambda t: t.put("new", b"", True),
    "put with an unknown word": lambda t: t.put("new", b"", recursive=True),
    "mkdir without a key": lambda t: t.mkdir(),
    "remove with recursive by position": lambda t: t.remove("value", True),
    "compare_and_set without a value": lambda t: t.compare_and_set("value", b"v"),
    "an index to be set": lambda t: setattr(t, "index", 7),
    "an id to be set": lambda t: setattr(t, "id", None),
    "a new attribute": lambda t: setattr(t, "colour", "green"),
    "a tree by position": lambda t: Tree(Config()),
    "a pickle": lambda t: pickle.dumps(t),
    "a copy": lambda t: copy.copy(t),
    "a deep copy": lambda t: copy.deepcopy(t),
}


@pytest.mark.parametrize("call", MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_refused(tree, call):
    assert refuses(tree, (TypeError, AttributeError), lambda: call(tree))


@cases({"an int": 7, "a dict": {"max_key_bytes": 7}, "a str": "config", "the class": Config, "an object": Raising()})
def test_a_config_of_another_type_is_a_type_error(tree, wrong):
    image_of_it = tree.snapshot()
    assert refuses(tree, TYPE_ERROR, lambda: Tree(config=wrong))
    assert refuses(tree, TYPE_ERROR, lambda: Tree.from_snapshot(image_of_it, config=wrong))
    assert refuses(tree, TYPE_ERROR, lambda: Dispatcher(tree, print, config=wrong))


WRONG_ARGUMENTS = {
    "too many by position": (lambda tree: tree.put("a", b"", True), "takes 2 arguments by position, not 3"),
    "an unknown name": (lambda tree: tree.put("a", b"", parent=True), "has no argument 'parent'"),
    "none": (lambda tree: tree.put(), "needs key"),
    "a missing one": (lambda tree: tree.put("a"), "needs value"),
    "one twice": (lambda tree: tree.put("a", b"", key="b"), "was given key twice"),
}


@pytest.mark.parametrize(("call", "complaint"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments_are_a_type_error_that_names_them(tree, call, complaint):
    before = image(tree)
    with pytest.raises(TypeError, match=re.escape(complaint)):
        call(tree)
    assert image(tree) == before


def test_arguments_may_be_named_in_any_order(tree):
    assert tree.put(index=100, parents=True, value=b"v", key="new.key") == 100
    assert tree.get("new.key").value == b"v"


DISPATCHERS = {
    "no tree": lambda tree: Dispatcher(None, print),
    "a dict as tree": lambda tree: Dispatcher({}, print),
    "no transport": lambda tree: Dispatcher(tree, None),
    "a transport that is not callable": lambda tree: Dispatcher(tree, 7),
    "no arguments": lambda tree: Dispatcher(),
    "a config by position": lambda tree: Dispatcher(tree, print, Config()),
    "a clock that is not callable": lambda tree: Dispatcher(tree, print, clock=7),
    "a clock that is a number": lambda tree: Dispatcher(tree, print, clock="now"),
}


@pytest.mark.parametrize("call", DISPATCHERS.values(), ids=DISPATCHERS)
def test_a_dispatcher_of_wrong_things_is_a_type_error(tree, call):
    assert refuses(tree, TypeError, lambda: call(tree))
    assert tree.put("still there", b"") == tree.index


@pytest.mark.parametrize("kind", [Tree, Dispatcher, Batch, ManualClock])
def test_a_native_class_cannot_be_subclassed(kind):
    with pytest.raises(TypeError):
        type("Sub", (kind,), {})


def test_a_batch_cannot_be_made_by_hand():
    with pytest.raises(TypeError):
        Batch()


UNMADE = {
    "Tree.get": lambda: Tree.__new__(Tree).get(""),
    "Tree.put": lambda: Tree.__new__(Tree).put("a", b""),
    "len of a Tree": lambda: len(Tree.__new__(Tree)),
    "Dispatcher of a Tree": lambda: Dispatcher(Tree.__new__(Tree), print),
    "Dispatcher.dispatch": lambda: Dispatcher.__new__(Dispatcher).dispatch(),
    "Batch.acknowledge": lambda: Batch.__new__(Batch).acknowledge(),
    "ManualClock": lambda: ManualClock.__new__(ManualClock)(),
}


@pytest.mark.parametrize("call", UNMADE.values(), ids=UNMADE)
def test_an_object_that_was_never_initialised_is_refused(call):
    with pytest.raises(TypeError):
        call()


def test_initialising_a_tree_again_leaves_it_whole(tree):
    before = image(tree)
    with contextlib.suppress(TypeError):
        tree.__init__()
    assert image(tree) == before
    tree.verify()
