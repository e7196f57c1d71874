"""Chooses what the simulated subscribers watch: keys, directories, and keys that do not exist yet."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from watchtree.cli.source import Entry

MISSING_KEYS = 300
LONGEST_PARENT = 1000
"""Characters; room for an invented name below it, whatever the length that a key may have."""


def choose_missing(entries: Sequence[Entry], rng: random.Random) -> list[str]:
    """Keys without an entry, in directories that exist; every third of them in a directory that is missing as well."""
    taken = {entry.key for entry in entries}
    directories = ["", *(e.key for e in entries if e.value is None and len(e.key) <= LONGEST_PARENT)]
    keys: list[str] = []
    number = 0
    while len(keys) < MISSING_KEYS:
        number += 1
        directory = rng.choice(directories)
        key = f"{directory}.new-{number}" if directory else f"new-{number}"
        if key not in taken:
            keys.append(key if number % 3 else f"{key}.inside")
    return keys


def choose_watches(
    entries: Sequence[Entry], missing: Sequence[str], subscribers: int, rng: random.Random
) -> Iterator[list[str]]:
    """For each subscriber its keys: up to ten, at least one; one subscriber in fifty watches the root."""
    values = [entry.key for entry in entries if entry.value is not None]
    directories = [entry.key for entry in entries if entry.value is None]
    for _ in range(subscribers):
        keys = rng.choices(missing, k=2)
        if values:
            keys += rng.choices(values, k=6)
        if directories:
            keys += rng.choices(directories, k=2)
        if rng.random() < 0.02:
            keys.append("")
        yield keys
