"""A directory read as keys and values: names are escaped reversibly, and what does not fit is left out and counted."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watchtree import Tree
from watchtree.cli import source as source_module
from watchtree.cli.source import Entry, Source, escape, unescape

FILE_NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1)


def read(root: Path, **settings: frozenset[str] | int) -> list[Entry]:
    return list(Source(os.path.realpath(root), **settings).read())  # type: ignore[arg-type]


@given(FILE_NAMES)
def test_an_escaped_name_is_a_part_of_a_key_and_comes_back(name: str) -> None:
    part = escape(name)
    assert unescape(part) == name
    assert "." not in part
    Tree().put(part, b"")


@given(FILE_NAMES, FILE_NAMES)
def test_two_names_never_share_a_key(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "part"),
    [("decoder.py", "decoder%2Epy"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("caf\udce9", "caf%uDCE9"), ("é", "é")],
)
def test_names_stay_readable(name: str, part: str) -> None:
    assert escape(name) == part


def test_files_are_values_and_directories_come_before_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "decoder.py").write_bytes(b"import re")
    (tmp_path / "empty").mkdir()
    (tmp_path / "README").write_bytes(b"")
    assert read(tmp_path) == [
        Entry("README", b""),
        Entry("empty", None),
        Entry("json", None),
        Entry("json.decoder%2Epy", b"import re"),
    ]


def test_passed_over_names_are_passed_over_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "__pycache__").mkdir(parents=True)
    (tmp_path / "a" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert read(tmp_path, skip=frozenset({"__pycache__"})) == [Entry("a", None)]


def test_what_does_not_fit_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "fits").write_bytes(b"1234")
    (tmp_path / "large").write_bytes(b"12345")
    source = Source(os.path.realpath(tmp_path), max_value_bytes=4)
    assert list(source.read()) == [Entry("fits", b"1234")]
    assert source.left_out == {"files of more than 4 bytes": 1}


if sys.platform != "win32":

    def test_symbolic_links_are_left_out_so_that_a_loop_is_no_trouble(tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to(tmp_path)
        source = Source(os.path.realpath(tmp_path))
        assert list(source.read()) == []
        assert source.left_out == {"symbolic links": 1}

    def test_pipes_are_left_out_and_not_waited_for(tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        source = Source(os.path.realpath(tmp_path))
        assert list(source.read()) == []
        assert source.left_out == {"sockets, pipes and devices": 1}


def test_a_file_that_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_bytes(b"x")

    def refuse(*arguments: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(source_module, "open", refuse, raising=False)
    source = Source(os.path.realpath(tmp_path))
    assert list(source.read()) == []
    assert source.left_out == {"unreadable": 1}


def test_reading_ends_at_the_limit_of_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_ENTRIES", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(b"")
    source = Source(os.path.realpath(tmp_path))
    assert [entry.key for entry in source.read()] == ["a", "b"]
    assert source.left_out == {"everything after the first 2 entries": 1}


def test_a_path_has_a_key_only_below_the_root_and_not_behind_a_link(tmp_path: Path) -> None:
    root = Path(os.path.realpath(tmp_path)) / "root"
    (root / "a").mkdir(parents=True)
    source = Source(str(root), skip=frozenset({".git"}))
    assert source.key_of(str(root / "a" / "b.txt")) == "a.b%2Etxt"
    assert source.key_of(str(root)) == ""
    assert source.key_of(str(root.parent / "other")) is None
    assert source.key_of(str(root / ".git" / "index")) is None
    (root / "link").symlink_to(root / "a", target_is_directory=True)
    assert source.key_of(str(root / "link" / "b.txt")) is None
