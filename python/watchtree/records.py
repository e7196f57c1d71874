"""What goes in and comes out: nodes, notifications, the operations of a batch. Plain data without behaviour."""

from __future__ import annotations

import uuid
from typing import NamedTuple, TypeVar

from watchtree.words import State


class Node(NamedTuple):
    """One node of the tree as it was when it was read (§1)."""

    key: str
    value: bytes | None
    """The bytes of a value (`b""` is one), None for a directory."""
    is_directory: bool
    create_index: int
    update_index: int


class Notification(NamedTuple):
    """The newest state of one watched key, as a batch carries it (§3)."""

    key: str
    state: State
    index: int
    value: bytes | None
    """The bytes if `state` is VALUE, else None."""


class Holder(NamedTuple):
    """A place where watches of one key hang, as it was when it was read (§2)."""

    key: str
    mounted: bool
    """On the key's node; else the key is missing, and it hangs on the holder of its parent key."""
    watches: int
    """0 for one that is there for those below it only."""
    index: int
    """Of the key's state now."""
    queued: bool
    """In the queue of changed holders."""


class Synced(NamedTuple):
    """The answer to `Dispatcher.sync` (§2): whose indexes these are, and how far they go."""

    tree_id: uuid.UUID
    index: int


_T = TypeVar("_T", bound=type)


def _unlike_others(operation: _T) -> _T:
    """A tuple equals any other of the same fields; a Mkdir is no Remove."""

    def equals(self: tuple[object, ...], other: object) -> bool:
        return type(self) is type(other) and tuple.__eq__(self, other)

    def differs(self: tuple[object, ...], other: object) -> bool:
        return not equals(self, other)

    def hashed(self: tuple[object, ...]) -> int:
        return hash((operation.__name__, *self))

    for name, method in (("__eq__", equals), ("__ne__", differs), ("__hash__", hashed)):
        setattr(operation, name, method)
    return operation


@_unlike_others
class Put(NamedTuple):
    """`Tree.put` as an item of `Tree.batch` (§1)."""

    key: str
    value: bytes
    parents: bool = False


@_unlike_others
class Mkdir(NamedTuple):
    """`Tree.mkdir` as an item of `Tree.batch` (§1)."""

    key: str
    parents: bool = False


@_unlike_others
class Remove(NamedTuple):
    """`Tree.remove` as an item of `Tree.batch` (§1)."""

    key: str
    recursive: bool = False


@_unlike_others
class CompareAndSet(NamedTuple):
    """`Tree.compare_and_set` as an item of `Tree.batch` (§1)."""

    key: str
    expected: bytes | None
    value: bytes | None


Operation = Put | Mkdir | Remove | CompareAndSet
"""An item of `Tree.batch`: Put, Mkdir, Remove or CompareAndSet."""
