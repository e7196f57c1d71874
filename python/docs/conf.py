"""How Sphinx makes the documentation: pages in Markdown, and the API reference from the stub and the sources.

.ci/documentation DIRECTORY builds it, every warning an error. Nothing is compiled and nothing of watchtree is imported. What
is written elsewhere in the repository (the contract, the README, the benchmarks) is included here, never copied.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.roles import XRefRole
from sphinx.util import logging

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = ROOT / "python" / "watchtree"

project = "watchtree"
copyright = "the watchtree contributors, Apache-2.0"  # noqa: A001  (Sphinx calls it so)
html_title = "watchtree"
html_theme = "furo"
html_copy_source = False
toc_object_entries_show_parents = "hide"
extensions = ["myst_parser", "sphinx.ext.autodoc", "autoapi.extension"]
nitpicky = True
nitpick_ignore = [  # names for types that say nothing without the source
    ("py:class", "watchtree.testing.simulation.links.MakeLink"),
    ("py:class", "Step"),
    ("py:class", "watchtree._core.Log"),
    ("py:class", "Columns"),
    ("py:class", "matplotlib.axes.Axes"),
]
smartquotes = False  # a quote in a docstring is one of Python's
default_role = "name"

myst_heading_anchors = 3

autoapi_dirs = [str(PACKAGE)]
autoapi_file_patterns = ["*.pyi", "*.py"]  # of a module with both, the stub
autoapi_ignore = ["*/bench/*", "*/cli/*", "*/__main__.py"]
suppress_warnings = ["autoapi.python_import_resolution"]  # a stub and a module may import types from each other
autoapi_options = ["members", "undoc-members", "imported-members"]
autoapi_generate_api_docs = False  # api.md says what stands where
autoapi_add_toctree_entry = False
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True

# Files of the repository that a page includes whole: a link to the file becomes a link to the page.
PAGES = {"README.md": "index"}
for _page in HERE.glob("*.md"):
    if _whole := re.match(r"```\{include\} (\S+)\n```", _page.read_text(encoding="utf-8")):
        PAGES[(HERE / _whole[1]).resolve().relative_to(ROOT).as_posix()] = _page.stem


class Name(XRefRole):  # type: ignore[misc]  # Sphinx is not there where types are checked
    """`Words in backquotes` of a docstring: a link if they name something that has an entry, and code in any case."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if not re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", self.text):
            return [nodes.literal(self.rawtext, self.text)], []
        self.name = "py:obj"
        found, messages = super().run()
        for node in found:
            node["may_be_anything"] = True
        return found, messages


def find_name(app: Sphinx, env: Any, node: pending_xref, shown: nodes.Element) -> nodes.Element | None:
    """A name as a source writes it (`watchtree.config.Config`, `Config`) has its entry where users import it."""
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    python = env.get_domain("py")
    may_be_anything = node.get("may_be_anything", False)
    whole = target if target.startswith("watchtree") else f"watchtree.{target}"
    name = whole
    while name not in python.objects and name.count(".") > 1 and not may_be_anything:
        package, _, last = name.rpartition(".")
        name = f"{package.rpartition('.')[0]}.{last}"
    if name in python.objects:
        found = python.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, shown)
        return found if isinstance(found, nodes.Element) else None
    standard = target.partition(".")[0] in sys.stdlib_module_names or hasattr(builtins, target)
    return shown if standard or may_be_anything else None


def show_examples(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """An indented paragraph of a docstring is code, as in Markdown."""
    for i in range(len(lines) - 1, 1, -1):
        before = next((line for line in reversed(lines[:i]) if line.strip()), "")
        if lines[i].startswith("    ") and not lines[i - 1].strip() and not before.startswith((" ", "- ")):
            lines[i:i] = ["::", ""]


def link_files(app: Sphinx, doctree: nodes.document) -> None:
    """Links of included files stay true: to the page that has the file, else to the file itself, as a download."""
    folder = Path(app.env.doc2path(app.env.docname)).parent
    for link in [*doctree.findall(pending_xref), *doctree.findall(download_reference)]:
        if link.get("reftype") != "myst" or link.get("refdomain"):
            continue
        path = Path(os.path.normpath(Path(link.source or folder / "_").parent / link["reftarget"].partition("#")[0]))
        if not path.is_relative_to(ROOT) or not path.exists():
            continue
        page = PAGES.get(path.relative_to(ROOT).as_posix())
        text = nodes.inline("", link.astext())
        new: nodes.Element = text  # a folder
        if page is not None:
            new = pending_xref("", text, refdomain="std", reftype="doc", reftarget=f"/{page}", refexplicit=True)
        elif path.is_file():
            new = download_reference("", "", text, reftarget=os.path.relpath(path, folder))
        new["refdoc"] = app.env.docname
        link.replace_self(new)


def show_signature(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, answers: str | None
) -> tuple[str, None] | None:
    """Users catch errors and name enums, they make none: how one is made is said once, at the base."""
    is_made = what != "exception" or name.endswith(".WatchTreeError")
    return None if is_made and signature != "(*args, **kwds)" else ("", None)


def list_notebooks(app: Sphinx, page: str, source: list[str]) -> None:
    """A line for each notebook: its heading, and the first sentence below it."""
    if page != "notebooks":
        return
    lines = []
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        text = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "markdown"))
        heading, _, rest = text.partition("\n")
        sentence = re.split(r"(?<=[.?!])\s", " ".join(rest.split()), maxsplit=1)[0]
        lines.append(f"- [{heading.lstrip('# ')}](../../notebooks/{file.name}): {sentence}")
    source[0] = source[0].replace("<!-- notebooks -->", "\n".join(lines))


def every_name_has_an_entry(app: Sphinx, env: Any) -> None:
    """What `from watchtree import *` brings is in the API reference."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            public = set(ast.literal_eval(statement.value))
            missing = {name for name in public if f"watchtree.{name}" not in env.get_domain("py").objects}
            if missing:
                logging.getLogger(__name__).warning("api.md has no entry for: %s", ", ".join(sorted(missing)))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_role("name", Name())
    app.connect("missing-reference", find_name)
    app.connect("autodoc-process-docstring", show_examples)
    app.connect("autodoc-process-signature", show_signature)
    app.connect("doctree-read", link_files, priority=400)  # before Sphinx collects downloads
    app.connect("source-read", list_notebooks)
    app.connect("env-check-consistency", every_name_has_an_entry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
