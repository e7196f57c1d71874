"""What the scripts of the peers are called with."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def parse(
    script: str, description: str | None, known: Sequence[str], arguments: Sequence[str] | None
) -> argparse.Namespace:
    """workloads, which are of those known, all unless some are named; rounds, 1 or more. Any other word ends the process."""
    parser = argparse.ArgumentParser(prog=f"python -m watchtree.bench.peers.{script}", description=description)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="timed rounds of each (default: 5)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.workloads if name not in known]
    if unknown:
        parser.error(f"there is no workload {unknown[0]}; choose from {', '.join(known)}")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; give 1 or more")
    options.workloads = options.workloads or list(known)
    return options
