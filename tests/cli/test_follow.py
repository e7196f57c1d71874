"""`--follow`: events say where to look; the tree becomes what the directory is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from watchtree import Tree
from watchtree.cli.follow import Follow, FollowUnavailable
from watchtree.cli.source import Source


class Directory:
    """A directory, a tree that follows it, and watchfiles' place taken by a list of paths."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = Path(os.path.realpath(root))
        self.events: list[str] = []
        monkeypatch.setitem(sys.modules, "watchfiles", SimpleNamespace(watch=self._watch))
        self.tree = Tree()
        self.follow = Follow(self.tree, Source(str(self.root)))

    def _watch(self, *arguments: object, **settings: object) -> Iterator[set[tuple[int, str]]]:
        while True:
            noticed = {(1, path) for path in self.events}
            self.events.clear()
            yield noticed

    def notice(self, *names: str) -> None:
        self.events += [str(self.root / name) for name in names]
        self.follow.advance(0.0)

    def contents(self) -> dict[str, bytes | None]:
        return {key: self.tree.get(key).value for key in self.tree}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    return Directory(tmp_path, monkeypatch)


def test_a_new_file_is_put_with_its_directories(directory: Directory) -> None:
    (directory.root / "a" / "b").mkdir(parents=True)
    (directory.root / "a" / "b" / "c.txt").write_bytes(b"1")
    directory.notice("a/b/c.txt")
    assert directory.contents() == {"a": None, "a.b": None, "a.b.c%2Etxt": b"1"}


def test_a_directory_that_was_moved_in_brings_everything_below_it(directory: Directory) -> None:
    (directory.root / "a" / "b").mkdir(parents=True)
    (directory.root / "a" / "b" / "c").write_bytes(b"1")
    directory.notice("a")
    assert directory.contents() == {"a": None, "a.b": None, "a.b.c": b"1"}


def test_a_rewritten_file_is_a_change_and_an_untouched_one_is_none(directory: Directory) -> None:
    file = directory.root / "a"
    file.write_bytes(b"1")
    directory.notice("a")
    index = directory.tree.index
    directory.notice("a")
    assert directory.tree.index == index
    file.write_bytes(b"2")
    directory.notice("a")
    assert directory.contents() == {"a": b"2"}
    assert directory.follow.count == 2


def test_what_is_gone_is_removed_with_everything_below_it(directory: Directory) -> None:
    (directory.root / "a").mkdir()
    (directory.root / "a" / "b").write_bytes(b"1")
    (directory.root / "a" / "c").write_bytes(b"2")
    directory.notice("a")
    (directory.root / "a" / "b").unlink()
    directory.notice("a")
    assert directory.contents() == {"a": None, "a.c": b"2"}
    (directory.root / "a" / "c").unlink()
    (directory.root / "a").rmdir()
    directory.notice("a")
    assert directory.contents() == {}


def test_a_file_and_a_directory_take_each_others_place(directory: Directory) -> None:
    place = directory.root / "a"
    place.write_bytes(b"1")
    directory.notice("a")
    place.unlink()
    place.mkdir()
    (place / "b").write_bytes(b"2")
    directory.notice("a/b")
    assert directory.contents() == {"a": None, "a.b": b"2"}
    (place / "b").unlink()
    place.rmdir()
    place.write_bytes(b"3")
    directory.notice("a")
    assert directory.contents() == {"a": b"3"}


def test_the_root_itself_and_what_is_outside_mean_nothing(directory: Directory) -> None:
    directory.notice("", "../elsewhere")
    assert directory.contents() == {}


def test_without_watchfiles_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(FollowUnavailable, match=r"pip install 'watchtree\[follow\]'"):
        Follow(Tree(), Source(str(tmp_path)))
