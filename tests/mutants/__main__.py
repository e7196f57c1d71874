"""Applies each fault to a copy of the sources, builds, and runs the quick suite, which must fail. Writes the table.

    python tests/mutants [--only WORDS] [--build DIR]      in an environment with the test extra, cmake and ninja

It takes a minute a fault. The table is tests/mutants/README.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("README.md")
SUITES = [
    ["tests/contract", "tests/regressions", "tests/simulation", "tests/trace"],
    ["tests/properties", "tests/threads"],
]
"""The quick one first; the other where that finds nothing."""


class Copy:
    """A copy of the sources with a build of its own."""

    def __init__(self, folder: Path) -> None:
        self.sources = folder / "sources"
        self.build = folder / "build"
        shutil.rmtree(self.sources, ignore_errors=True)
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "*.so", "__pycache__", ".hypothesis", ".*_cache")
        shutil.copytree(ROOT, self.sources, ignore=ignored)
        config = ["-DWATCHTREE_PYTHON=ON", "-DWATCHTREE_CHECKED=ON", "-DWATCHTREE_LTO=OFF", "-DCMAKE_BUILD_TYPE=Debug"]
        pybind = subprocess.run(
            [sys.executable, "-m", "pybind11", "--cmakedir"], capture_output=True, text=True, check=True
        )
        config += [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind.stdout.strip()}"]
        command = ["cmake", "-S", self.sources, "-B", self.build, "-G", "Ninja", *config]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def make(self) -> bool:
        """Build, and put the module where Python finds it; False if it does not compile."""
        done = subprocess.run(["ninja", "-C", self.build, "_core"], capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout[-2000:])
            return False
        for module in self.build.glob("_core*.so"):
            shutil.copy(module, self.sources / "python" / "watchtree")
        return True

    def first_failure(self, suite: list[str]) -> str | None:
        """The first test that fails, or how the run ended; None if all is well."""
        # Verbose, so that the last line names the test in which the process ended.
        command = [sys.executable, "-m", "pytest", "-x", "-v", "-p", "no:cacheprovider", "--timeout=600", *suite]
        environment = {**os.environ, "PYTHONPATH": str(self.sources / "python"), "WATCHTREE_PROFILE": "dev"}
        try:
            done = subprocess.run(
                command, cwd=self.sources, env=environment, capture_output=True, text=True, timeout=900, check=False
            )
        except subprocess.TimeoutExpired:
            return "the suite hung"
        if done.returncode == 0:
            return None
        failed = re.findall(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", done.stdout, flags=re.MULTILINE)
        if failed:
            return str(failed[0])
        begun = re.findall(r"^(tests/\S+::.+?) *(?:PASSED.*)?$", done.stdout, flags=re.MULTILINE)
        if begun:
            return f"{begun[-1]} (the process ended)"
        print(done.stdout[-3000:], done.stderr[-1000:])
        return f"the run ended with {done.returncode}"

    def caught_by(self, fault: Fault) -> str:
        """What catches it."""
        path = self.sources / fault.file
        original = path.read_text(encoding="utf-8")
        if original.count(fault.text) != 1:
            raise SystemExit(
                f"{fault.name}: {fault.file} has its text {original.count(fault.text)} times; mend faults.py"
            )
        path.write_text(original.replace(fault.text, fault.mutant), encoding="utf-8")
        try:
            if not self.make():
                raise SystemExit(f"{fault.name}: does not compile; mend faults.py")
            for suite in SUITES:
                caught = self.first_failure(suite)
                if caught is not None:
                    return caught
            return "NOTHING"
        finally:
            path.write_text(original, encoding="utf-8")


def write_table(rows: dict[str, str]) -> None:
    """The table in the repository; rows of faults that are gone leave it."""
    lines = [
        "# Faults that the tests catch",
        "",
        "Made by `python tests/mutants`: each fault is planted in a copy of the core, and this test fails first.",
        "",
        "| fault | breaks | where | caught by |",
        "|---|---|---|---|",
    ]
    for fault in FAULTS:
        if fault.name in rows:
            lines.append(f"| {fault.name} | {fault.breaks} | `{fault.file}` | `{rows[fault.name]}` |")
    TABLE.write_text("\n".join([*lines, ""]), encoding="utf-8")


def read_table() -> dict[str, str]:
    """What the table says now."""
    if not TABLE.exists():
        return {}
    return dict(
        re.findall(r"^\| (.+?) \| .+? \| `.+?` \| `(.+?)` \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    )


def main() -> int:
    """Run it; exit status 1 if a fault was not caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORDS", help="only faults whose name has these words")
    parser.add_argument(
        "--missing", action="store_true", help="only faults that the table does not have, or as NOTHING"
    )
    parser.add_argument("--build", metavar="DIR", type=Path, default=ROOT / "build" / "mutants", help="where to work")
    options = parser.parse_args()
    copy = Copy(options.build.resolve())
    if not copy.make():
        raise SystemExit("the sources do not compile")
    rows = read_table()
    survived = []
    for fault in FAULTS:
        if options.only and options.only not in fault.name:
            continue
        if options.missing and rows.get(fault.name, "NOTHING") != "NOTHING":
            continue
        begin = time.monotonic()
        rows[fault.name] = copy.caught_by(fault)
        print(f"{time.monotonic() - begin:4.0f} s  {fault.name}: {rows[fault.name]}", flush=True)
        write_table(rows)
        if rows[fault.name] == "NOTHING":
            survived.append(fault.name)
    print(f"{len(rows)} faults, {len(survived)} of those tried were not caught: {survived}")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
