"""Real changes: keeps a tree equal to a directory, by watchfiles (the extra "follow")."""

from __future__ import annotations

from collections.abc import Iterator

from watchtree import Tree
from watchtree.cli.source import Source

PAUSE_MS = 10


class FollowUnavailable(Exception):
    """watchfiles is not installed."""


class Follow:
    """Brings the changes below a source's root into a tree. It begins at once to take note of them.

    Errors: FollowUnavailable.
    """

    def __init__(self, tree: Tree, source: Source) -> None:
        try:
            import watchfiles
        except ImportError as error:
            raise FollowUnavailable(
                "--follow needs watchfiles, which is not installed; install it with: pip install 'watchtree[follow]'"
            ) from error
        self._tree = tree
        self._source = source
        self._noticed: Iterator[set[tuple[watchfiles.Change, str]]] = watchfiles.watch(
            source.root,
            watch_filter=None,
            debounce=100,
            step=PAUSE_MS,
            rust_timeout=PAUSE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        next(self._noticed, None)  # the watch is set up here, before anybody reads the directory
        self.count = 0

    def advance(self, now: float) -> None:
        """Bring in the changes noticed since the last call, after waiting a few milliseconds for some. now: not used."""
        paths = {path for _, path in next(self._noticed, set())}
        for path in sorted(paths):
            self.bring_in(path)

    def bring_in(self, path: str) -> None:
        """Make the tree below one path what the directory is now: events say what to look at, never what happened."""
        key = self._source.key_of(path)
        if not key:
            return
        seen = set()
        for entry in self._source.read_path(path, key):
            seen.add(entry.key)
            self._set(entry.key, entry.value)
        for gone in self._below(key):
            if gone not in seen and gone in self._tree:
                self._tree.remove(gone, recursive=True)
                self.count += 1

    def _set(self, key: str, value: bytes | None) -> None:
        for end in (i for i, character in enumerate(key) if character == "."):
            self._remove_unless(key[:end], is_directory=True)
        self._remove_unless(key, is_directory=value is None)
        if value is None:
            if key not in self._tree:
                self._tree.mkdir(key, parents=True)
                self.count += 1
        elif key not in self._tree or self._tree.get(key).value != value:
            self._tree.put(key, value, parents=True)
            self.count += 1

    def _remove_unless(self, key: str, *, is_directory: bool) -> None:
        """A file took a directory's place, or a directory a file's: clear the way."""
        if key in self._tree and self._tree.get(key).is_directory is not is_directory:
            self._tree.remove(key, recursive=True)
            self.count += 1

    def _below(self, key: str) -> Iterator[str]:
        """A key of the tree and all keys below it, parents first."""
        if key not in self._tree:
            return
        yield key
        if key in self._tree and self._tree.get(key).is_directory:
            for child in self._tree.list(key):
                yield from self._below(child.key)
