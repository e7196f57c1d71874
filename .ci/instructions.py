"""Counts the instructions of small fixed workloads, and compares them with those that are known to be right.

    python3 .ci/instructions.py PROGRAM [--update]       PROGRAM: watchtree_counted, built for release (WATCHTREE_BENCH)

Times differ from run to run and from machine to machine, the instructions of one compiler's code hardly do. Needs valgrind.
The known counts are in instructions.json, by compiler; another compiler's are shown, and not compared. A workload that needs
more than the tolerance above them fails, and so does one that needs less: then it is time for --update, with the reason in
the commit.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path

KNOWN = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.03


def counted(program: str, workload: str) -> int:
    """The instructions of one workload."""
    command = ["valgrind", "--tool=callgrind", "--toggle-collect=*counted*", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*command, program, workload], capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def compiler() -> str:
    """Which compiler's code is counted, and for which processors."""
    version = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    machine = subprocess.run(["g++", "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip()
    return f"g++ {version.rpartition('.')[0]} {machine.partition('-')[0]}"


def main() -> int:
    """Run it; exit status 1 if a count is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the path of watchtree_counted")
    parser.add_argument("--update", action="store_true", help="write what is counted now")
    options = parser.parse_args()
    known: dict[str, dict[str, int]] = json.loads(KNOWN.read_text(encoding="utf-8")) if KNOWN.exists() else {}
    name = compiler()
    before = known.get(name, {})
    workloads = subprocess.run([options.program], capture_output=True, text=True, check=True).stdout.split()
    counts = {workload: counted(options.program, workload) for workload in workloads}
    wrong = []
    for workload, count in counts.items():
        if workload not in before:
            print(f"{workload:10} {count:12,}  not known for {name}")
            continue
        change = count / before[workload] - 1
        print(f"{workload:10} {count:12,}  {change:+.1%}")
        if abs(change) > TOLERANCE:
            wrong.append(f"{workload} needs {abs(change):.1%} {'more' if change > 0 else 'fewer'} instructions")
    if options.update:
        known[name] = counts
        KNOWN.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    for complaint in wrong:
        print(f"instructions: {complaint} than {KNOWN.name} says, of which {TOLERANCE:.0%} are allowed")
    if wrong:
        print("instructions: find out why (valgrind --tool=callgrind); if it is right, run this with --update")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
