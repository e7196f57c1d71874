"""The tree of the contract's §1 in plain Python: a dict from key to node, and nothing else."""

from __future__ import annotations

import base64
import json
import uuid
import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from watchtree.config import Config
from watchtree.errors import (
    CompareFailed,
    DirectoryExists,
    HasChildren,
    InvalidKey,
    InvalidSnapshot,
    IsDirectory,
    NotDirectory,
    NotFound,
    ParentNotDirectory,
    ParentNotFound,
    StaleIndex,
    ValueExists,
    ValueTooLong,
    WatchTreeError,
)
from watchtree.records import CompareAndSet, Mkdir, Node, Operation, Put, Remove
from watchtree.testing.model_arguments import check_type, copied
from watchtree.testing.model_keys import ancestors, check_key, key_order, parent

MAX_INDEX = 2**63 - 1
IMAGE_MAGIC = b"watchtree-model-1\n"

Keys = list[str]  # below `ModelTree.list` the word list is that method


class Follower(Protocol):
    """What a tree tells those that follow it: each change at once, after the tree has it."""

    def tree_changed(self, keys: list[str]) -> None:
        """keys: the changed nodes, then their ancestors, in the order in which their holders queue (§3)."""

    def tree_restored(self) -> None:
        """The whole tree was replaced."""


class ModelTree:
    """`watchtree.Tree`, as slow and as plain as the contract's §1. One thread only.

    Arguments, answers and errors are those of `Tree`. The image of a snapshot has a format of its own.
    """

    def __init__(self, *, config: Config | None = None) -> None:
        self._config = config or Config()
        self._id = uuid.uuid4()
        self._index = 0
        self._nodes = {"": Node("", None, True, 0, 0)}
        self._followers: weakref.WeakSet[Follower] = weakref.WeakSet()

    @staticmethod
    def from_snapshot(image: bytes, *, config: Config | None = None) -> ModelTree:
        """As `Tree.from_snapshot`."""
        tree = ModelTree(config=config)
        tree.restore(image)
        return tree

    @property
    def id(self) -> uuid.UUID:
        """As `Tree.id`."""
        return self._id

    @property
    def index(self) -> int:
        """As `Tree.index`."""
        return self._index

    def put(self, key: str, value: bytes, *, parents: bool = False, index: int | None = None) -> int:
        """As `Tree.put`."""
        return self._change(Put(key, value, parents), index)

    def mkdir(self, key: str, *, parents: bool = False, index: int | None = None) -> int:
        """As `Tree.mkdir`."""
        return self._change(Mkdir(key, parents), index)

    def remove(self, key: str, *, recursive: bool = False, index: int | None = None) -> int:
        """As `Tree.remove`."""
        return self._change(Remove(key, recursive), index)

    def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes | None, *, index: int | None = None
    ) -> int:
        """As `Tree.compare_and_set`."""
        return self._change(CompareAndSet(key, expected, value), index)

    def batch(self, operations: Iterable[Operation], *, index: int | None = None) -> list[int | Exception]:
        """As `Tree.batch`."""
        typed = [_typed(operation) for operation in operations]
        check_type("index", index, int, type(None))
        index = self._new_index(index)
        answers: list[int | Exception] = []
        for operation in typed:
            try:
                self._check_form(operation)
                self._apply(operation, index)
                answers.append(index)
            except WatchTreeError as error:
                answers.append(error)
        return answers

    def get(self, key: str) -> Node:
        """As `Tree.get`."""
        self._check_key(key)
        node = self.find(key)
        if node is None:
            raise NotFound(f"key {key!r} does not exist", key=key)
        return node

    def get_many(self, keys: Iterable[str]) -> list[Node | None]:
        """As `Tree.get_many`."""
        if isinstance(keys, str):
            raise TypeError(f"keys is {keys!r}; give several keys, such as a list")
        keys = list(keys)
        for key in keys:
            check_type("key", key, str)
        for key in keys:
            self._check_key(key)
        return [self.find(key) for key in keys]

    def list(self, key: str = "") -> list[Node]:
        """As `Tree.list`."""
        node = self.get(key)
        if not node.is_directory:
            raise NotDirectory(f"key {key!r} is a value; read it with get", key=key)
        return [self._nodes[child] for child in self._children(key)]

    def snapshot(self) -> bytes:
        """As `Tree.snapshot`, in the model's own format."""
        nodes = [
            (node.key, None if node.value is None else base64.b64encode(node.value).decode(), *node[3:])
            for node in self._nodes.values()
        ]
        body = IMAGE_MAGIC + json.dumps([str(self._id), self._index, nodes]).encode()
        return body + zlib.crc32(body).to_bytes(4, "little")

    def restore(self, image: bytes) -> None:
        """As `Tree.restore`."""
        body, checksum = image[:-4], image[-4:]
        if not body.startswith(IMAGE_MAGIC) or zlib.crc32(body).to_bytes(4, "little") != checksum:
            raise InvalidSnapshot("the image is not one of the model, or is damaged")
        tree_id, index, nodes = json.loads(body[len(IMAGE_MAGIC) :])
        self._id = uuid.UUID(tree_id)
        self._index = index
        self._nodes = {
            key: Node(key, None if value is None else base64.b64decode(value), value is None, created, updated)
            for key, value, created, updated in nodes
        }
        for follower in self._followers:
            follower.tree_restored()

    def verify(self) -> None:
        """Check that the nodes are a tree: each has a directory above it, and no node is newer than one above it."""
        assert self._nodes[""].update_index == self._index, "the root's update_index is the tree's index"
        for key, node in self._nodes.items():
            assert node.is_directory == (node.value is None), f"{key!r} is a value or a directory"
            assert 0 <= node.create_index <= node.update_index, f"{key!r} is made before it is changed"
            if key:
                above = self._nodes.get(parent(key))
                assert above is not None, f"{key!r} hangs in a node"
                assert above.is_directory, f"{key!r} hangs in a directory"
                assert above.update_index >= node.update_index, f"{key!r} is not newer than its parent"

    def __len__(self) -> int:
        return len(self._nodes) - 1

    def __contains__(self, key: object) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted((key for key in self._nodes if key), key=key_order))

    def __repr__(self) -> str:
        return f"ModelTree(index={self._index}, nodes={len(self)})"

    # What the model of the dispatcher needs, beside what every user has.

    def find(self, key: str) -> Node | None:
        """The node of a well-formed key, or None."""
        return self._nodes.get(key)

    def check_key(self, key: str, max_bytes: int) -> None:
        """Raise what `get` would raise for the form of a key, with another limit."""
        check_type("key", key, str)
        check_key(key, max_bytes)

    def follow(self, follower: Follower) -> None:
        """Tell a follower of every change from now on, for as long as it lives."""
        self._followers.add(follower)

    # Changes, in the order in which the contract looks for errors: types, form, index, state of the tree.

    def _change(self, operation: Operation, index: int | None) -> int:
        operation = _typed(operation)
        check_type("index", index, int, type(None))
        self._check_form(operation)
        index = self._new_index(index)
        self._apply(operation, index)
        return index

    def _check_form(self, operation: Operation) -> None:
        self._check_key(operation.key)
        if isinstance(operation, Put | CompareAndSet) and operation.value is not None:
            limit = self._config.max_value_bytes
            if len(operation.value) > limit:
                raise ValueTooLong(
                    f"the value of {operation.key!r} has {len(operation.value)} bytes; the limit is {limit}",
                    key=operation.key,
                    limit=limit,
                )
        if isinstance(operation, Remove) and operation.key == "":
            raise InvalidKey("the root cannot be removed; remove what is below it", key="")

    def _check_key(self, key: str) -> None:
        self.check_key(key, self._config.max_key_bytes)

    def _new_index(self, index: int | None) -> int:
        if index is None:
            index = self._index + 1
        if index > MAX_INDEX:
            raise ValueError(f"index {index} is above 2^63 - 1")
        if index <= self._index:
            raise StaleIndex(f"index {index} is not greater than the tree's, {self._index}", index=self._index)
        return index

    def _apply(self, operation: Operation, index: int) -> None:
        if isinstance(operation, Put):
            self._put(operation.key, operation.value, operation.parents, index)
        elif isinstance(operation, Mkdir):
            self._mkdir(operation.key, operation.parents, index)
        elif isinstance(operation, Remove):
            self._remove(operation.key, operation.recursive, index)
        else:
            self._compare_and_set(operation.key, operation.expected, operation.value, index)

    def _put(self, key: str, value: bytes, parents: bool, index: int) -> None:
        node = self.find(key)
        if node is None:
            self._create(key, value, parents, index)
        elif node.is_directory:
            raise IsDirectory(f"key {key!r} is a directory", key=key)
        else:
            self._nodes[key] = node._replace(value=value, update_index=index)
            self._changed([key], index)

    def _mkdir(self, key: str, parents: bool, index: int) -> None:
        node = self.find(key)
        if node is None:
            self._create(key, None, parents, index)
        elif node.is_directory:
            raise DirectoryExists(f"key {key!r} is a directory already", key=key)
        else:
            raise ValueExists(f"key {key!r} holds a value", key=key)

    def _create(self, key: str, value: bytes | None, parents: bool, index: int) -> None:
        above = ancestors(key)
        if not parents and above[0] not in self._nodes:
            raise ParentNotFound(f"the parent of {key!r} does not exist; parents=True makes it", key=key)
        missing = [ancestor for ancestor in above if ancestor not in self._nodes]
        if any(not self._nodes[ancestor].is_directory for ancestor in above if ancestor not in missing):
            raise ParentNotDirectory(f"a key above {key!r} is a value", key=key)
        for ancestor in missing:
            self._nodes[ancestor] = Node(ancestor, None, True, index, index)
        self._nodes[key] = Node(key, value, value is None, index, index)
        self._changed([key], index)

    def _remove(self, key: str, recursive: bool, index: int) -> None:
        if key not in self._nodes:
            raise NotFound(f"key {key!r} does not exist", key=key)
        gone = list(self._below_then_itself(key))
        if len(gone) > 1 and not recursive:
            raise HasChildren(f"key {key!r} has children; recursive=True removes them", key=key)
        for removed in gone:
            del self._nodes[removed]
        self._changed(gone, index)

    def _compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, index: int) -> None:
        node = self.find(key)
        current = node.value if node is not None else None
        if node is not None and node.is_directory:
            raise IsDirectory(f"key {key!r} is a directory", key=key)
        if current != expected:
            raise CompareFailed(f"key {key!r} is {current!r}, not {expected!r}", key=key)
        if value is None:
            self._remove(key, False, index)
        else:
            self._put(key, value, False, index)

    def _changed(self, keys: Keys, index: int) -> None:
        """keys: all that changed, the highest last."""
        above = ancestors(keys[-1])
        for ancestor in above:
            self._nodes[ancestor] = self._nodes[ancestor]._replace(update_index=index)
        self._index = index
        for follower in self._followers:
            follower.tree_changed([*keys, *above])

    def _children(self, key: str) -> Keys:
        return sorted((child for child in self._nodes if child and parent(child) == key), key=key_order)

    def _below_then_itself(self, key: str) -> Iterator[str]:
        for child in self._children(key):
            yield from self._below_then_itself(child)
        yield key


def _typed(operation: object) -> Operation:
    """The operation with its values as bytes of their own; TypeError for anything else."""
    if not isinstance(operation, Put | Mkdir | Remove | CompareAndSet):
        raise TypeError(f"{operation!r} is no operation; give Put, Mkdir, Remove or CompareAndSet")
    check_type("key", operation.key, str)
    if isinstance(operation, Put):
        check_type("parents", operation.parents, bool)
        return Put(operation.key, copied(operation.value), operation.parents)
    if isinstance(operation, CompareAndSet):
        expected, value = operation.expected, operation.value
        return CompareAndSet(
            operation.key,
            None if expected is None else copied(expected),
            None if value is None else copied(value),
        )
    if isinstance(operation, Mkdir):
        check_type("parents", operation.parents, bool)
    else:
        check_type("recursive", operation.recursive, bool)
    return operation
