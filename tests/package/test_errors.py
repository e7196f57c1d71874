"""The exceptions: each also the builtin that fits, with fields, and a message of three parts."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest
import watchtree
from rig import Rig
from watchtree import CompareAndSet, Config, Mkdir, Put, Remove, Subscriber, Tree, WatchTreeError, errors

BUILTINS = {
    "InvalidKey": ValueError,
    "KeyTooLong": ValueError,
    "ValueTooLong": ValueError,
    "StaleIndex": ValueError,
    "NotFound": KeyError,
    "ParentNotFound": KeyError,
    "ParentNotDirectory": ValueError,
    "IsDirectory": ValueError,
    "NotDirectory": ValueError,
    "DirectoryExists": ValueError,
    "ValueExists": ValueError,
    "HasChildren": ValueError,
    "CompareFailed": ValueError,
    "InvalidSnapshot": ValueError,
    "DuplicateKey": ValueError,
    "UnknownChannel": KeyError,
    "UnknownGroup": KeyError,
    "UnknownServer": KeyError,
    "WrongResultCount": ValueError,
}
KINDS = {name: getattr(errors, name) for name in BUILTINS}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def plant() -> Rig:
    rig = Rig(max_key_bytes=100, max_value_bytes=100)
    rig.tree.put("value", b"v")
    rig.tree.put("dir.child", b"c", parents=True)
    return rig


RAISING = {
    "InvalidKey": (lambda rig: rig.tree.put("a..b", b""), {"key": "a..b"}),
    "InvalidKey, a surrogate": (lambda rig: rig.tree.get("a.\ud800"), {"key": "a.\ud800"}),
    "InvalidKey, a control character": (lambda rig: rig.tree.mkdir("a\n"), {"key": "a\n"}),
    "InvalidKey, the root": (lambda rig: rig.tree.remove("", recursive=True), {"key": ""}),
    "InvalidKey, sync": (lambda rig: rig.dispatcher.sync("alice", {".": 0}), {"key": "."}),
    "KeyTooLong": (lambda rig: rig.tree.put("k" * 101, b""), {"key": "k" * 101, "limit": 100}),
    "KeyTooLong, sync": (lambda rig: rig.dispatcher.sync("a", {"k" * 101: 0}), {"key": "k" * 101, "limit": 100}),
    "ValueTooLong": (lambda rig: rig.tree.put("new", bytes(101)), {"key": "new", "limit": 100}),
    "StaleIndex": (lambda rig: rig.tree.put("new", b"", index=1), {"index": 2}),
    "StaleIndex, batch": (lambda rig: rig.tree.batch([Put("new", b"")], index=2), {"index": 2}),
    "NotFound": (lambda rig: rig.tree.get("no"), {"key": "no"}),
    "NotFound, remove": (lambda rig: rig.tree.remove("no.key"), {"key": "no.key"}),
    "ParentNotFound": (lambda rig: rig.tree.put("no.key", b""), {"key": "no.key"}),
    "ParentNotDirectory": (lambda rig: rig.tree.put("value.key", b""), {"key": "value.key"}),
    "IsDirectory": (lambda rig: rig.tree.put("dir", b""), {"key": "dir"}),
    "NotDirectory": (lambda rig: rig.tree.list("value"), {"key": "value"}),
    "DirectoryExists": (lambda rig: rig.tree.mkdir("dir"), {"key": "dir"}),
    "ValueExists": (lambda rig: rig.tree.mkdir("value"), {"key": "value"}),
    "HasChildren": (lambda rig: rig.tree.remove("dir"), {"key": "dir"}),
    "CompareFailed": (lambda rig: rig.tree.compare_and_set("value", None, b""), {"key": "value"}),
    "InvalidSnapshot": (lambda rig: rig.tree.restore(b"damaged"), {}),
    "DuplicateKey": (lambda rig: rig.dispatcher.sync("alice", [("a", 0), ("a", 1)]), {"key": "a"}),
    "UnknownChannel": (lambda rig: rig.dispatcher.channel("nobody"), {"channel": "nobody"}),
    "UnknownChannel, watches": (lambda rig: rig.dispatcher.watches("nobody"), {"channel": "nobody"}),
    "UnknownGroup": (lambda rig: Subscriber(["s"]).add(["a"], "nobody"), {}),
    "UnknownServer": (lambda rig: Subscriber(["s"]).connected("nobody"), {}),
    "WrongResultCount": (lambda rig: raise_reported(rig), {"channel": "alice"}),
}
raising = pytest.mark.parametrize(
    ("name", "call", "fields"), [(name.partition(",")[0], *case) for name, case in RAISING.items()], ids=RAISING
)


def raise_reported(rig):
    """Raise the error that goes to on_error, to look at it as at the others."""
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([])
    [(error, _)] = rig.errors
    raise error


def raised(call):
    with pytest.raises(WatchTreeError) as caught:
        call(plant())
    return caught.value


def test_every_exception_is_listed_here_and_public():
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)} - {"WatchTreeError"}
    assert defined == set(BUILTINS)
    assert defined < set(watchtree.__all__)


def test_every_exception_is_raised_by_some_call():
    assert {name.partition(",")[0] for name in RAISING} == set(BUILTINS)


@kinds
def test_an_exception_is_also_the_builtin_that_fits(kind):
    assert issubclass(kind, WatchTreeError)
    assert issubclass(kind, BUILTINS[kind.__name__])


@raising
def test_an_exception_has_its_own_type(name, call, fields):
    assert type(raised(call)) is KINDS[name]


@raising
def test_an_exception_has_the_fields_that_it_names_and_no_others(name, call, fields):
    error = raised(call)
    assert {field: getattr(error, field) for field in ("key", "limit", "index", "channel")} == {
        **dict.fromkeys(("key", "limit", "index", "channel")),
        **fields,
    }


@raising
def test_a_message_says_what_was_asked_what_stands_against_it_and_what_to_do(name, call, fields):
    message = str(raised(call))
    assert re.fullmatch(r"\S.*\S; \S.*\S", message, flags=re.DOTALL), message
    assert not message.endswith(".")
    for field in ("key", "channel"):
        if fields.get(field):
            assert repr(fields[field])[:40] in message
    for field in ("limit", "index"):
        if field in fields:
            assert str(fields[field]) in message


@raising
def test_a_message_of_a_long_key_is_short(name, call, fields):
    assert len(str(raised(call))) < 400


@raising
def test_an_exception_that_was_raised_can_be_pickled_and_copied(name, call, fields):
    error = raised(call)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert (str(again), vars(again)) == (str(error), vars(error))


@kinds
def test_an_exception_can_be_made_by_hand(kind):
    error = kind("what; what to do", key="a", limit=1, index=2, channel="alice")
    assert str(error) == "what; what to do"
    assert (error.key, error.limit, error.index, error.channel) == ("a", 1, 2, "alice")
    assert str(kind()) == ""


ITEMS = {
    "InvalidKey": Put("a..b", b""),
    "KeyTooLong": Mkdir("k" * 101),
    "ValueTooLong": Put("new", bytes(101)),
    "NotFound": Remove("no"),
    "ParentNotFound": Put("no.key", b""),
    "ParentNotDirectory": Mkdir("value.key"),
    "IsDirectory": Put("dir", b""),
    "DirectoryExists": Mkdir("dir"),
    "ValueExists": Mkdir("value"),
    "HasChildren": Remove("dir"),
    "CompareFailed": CompareAndSet("value", b"w", b""),
}


@pytest.mark.parametrize(("name", "item"), ITEMS.items(), ids=ITEMS)
def test_the_exception_of_an_item_of_a_batch_is_as_good_as_a_raised_one(name, item):
    [error] = plant().tree.batch([item])
    assert type(error) is KINDS[name]
    assert error.key == item.key
    assert re.fullmatch(r"\S.*\S; \S.*\S", str(error), flags=re.DOTALL)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_message_shows_a_strange_key_without_breaking_the_line():
    for key in ("a\nb", "a\x1b[31m", "\ud800"):
        with pytest.raises(WatchTreeError) as caught:
            Tree().get(key)
        assert str(caught.value).isprintable()


def test_the_limit_in_a_message_is_that_of_the_config():
    tree = Tree(config=Config(max_key_bytes=7, max_value_bytes=3))
    with pytest.raises(WatchTreeError, match=r"7.*max_key_bytes"):
        tree.get("12345678")
    with pytest.raises(WatchTreeError, match=r"3.*max_value_bytes"):
        tree.put("a", b"1234")
