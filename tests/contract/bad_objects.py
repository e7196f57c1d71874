"""Arguments that no call expects: wrong types, and objects that misbehave when they are looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal


class Refused(Exception):
    """Raised by the objects below, so that a test knows whose error it sees."""


TYPE_ERROR = (TypeError, Refused)
"""What a wrong type ends with: a TypeError, or the error of an object that raises when it is looked at."""


class Raising:
    """Whatever is asked of it, it raises."""

    def refuse(self, *args: object) -> object:
        raise Refused

    __bool__ = __index__ = __int__ = __float__ = __str__ = __len__ = __iter__ = __getitem__ = refuse  # type: ignore
    __eq__ = __hash__ = __call__ = __bytes__ = __contains__ = refuse  # type: ignore

    def __repr__(self) -> str:
        raise Refused


class Text(str):
    """A str that raises from each of its methods; its characters are those of a str."""

    def refuse(self, *args: object) -> object:
        raise Refused

    __str__ = __repr__ = encode = split = __len__ = __iter__ = __getitem__ = refuse  # type: ignore


class Number(int):
    """An int that raises when it is asked for its number."""

    def refuse(self, *args: object) -> object:
        raise Refused

    __index__ = __int__ = __repr__ = __str__ = refuse  # type: ignore


class RaisingMapping(Mapping):  # type: ignore[type-arg]
    """Yields some of its keys and then raises."""

    def __getitem__(self, key: str) -> int:
        return 0

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[str]:
        yield "first"
        yield "second"
        raise Refused


class MappingWithoutValues(RaisingMapping):
    """Knows its keys and raises when it is asked for what they stand for."""

    def __iter__(self) -> Iterator[str]:
        return iter(["first", "second"])

    def __getitem__(self, key: str) -> int:
        raise Refused


class RaisingSequence(Sequence):  # type: ignore[type-arg]
    """A sequence of two items that raises for the second."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, position: object) -> object:
        if position == 0:
            return 0
        raise Refused


def raising_iterator(*items: object) -> Iterator[object]:
    """Yields the items and then raises."""
    yield from items
    raise Refused


NO_STR = {
    "None": None,
    "an int": 7,
    "a bool": True,
    "a float": 1.5,
    "bytes": b"key",
    "bytearray": bytearray(b"key"),
    "a list": ["key"],
    "a tuple": ("key",),
    "an object": object(),
    "a type": str,
    "an object that raises": Raising(),
}

NO_BUFFER = {
    "None": None,
    "an int": 7,
    "a bool": True,
    "a float": 1.5,
    "a str": "value",
    "a list": [1, 2],
    "an object": object(),
    "an object that raises": Raising(),
}

NO_INT = {
    "a str": "7",
    "bytes": b"7",
    "a float": 7.0,
    "not a number": math.nan,
    "infinity": math.inf,
    "a decimal": Decimal(7),
    "a list": [7],
    "an object": object(),
}

NO_BOOL = {"None": None, "a str": "yes", "a list": [1], "a float": 1.0, "an object": object()}

SURROGATES = ["\ud800", "a\udfff", "\ud83d\ude00"]
