"""The pages of python/docs are true: their examples run, what they link, include and name is there. .ci/documentation builds them."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
import watchtree
from pages import Example, broken_links, examples

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "python" / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
EXAMPLES = [example for path in PAGES.values() for example in examples(path)]
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def text_of(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


@pytest.fixture
def _generated(monkeypatch: pytest.MonkeyPatch) -> None:
    """watchtree_pb2 stands where protoc would leave it: beside the program."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "wire")


@pytest.mark.usefixtures("_generated")
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_runs_and_prints_what_the_page_says(example: Example) -> None:
    assert example.run() == example.output


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 20


@each_page
def test_a_block_is_an_example_or_a_text_or_a_directive(page: Path) -> None:
    """Nothing looks like code and is not run."""
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {fence for fence in fences[::2] if not fence.startswith("{")} <= {"python", "text"}
    assert set(fences[1::2]) <= {""}


@each_page
def test_the_files_that_a_page_links_are_there(page: Path) -> None:
    assert broken_links(page) == []


@each_page
def test_what_a_page_includes_is_there_once(page: Path) -> None:
    included = re.compile(r"^```\{include\} (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for file, options in included.findall(page.read_text(encoding="utf-8")):
        text = (page.parent / file).read_text(encoding="utf-8")
        for marker in re.findall(r"^:(?:start-after|end-before): (.*)$", options, re.MULTILINE):
            assert text.count(ast.literal_eval(marker) + "\n") + text.count(ast.literal_eval(marker) + " ") == 1, marker


@each_page
def test_a_page_is_in_the_table_of_contents(page: Path) -> None:
    listed = re.findall(r"^```\{toctree\}\n(.*?)^```$", text_of("index.md"), re.MULTILINE | re.DOTALL)
    names = {line for block in listed for line in block.split()} | {"index"}
    assert page.relative_to(DOCS).with_suffix("").as_posix() in names


def test_every_public_name_has_an_entry_in_the_reference() -> None:
    entries = re.findall(r"^\.\. autoapi\w+:: watchtree\.(\w+)$", text_of("api.md"), re.MULTILINE)
    assert len(entries) == len(set(entries))
    package = ast.parse((ROOT / "python" / "watchtree" / "__init__.py").read_text(encoding="utf-8"))
    (public,) = [ast.literal_eval(node.value) for node in package.body if isinstance(node, ast.Assign)]
    assert set(public) <= set(entries)


def test_every_limit_has_a_line_on_how_to_choose_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", text_of("howto/limits.md"), re.MULTILINE)
    assert rows == [field.name for field in dataclasses.fields(watchtree.Config)]


def test_every_guarantee_is_explained() -> None:
    contract = (ROOT / "cpp" / "CONTRACT.md").read_text(encoding="utf-8")
    promised = re.findall(r"^- \*\*(G\d+) ", contract, re.MULTILINE)
    assert re.findall(r"^- \*\*(G\d+), ", text_of("guarantees.md"), re.MULTILINE) == promised


def test_every_failure_and_result_has_its_place_in_the_answers_of_a_transport() -> None:
    page = text_of("howto/transport.md")
    for failure in watchtree.Failure:
        assert failure.name in page, failure
    for result in watchtree.Result:
        assert f"Result.{result.name}" in page, result


def test_paths_in_backquotes_are_there() -> None:
    for name, path in PAGES.items():
        for found in re.findall(r"`((?:cpp|tests|python|notebooks|\.ci)/[\w./]*)`", path.read_text(encoding="utf-8")):
            assert (ROOT / found).exists(), f"{found} in {name}"


def test_the_gate_builds_the_documentation() -> None:
    assert re.search(r"^ +part 'documentation' documentation$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
