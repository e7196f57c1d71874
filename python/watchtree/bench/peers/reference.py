"""The native core beside another program that measures the same workloads: `python -m watchtree.bench.peers.reference`.

The variable WATCHTREE_REFERENCE names the program. It is called with a workload and prints a line of JSON for each figure, with
the keys of `watchtree bench --json`. The two are run in turn, so that what else the machine does meanwhile touches both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from watchtree import _core
from watchtree.bench.figure import Figure
from watchtree.bench.peers.options import parse
from watchtree.bench.table import number

WORKLOADS = ("fanout", "spread", "coalesce", "directory", "register", "memory")


def of_reference(program: str, workload: str) -> Iterator[Figure]:
    """What the reference measures."""
    done = subprocess.run([program, workload], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            yield Figure.from_json(line)


def of_core(workload: str, rounds: int) -> list[Figure]:
    """What the native core measures."""
    found: list[Figure] = []
    _core.measure(workload, rounds, lambda *figure: found.append(Figure(*figure)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it with these arguments (None: those of the process); its exit status."""
    options = parse("reference", __doc__, WORKLOADS, arguments)
    program = os.environ.get("WATCHTREE_REFERENCE")
    if program is None:
        sys.exit("set WATCHTREE_REFERENCE to the program that measures the reference")
    print(f"{'figure':24} {'watchtree':>10} {'reference':>10} {'better':>8}  of")
    for workload in options.workloads:
        theirs = {(figure.workload, figure.config): figure for figure in of_reference(program, workload)}
        for ours in of_core(workload, options.rounds):
            same = [figure for (name, _), figure in theirs.items() if name == ours.workload]
            exact = [figure for figure in same if figure.config == ours.config] or same
            if not exact:
                continue
            other = exact[0]
            ratio = other.number / ours.number if ours.smaller_is_better else ours.number / other.number
            print(
                f"{ours.workload:24} {number(ours.number, ours.unit):>10} {number(other.number, ours.unit):>10} "
                f"{ratio:>6.1f} x  {ours.config}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
