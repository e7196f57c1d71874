"""README.md is true: its examples run and print what they say, what it names is there, its commands are the gate's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import Example, broken_links, examples

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/watchtree demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/python -m pytest"

EXAMPLES = examples(ROOT / "README.md")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_runs_and_prints_what_the_readme_says(example: Example) -> None:
    assert example.run() == example.output


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2
    assert EXAMPLES[0].output


def test_the_two_commands_stand_in_blocks_of_their_own() -> None:
    assert re.findall(r"^```sh\n(.*?)\n```", README, re.MULTILINE | re.DOTALL) == [DEMO, TESTS]


def test_the_gate_runs_the_test_command_of_the_readme_and_the_demo() -> None:
    script = ROOT / ".ci" / "readme_command.py"
    found = subprocess.run([sys.executable, str(script), "pytest"], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == TESTS
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command.py pytest" in gate
    assert re.search(r"watchtree\"? demo", gate)


def test_the_files_that_it_links_are_there() -> None:
    assert broken_links(ROOT / "README.md") == []


def test_every_guarantee_of_the_contract_is_named_with_a_test_that_exists() -> None:
    contract = (ROOT / "cpp" / "CONTRACT.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (G\d+) \|.*\| `([^`]+)` \|$", README, re.MULTILINE)
    assert [name for name, _ in rows] == re.findall(r"^- \*\*(G\d+) ", contract, re.MULTILINE)
    for _, test in rows:
        file, _, function = test.partition("::")
        assert (
            f"def {function}(" in (ROOT / file).read_text(encoding="utf-8") if function else (ROOT / file).is_file()
        ), test


def test_paths_in_backquotes_are_there() -> None:
    paths = re.findall(r"`((?:cpp|tests|python|\.ci)/[\w./]+)`", README)
    assert paths
    for path in paths:
        assert os.path.exists(ROOT / path), path
