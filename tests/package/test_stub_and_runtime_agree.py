"""The stub is the one source of the docstrings, and says what the native module has."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import watchtree
from watchtree import Batch, Dispatcher, ManualClock, Subscriber, Tree, _core

PACKAGE = Path(watchtree.__file__).parent
STUB = ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8"))
CLASSES = [node for node in STUB.body if isinstance(node, ast.ClassDef)]
MEMBERS = [
    (native.name, member.name, ast.get_docstring(member))
    for native in CLASSES
    for member in native.body
    if isinstance(member, ast.FunctionDef)
]
DOCUMENTED = {f"{native}.{member}": (native, member, text) for native, member, text in MEMBERS if text is not None}
NAMES = sorted({(native, member) for native, member, _ in MEMBERS})


def runtime(native, member):
    return getattr(getattr(_core, native), member)


def test_the_stub_names_the_native_classes():
    names = {"Batch", "Column", "Dispatcher", "Log", "ManualClock", "Recorder", "Subscriber", "Tree"}
    assert {node.name for node in CLASSES} == names
    assert {node.name for node in CLASSES} == {name for name, value in vars(_core).items() if inspect.isclass(value)}


@pytest.mark.parametrize(("native", "member"), NAMES)
def test_the_runtime_has_what_the_stub_promises(native, member):
    assert hasattr(getattr(_core, native), member)


@pytest.mark.parametrize("native", CLASSES, ids=lambda node: node.name)
def test_the_stub_promises_all_that_the_runtime_has(native):
    public = {name for name in vars(getattr(_core, native.name)) if not name.startswith("_")}
    assert public == {name for owner, name in NAMES if owner == native.name and not name.startswith("_")}


@pytest.mark.parametrize(("native", "member", "text"), DOCUMENTED.values(), ids=DOCUMENTED)
def test_a_docstring_of_the_runtime_is_the_stubs(native, member, text):
    assert inspect.cleandoc(runtime(native, member).__doc__) == text


@pytest.mark.parametrize("native", CLASSES, ids=lambda node: node.name)
def test_the_docstring_of_a_class_is_the_stubs(native):
    assert inspect.cleandoc(getattr(_core, native.name).__doc__) == ast.get_docstring(native)


def test_the_docstring_of_the_module_is_the_stubs():
    assert inspect.cleandoc(_core.__doc__) == ast.get_docstring(STUB)


def test_the_build_says_what_it_is():
    assert _core.build_type in ("release", "checked")


KNOWN_DIFFERENCES = r"""
watchtree\._core\.(Column|Dispatcher|Log|ManualClock|Recorder|Subscriber|Tree)  # the metaclass of pybind11, which no stub can name
watchtree\._core\.(Column|Log)\.__init__  # which the core alone makes
"""


def test_mypy_finds_no_difference_between_stub_and_runtime(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text(KNOWN_DIFFERENCES, encoding="utf-8")
    environment = dict(os.environ)
    if "site-packages" not in PACKAGE.parts:
        environment["MYPYPATH"] = str(PACKAGE.parent)
    ended = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "watchtree._core", "--allowlist", str(allowed)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_public_name_is_there_and_has_a_docstring_or_is_data():
    for name in watchtree.__all__:
        value = getattr(watchtree, name)
        if isinstance(value, types.GenericAlias):  # of a type that is only given a name; Python 3.10 calls it a class
            continue
        assert not (inspect.isclass(value) or inspect.isfunction(value)) or inspect.getdoc(value), name


@pytest.mark.parametrize("native", [Batch, Dispatcher, ManualClock, Subscriber, Tree])
def test_a_native_class_shows_the_public_package_as_its_home(native):
    assert native.__module__ in ("watchtree", "watchtree._core")
    assert getattr(sys.modules[native.__module__], native.__name__) is native


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()


# What objects show of themselves.


def test_a_tree_a_batch_and_a_dispatcher_show_what_they_are(rig):
    rig.put("a", b"v")
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    assert "Tree" in repr(rig.tree)
    assert "Dispatcher" in repr(rig.dispatcher)
    assert "alice" in repr(batch)
