"""The command `watchtree`: a table of its subcommands, each of which lives in a module of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (None: those of the process); its exit status."""
    from watchtree.cli.bench import add_to as add_bench
    from watchtree.cli.demo import add_to as add_demo
    from watchtree.cli.fuzz import add_to as add_fuzz

    parser = argparse.ArgumentParser(prog="watchtree", description="Reliable watches on a hierarchical key-value tree.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    subcommands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_demo(subcommands)
    add_fuzz(subcommands)
    add_bench(subcommands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone (`watchtree demo | head`); keep the interpreter from flushing into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


class _Version(argparse.Action):
    """Like argparse's own, but looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import watchtree

        print(watchtree.__version__)
        parser.exit()
