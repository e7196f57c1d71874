"""Invented changes: touches, rewrites, deletes and re-creates entries of a tree, without a pause."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from watchtree import Mkdir, Put, Tree
from watchtree.cli.source import Entry

CHANGES_PER_SECOND = 1000
MAX_REMOVED_AT_ONCE = 200
"""Directories with more nodes than this below them stay: nothing would be left of a small source."""


class Changes:
    """Changes a tree that was filled from `entries`, which decide what a deleted entry is re-created with.

    entries: a directory before what is in it. missing: keys without an entry, which come and go as well. The files that
    the entries were read from are never touched.
    """

    def __init__(self, tree: Tree, entries: Sequence[Entry], missing: Sequence[str], rng: random.Random) -> None:
        self._tree = tree
        self._rng = rng
        self._entries = entries
        self._contents: Mapping[str, bytes] = {key: value for key, value in entries if value is not None}
        self._keys = [*self._contents, *missing]
        self._removable = [i for i, (_, value) in enumerate(entries) if value is None and self._is_small(i)]
        self._began: float | None = None
        self.count = 0

    def advance(self, now: float) -> None:
        """Make the changes that are due by now, a limited number of them. now: seconds."""
        if self._began is None:
            self._began = now
        due = int((now - self._began) * CHANGES_PER_SECOND) - self.count
        for _ in range(min(due, CHANGES_PER_SECOND // 10)):
            self.make_one()

    def make_one(self) -> None:
        """Make one change, of a random kind to a random entry."""
        self.count += 1
        dice = self._rng.random()
        if dice < 0.02 and self._removable:
            self._change_directory(self._rng.choice(self._removable))
        elif dice < 0.04 and self._keys:
            keys = self._rng.choices(self._keys, k=5)
            self._tree.batch([Put(key, self._new_value(key), parents=True) for key in keys])
        elif self._keys:
            self._change_value(self._rng.choice(self._keys), self._rng.random())
        else:
            self._tree.put("new", b"")

    def _change_value(self, key: str, dice: float) -> None:
        if key not in self._tree:
            self._tree.put(key, self._contents.get(key, b"new"), parents=True)
        elif dice < 0.45:
            self._tree.put(key, self._tree.get(key).value or b"")  # touched: the same bytes are a change as well
        elif dice < 0.8:
            self._tree.put(key, self._new_value(key))
        else:
            self._tree.remove(key)

    def _new_value(self, key: str) -> bytes:
        return b"rewritten, change %d\n" % self.count + self._contents.get(key, b"")[:4096]

    def _change_directory(self, position: int) -> None:
        """Remove a directory with everything in it, or make it again as it was read."""
        key = self._entries[position].key
        if key in self._tree:
            self._tree.remove(key, recursive=True)
            return
        self._tree.batch(
            [
                Mkdir(entry.key, parents=True) if entry.value is None else Put(entry.key, entry.value)
                for entry in self._entries[position : self._end(position)]
            ]
        )

    def _is_small(self, position: int) -> bool:
        return self._end(position, MAX_REMOVED_AT_ONCE + 1) - position <= MAX_REMOVED_AT_ONCE

    def _end(self, position: int, limit: int = 1 << 60) -> int:
        """The position behind the entries below a directory, or one `limit` further on."""
        prefix = self._entries[position].key + "."
        end = position + 1
        while end < len(self._entries) and end - position < limit and self._entries[end].key.startswith(prefix):
            end += 1
        return end
