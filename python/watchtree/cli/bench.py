"""`watchtree bench`: measures both ends of the engine on this machine, beside what the machine can do at all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from watchtree import _core
from watchtree.bench import callbacks, table
from watchtree.bench.figure import Figure, read_figures
from watchtree.bench.limits import python_call
from watchtree.bench.rounds import measure

ENDS = ("native", "python")
LIMITS = "limits"
MOST_ROUNDS = 10_000


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options to the parser of the command."""
    parser = subcommands.add_parser(
        "bench",
        help="measure the engine on this machine, beside the machine's own limits",
        description="Measures workloads of the native core (--end native), or of Python callbacks (--end python): each "
        "figure is the median of its rounds, and a multiple of what bounds it on this machine: loads from memory, empty "
        "calls, look-ups. All of them take minutes and, for the 10,000,000 watches of `scale`, 5 GiB.",
        epilog=f"Workloads, native: {', '.join(_core.workloads())}; python: {', '.join(callbacks.WORKLOADS)}.",
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which (default: all of the end but scale)")
    parser.add_argument("--end", choices=ENDS, default="native", help="(default: native)")
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="timed rounds of each (default: 5)")
    parser.add_argument("--json", metavar="FILE", help="write each figure as a line of JSON, to - instead of the table")
    parser.add_argument("--compare", metavar="FILE", type=Path, help="beside what --json wrote in an earlier run")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Run it; its exit status."""
    known = _core.workloads() if options.end == "native" else (LIMITS, *callbacks.WORKLOADS)
    unknown = [name for name in options.workloads if name not in known]
    if unknown:
        options.parser.error(f"the {options.end} end has no workload {unknown[0]}; choose from {', '.join(known)}")
    if not 1 <= options.rounds <= MOST_ROUNDS:
        options.parser.error(f"--rounds is {options.rounds}; give 1 to {MOST_ROUNDS}")
    chosen = options.workloads or [name for name in known if name != "scale"]
    if LIMITS not in chosen:
        chosen.insert(0, LIMITS)

    try:
        # Both files are opened before anything is measured: what cannot be written or compared is not minutes' work.
        with ExitStack() as opened:
            try:
                old = None if options.compare is None else list(read_figures(options.compare))
                if options.json is None:
                    lines = None
                elif options.json == "-":
                    lines = sys.stdout
                else:
                    lines = opened.enter_context(Path(options.json).open("w", encoding="utf-8"))
            except (OSError, ValueError) as error:
                options.parser.error(str(error))
            _measure(options, chosen, old, lines)
    except OSError as error:
        if options.json in (None, "-"):
            raise
        print(f"watchtree bench: cannot write {options.json}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace, chosen: list[str], old: list[Figure] | None, lines: TextIO | None) -> None:
    """lines: where each figure goes as a line of JSON. The table is not printed where these go to the standard output."""
    readable = sys.stderr if lines is sys.stdout else sys.stdout
    as_table = lines is not sys.stdout
    if as_table:
        print(f"the {options.end} end, {_core.build_type} build, median of {options.rounds} rounds")
        print(table.line(table.HEAD))
    figures: list[Figure] = []
    for name in chosen:
        for figure in _measured(options.end, name, options.rounds):
            figures.append(figure)
            if lines is not None:
                print(figure.to_json(), file=lines, flush=True)
            if as_table:
                print(table.line(table.row(options.end, figure, figures)), flush=True)
    if old is not None:
        print(*table.comparison(old, figures), sep="\n", file=readable)


def _measured(end: str, name: str, rounds: int) -> Iterator[Figure]:
    """The figures of one workload. The limits of both ends are measured with either."""
    if name == LIMITS or end == "native":
        found: list[Figure] = []
        _core.measure(name, rounds, lambda *figure: found.append(Figure(*figure)))
        yield from found
    if name == LIMITS:
        yield from measure(python_call, rounds)
    elif end == "python":
        yield from callbacks.WORKLOADS[name](rounds)
