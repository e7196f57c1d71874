"""Reads a directory of files as keys and values: `json/decoder.py` becomes the key `json.decoder%2Epy`."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

# A demonstration must not eat the machine when it is pointed at somebody's home directory.
MAX_ENTRIES = 100_000
MAX_BYTES = 512 << 20


class Entry(NamedTuple):
    """A file or a directory, as it goes into a tree."""

    key: str
    value: bytes | None
    """The contents of a file, None for a directory."""


@dataclass(frozen=True)
class Source:
    """A directory, and which of its files are read.

    root: the directory, a path without symbolic links. skip: names of files and directories that are passed over at any depth. max_value_bytes: larger
    files are left out.
    """

    root: str
    skip: frozenset[str] = frozenset()
    max_value_bytes: int = 1 << 20
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files and directories were left out, by reason."""

    def key_of(self, path: str) -> str | None:
        """The key of a path below the root; None if it is not below it, or passed over, or below a symbolic link."""
        if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
            return None
        relative = os.path.relpath(path, self.root)
        names = [] if relative == os.curdir else relative.split(os.sep)
        if any(name == os.pardir or name in self.skip for name in names):
            return None
        return ".".join(map(escape, names))

    def read(self) -> Iterator[Entry]:
        """Everything below the root, a directory before what is in it, in the order of names."""
        size = 0
        for number, entry in enumerate(self._read_below(self.root, "")):
            size += len(entry.value or b"")
            if number == MAX_ENTRIES or size > MAX_BYTES:
                self.left_out[f"everything after the first {number:,} entries"] += 1
                return
            yield entry

    def read_path(self, path: str, key: str) -> Iterator[Entry]:
        """One file, or one directory with everything below it; nothing if it is not there or is left out."""
        try:
            if os.path.islink(path):
                self.left_out["symbolic links"] += 1
            elif os.path.isdir(path):
                yield Entry(key, None)
                yield from self._read_below(path, key + "." if key else "")
            elif os.path.isfile(path):
                value = self._read_file(path)
                if value is not None:
                    yield Entry(key, value)
            elif os.path.lexists(path):
                self.left_out["sockets, pipes and devices"] += 1
        except OSError:
            self.left_out["unreadable"] += 1

    def _read_below(self, directory: str, prefix: str) -> Iterator[Entry]:
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            self.left_out["unreadable"] += 1
            return
        for name in names:
            if name not in self.skip:
                yield from self.read_path(os.path.join(directory, name), prefix + escape(name))

    def _read_file(self, path: str) -> bytes | None:
        with open(path, "rb") as file:
            value = file.read(self.max_value_bytes + 1)
        if len(value) > self.max_value_bytes:
            self.left_out[f"files of more than {self.max_value_bytes:,} bytes"] += 1
            return None
        return value


def escape(name: str) -> str:
    """A file name as one part of a key: `.`, `%` and what no key may have become `%2E` or `%uDC80`, reversibly."""
    return "".join(map(_escape_character, name))


def unescape(part: str) -> str:
    """The file name that `escape` made this part of."""
    return re.sub("%u([0-9A-F]{4})|%([0-9A-F]{2})", lambda match: chr(int(match[1] or match[2], 16)), part)


def _escape_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":  # a byte of a file name that is no UTF-8, as Python stands for it
        return f"%u{ord(character):04X}"
    if category == "Cc" or character in ".%":
        return f"%{ord(character):02X}"
    return character
