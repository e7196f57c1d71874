"""What goes in and comes out: nodes, notifications, the operations of a batch. Plain data without behaviour."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import NamedTuple

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


class Synced(NamedTuple):
    """The answer to `Dispatcher.sync` (§2): whose indexes these are, and how far they go."""

    tree_id: uuid.UUID
    index: int


@dataclass(frozen=True)
class Put:
    """`Tree.put` as an item of `Tree.batch` (§1)."""

    key: str
    value: bytes
    parents: bool = False


@dataclass(frozen=True)
class Mkdir:
    """`Tree.mkdir` as an item of `Tree.batch` (§1)."""

    key: str
    parents: bool = False


@dataclass(frozen=True)
class Remove:
    """`Tree.remove` as an item of `Tree.batch` (§1)."""

    key: str
    recursive: bool = False


@dataclass(frozen=True)
class CompareAndSet:
    """`Tree.compare_and_set` as an item of `Tree.batch` (§1)."""

    key: str
    expected: bytes | None
    value: bytes | None


Operation = Put | Mkdir | Remove | CompareAndSet
