"""The notebooks are true: each runs from top to bottom on a clean kernel, and what is stored of it is small and in order."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 200_000
SECONDS_A_CELL = 120

notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    import nbformat

    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.kernel
@notebook
def test_it_runs_from_top_to_bottom(path):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # of the tools that run it
        from nbclient import NotebookClient

        client = NotebookClient(
            read(path), timeout=SECONDS_A_CELL, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
        )
        client.execute()


@notebook
def test_what_is_stored_was_run_once_in_order_and_is_small(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert path.stat().st_size <= MOST_BYTES


@notebook
def test_it_has_prose_before_each_step(path):
    kinds = [cell.cell_type for cell in read(path).cells]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= kinds.count("code") / 2
