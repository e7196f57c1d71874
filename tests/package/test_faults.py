"""The faults that are planted to see a test fail can still be planted: the core has their text once."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = runpy.run_path(str(ROOT / "tests" / "mutants" / "faults.py"))["FAULTS"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_core_has_the_text_that_a_fault_replaces_once(fault):
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.text) == 1


def test_no_two_faults_have_one_name():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
