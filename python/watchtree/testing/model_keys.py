"""Keys as the contract states them (§1): what is refused, what stands above a key, in which order keys come."""

from __future__ import annotations

import unicodedata

from watchtree.errors import InvalidKey, KeyTooLong

REFUSED_CATEGORIES = {"Cc": "a control character", "Cs": "a lone surrogate"}


def check_key(key: str, max_bytes: int) -> None:
    """Raise InvalidKey or KeyTooLong for a key that no tree may hold."""
    for character in key:
        refused = REFUSED_CATEGORIES.get(unicodedata.category(character))
        if refused:
            raise InvalidKey(f"key {key!r} has {refused}, {character!r}; leave it out", key=key)
    if key and not all(key.split(".")):
        raise InvalidKey(f"key {key!r} has an empty part; use no leading, trailing or double dot", key=key)
    size = len(key.encode())
    if size > max_bytes:
        raise KeyTooLong(
            f"key {key!r} has {size} bytes; the limit is {max_bytes}; shorten it", key=key, limit=max_bytes
        )


def key_order(key: str) -> list[bytes]:
    """What sorts keys: part by part, byte by byte, parents before their children."""
    return key.encode().split(b".") if key else []


def parent(key: str) -> str:
    """The key one part shorter. Not for the root."""
    return key.rpartition(".")[0]


def ancestors(key: str) -> list[str]:
    """The keys above a key, from its parent up to the root; none for the root."""
    above = []
    while key:
        key = parent(key)
        above.append(key)
    return above
