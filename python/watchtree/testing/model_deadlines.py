"""Moments at which something is to happen: earliest first, equal ones in the order they were set (§3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Deadlines(Generic[Item]):
    """At most one moment, in nanoseconds, for each item."""

    def __init__(self) -> None:
        self._moments: dict[Item, int] = {}

    def __len__(self) -> int:
        return len(self._moments)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._moments)

    def set(self, item: Item, moment: int) -> None:
        """Set the moment of an item; a moment that it had before is forgotten, with its place."""
        self.forget(item)
        self._moments[item] = moment

    def forget(self, item: Item) -> None:
        """Take an item out, if it is there."""
        self._moments.pop(item, None)

    def earliest(self) -> int | None:
        """The first moment, None if there is none."""
        return min(self._moments.values(), default=None)

    def come(self, now: int) -> Item | None:
        """The first item whose moment has come, None if there is none. It stays."""
        if not self._moments:
            return None
        first = min(self._moments, key=self._moments.__getitem__)  # of equal ones, min answers the one set first
        return first if self._moments[first] <= now else None
