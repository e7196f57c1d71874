"""Makes docs.h, the docstrings of the native classes as C++ constants, from the stub, which is their one source.

Run by the build: docs.py python/watchtree/_core.pyi docs.h. A class is named in snake_case, what it holds with the class in
front: `docs::tree`, `docs::tree_put`, `docs::manual_clock_call` for `__call__`. A module attribute or function is its own
name, the module itself `docs::module`. What has no docstring in the stub has no constant.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

Documented = tuple[str, str]


def cpp_name(python_name: str) -> str:
    """ManualClock: manual_clock; __call__: call; _repr_html_: repr_html."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", python_name).lower().strip("_")


def documented(module: ast.Module) -> Iterator[Documented]:
    """Name and text of each docstring; `ast.get_docstring` cleans it as `inspect.cleandoc` does."""
    text = ast.get_docstring(module)
    if text is not None:
        yield "module", text
    yield from attributes(module.body, "")
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield from documented_class(node)
        elif isinstance(node, ast.FunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield cpp_name(node.name), text


def documented_class(node: ast.ClassDef) -> Iterator[Documented]:
    name = cpp_name(node.name)
    text = ast.get_docstring(node)
    if text is not None:
        yield name, text
    yield from attributes(node.body, name + "_")
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            text = ast.get_docstring(member)
            if text is not None:
                yield f"{name}_{cpp_name(member.name)}", text


def attributes(body: list[ast.stmt], prefix: str) -> Iterator[Documented]:
    """An attribute's docstring is the string that stands right below it."""
    for node, below in pairwise(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        text = ast.get_docstring(ast.Module(body=[below], type_ignores=[]))
        if text is not None:
            yield prefix + cpp_name(node.target.id), text


def literal(text: str) -> str:
    """The text as a raw string with an ending that the text does not contain."""
    mark = "doc"
    while f'){mark}"' in text:
        mark += "_"
    return f'R"{mark}({text}){mark}"'


def header(stub: str) -> str:
    constants: dict[str, str] = {}
    for name, text in documented(ast.parse(stub)):
        if name in constants:
            raise ValueError(f"two docstrings of the stub would both be docs::{name}; rename one or leave it out")
        constants[name] = text
    lines = [f"inline constexpr const char* {name} = {literal(text)};" for name, text in constants.items()]
    return "\n".join(
        [
            "// docs.h: the docstrings of python/watchtree/_core.pyi. Made by cpp/python/docs.py; edit the stub instead.",
            "#pragma once",
            "",
            "namespace watchtree::docs {",
            "",
            *lines,
            "",
            "}  // namespace watchtree::docs",
            "",
        ]
    )


def main() -> None:
    stub, target = map(Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(header(stub.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
