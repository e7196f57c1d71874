"""Who may use whom: base <- tree <- watch <- dispatch <- engine <- cpp/python <- python/watchtree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "cpp" / "core"
BINDING = ROOT / "cpp" / "python"
PACKAGE = ROOT / "python" / "watchtree"

MAY_INCLUDE = {
    "base": set(),
    "tree": {"base"},
    "watch": {"base", "tree"},
    "trace": {"base"},
    "dispatch": {"base", "tree", "watch", "trace"},
    "wire": {"base", "tree", "watch", "dispatch", "trace"},
    "subscriber": {"base"},
    "engine": {"base", "tree", "watch", "trace", "dispatch", "wire", "subscriber"},
}
"""The rooms of the core, each with those it may include; all may include themselves and the public headers."""


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in {".h", ".cc", ".hh", ".cpp"})


def code(path):
    """The text of a source without its comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def included(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def imported(path):
    """The names of the modules that a Python file imports, those below `if TYPE_CHECKING:` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_python(header):
    return header.startswith("pybind11") or Path(header).name == "Python.h"


CORE_SOURCES = {str(path.relative_to(CORE)): path for path in sources(CORE)}
OWN_HEADERS = {str(path.relative_to(ROOT)): path for path in sources(ROOT / "cpp" / "include")}
MODELS = {path.name: path for path in sorted((PACKAGE / "testing").glob("model*.py"))}


def test_the_rooms_of_the_core_are_those_that_are_known():
    assert {path.relative_to(CORE).parts[0] for path in sources(CORE)} == set(MAY_INCLUDE)


@pytest.mark.parametrize("path", CORE_SOURCES.values(), ids=CORE_SOURCES)
def test_no_room_of_the_core_includes_one_above_it(path):
    room = path.relative_to(CORE).parts[0]
    rooms = {Path(header).parts[1] for header in included(path) if header.startswith("core/")}
    assert rooms <= MAY_INCLUDE[room] | {room}


@pytest.mark.parametrize("path", CORE_SOURCES.values(), ids=CORE_SOURCES)
def test_the_core_names_its_headers_from_the_root_of_the_sources(path):
    """A header named by its file alone would escape the test above."""
    quoted = re.findall(r'#\s*include\s*"([^"]+)"', path.read_text(encoding="utf-8"))
    assert [header for header in quoted if not header.startswith(("core/", "watchtree/"))] == []


@pytest.mark.parametrize("path", OWN_HEADERS.values(), ids=OWN_HEADERS)
def test_a_public_header_includes_only_public_ones(path):
    assert [header for header in included(path) if header.startswith("core/") or is_python(header)] == []


def test_only_the_binding_includes_a_python_header():
    users = {path for path in sources(ROOT / "cpp") if any(is_python(header) for header in included(path))}
    assert users
    assert {path for path in users if BINDING not in path.parents} == set()


def test_the_core_is_not_included_from_the_binding_folder():
    assert [path for path in sources(CORE) if any("cpp/python" in header for header in included(path))] == []


def test_only_the_engine_has_a_mutex_or_starts_a_thread():
    words = re.compile(r"std::(\w*mutex|\w*lock|condition_variable\w*|j?thread|async)\b")
    assert {path.relative_to(CORE).parts[0] for path in sources(CORE) if words.search(code(path))} <= {"engine"}
    assert not [path for path in sources(CORE) if re.search(r"std::(j?thread|async)\b", code(path))]


def test_only_gil_h_touches_the_gil():
    words = re.compile(r"gil_scoped|PyGILState|PyEval_(Save|Restore)Thread|Py_BEGIN_ALLOW_THREADS|call_guard")
    assert {path.name for path in sources(ROOT / "cpp") if words.search(code(path))} == {"gil.h"}


def test_only_bind_errors_turns_codes_into_exceptions():
    users = {path.name for path in sources(BINDING) if "classes().errors" in code(path)}
    assert users <= {"bind_errors.cc", "classes.cc"}


def test_there_is_a_model():
    assert {"model_tree.py", "model_dispatcher.py"} <= set(MODELS)


@pytest.mark.parametrize("path", MODELS.values(), ids=MODELS)
def test_the_model_shares_no_code_with_the_native_core(path):
    """An oracle that shares code with the accused proves nothing."""
    plain = {"config", "errors", "records", "stats", "subscribing", "words"}
    for name in imported(path):
        package, _, rest = name.partition(".")
        if package == "watchtree":
            part = rest.split(".")[0]
            assert part in plain or rest.startswith("testing.model"), name


@pytest.mark.parametrize("part", ["config", "errors", "records", "stats", "subscribing", "words"])
def test_the_plain_parts_of_the_package_do_not_import_the_native_core(part):
    assert [name for name in imported(PACKAGE / f"{part}.py") if "_core" in name] == []


def test_the_engine_opens_no_socket():
    headers = {header for path in sources(CORE) for header in included(path)}
    assert not headers & {"sys/socket.h", "netinet/in.h", "winsock2.h", "fstream", "filesystem"}
