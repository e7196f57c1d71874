"""`watchtree demo`: a thousand subscribers follow a real directory through failures, and nothing is lost or repeated."""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import sysconfig
import time
from functools import partial

from watchtree import Config, Dispatcher, DispatcherStats, Runner, Tree, WatchTreeError
from watchtree.cli.changes import Changes
from watchtree.cli.connections import Connections
from watchtree.cli.faults import DemoFault, Faults
from watchtree.cli.follow import Follow, FollowUnavailable
from watchtree.cli.interrupts import Interrupts
from watchtree.cli.network import Network
from watchtree.cli.outcome import Outcome
from watchtree.cli.screen import Screen
from watchtree.cli.source import Entry, Source
from watchtree.cli.subscribers import Subscriber
from watchtree.cli.watched import choose_missing, choose_watches

ANSWER_TIMEOUT = 0.3
"""Seconds. Short, as all intervals of the demonstration, so that time-outs and retries happen in a few seconds."""
DROPS_PER_SECOND = 0.02
"""Of each connection, where failures are asked for at all."""
PATIENCE = 10.0
"""Seconds without any answer after which the end is not waited for any longer."""
NOT_OF_THE_LIBRARY = frozenset({"__pycache__", "site-packages", "dist-packages"})


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options to the parser of the command."""
    parser = subcommands.add_parser(
        "demo",
        help="subscribers follow a directory tree through failures; checks itself",
        description="Puts a directory tree into a tree of watchtree and has simulated subscribers watch keys, missing "
        "keys and directories of it, over a network that fails. Entries are touched, rewritten, deleted and made again, "
        "in memory only: no file is changed. At the end, what every subscriber holds is compared with the tree. "
        "Exit status: 0, or 1 if anything was lost or repeated. Ctrl-C ends it early, with the comparison.",
    )
    parser.add_argument("--path", metavar="DIR", help="the directory (default: Python's own standard library)")
    parser.add_argument("--subscribers", metavar="N", type=_count, default=1000, help="how many (default: 1000)")
    parser.add_argument(
        "--failures", metavar="P", type=_share, default=0.1, help="share of the sendings that go wrong (default: 0.1)"
    )
    parser.add_argument(
        "--seconds", metavar="S", type=_seconds, help="how long (default: 10; with --follow until Ctrl-C)"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="of all random choices, to make them again")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="follow the real changes in DIR instead of inventing some (needs: pip install 'watchtree[follow]')",
    )
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Run the demonstration; its exit status."""
    if options.follow and options.path is None:
        options.parser.error("--follow needs --path DIR: the directory to follow")
    root = os.path.realpath(options.path if options.path is not None else sysconfig.get_path("stdlib"))
    if not os.path.isdir(root):
        options.parser.error(f"{root} is not a directory; give one with --path DIR")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    if options.seconds is None:
        options.seconds = math.inf if options.follow else 10.0
    source = Source(root, NOT_OF_THE_LIBRARY if options.path is None else frozenset())
    with Interrupts() as interrupts:
        try:
            return _Demo(source, options, Screen(sys.stdout), interrupts).run()
        except FollowUnavailable as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("\ninterrupted; nothing was compared")
            return 130


class _Demo:
    def __init__(self, source: Source, options: argparse.Namespace, screen: Screen, interrupts: Interrupts) -> None:
        self.screen = screen
        self.interrupts = interrupts
        self.seconds: float = options.seconds
        rng = random.Random(options.seed)
        screen.line(f"seed {options.seed}")

        self.errors: list[str] = []
        config = Config(
            dispatch_interval=0.05,
            answer_timeout=ANSWER_TIMEOUT,
            channel_timeout=10.0,
            backoff=(0.05, 0.1, 0.2, 0.5),
            on_error=self._on_error,
        )
        self.tree = Tree(config=config)
        follow = Follow(self.tree, source) if options.follow else None
        entries = self._fill(source)
        missing = choose_missing(entries, rng)
        self.changes = follow or Changes(self.tree, entries, missing, random.Random(rng.random()))

        self.subscribers = [
            Subscriber(f"subscriber-{number}", keys)
            for number, keys in enumerate(choose_watches(entries, missing, options.subscribers, rng))
        ]
        self.faults = Faults(options.failures, random.Random(rng.random()))
        self.network = Network(
            {subscriber.name: subscriber for subscriber in self.subscribers},
            self.faults,
            random.Random(rng.random()),
            longest_delay=1.5 * ANSWER_TIMEOUT,
        )
        self.dispatcher = Dispatcher(self.tree, self.network.send, config=config)
        self.connections = Connections(
            self.dispatcher,
            self.network,
            self.subscribers,
            random.Random(rng.random()),
            DROPS_PER_SECOND * len(self.subscribers) if options.failures else 0.0,
        )
        self._described = (time.monotonic(), 0, 0)

    def run(self) -> int:
        with Runner(self.dispatcher):
            self._live()
            settled = self._settle()
        outcome = Outcome(
            self.tree, self.dispatcher, self.subscribers, self.faults, self.network, self.connections, self.errors
        )
        self.screen.table(outcome.rows(self.changes.count))
        for line in outcome.details():
            self.screen.line(line)
        if not settled:
            self.screen.line(f"not everything has arrived, and for {PATIENCE:.0f} seconds nothing was answered")
        return 1 if outcome.failed or not settled else 0

    def _fill(self, source: Source) -> list[Entry]:
        entries = []
        for entry in source.read():
            try:
                if entry.value is None:
                    self.tree.mkdir(entry.key)
                else:
                    self.tree.put(entry.key, entry.value)
            except WatchTreeError as error:
                source.left_out[type(error).__name__] += 1
                continue
            entries.append(entry)
            self.screen.progress(None, lambda: f"reading {source.root}: {len(entries):,} entries")
            if self.interrupts.asked:
                break
        size = sum(len(entry.value or b"") for entry in entries)
        self.screen.line(f"{source.root}: {len(entries):,} files and directories, {size:,} bytes")
        for reason, count in source.left_out.items():
            self.screen.line(f"left out: {count:,} x {reason}")
        return entries

    def _live(self) -> None:
        """Let things happen until the time is over or Ctrl-C is pressed."""
        self.connections.connect_all()
        began = now = time.monotonic()
        while now < began + self.seconds and not self.interrupts.asked:
            self.changes.advance(now)
            self.connections.advance(now)
            self.network.advance(now)
            elapsed = now - began
            share = elapsed / self.seconds if math.isfinite(self.seconds) else None
            self.screen.progress(share, partial(self._describe, elapsed))
            time.sleep(0.002)
            now = time.monotonic()

    def _settle(self) -> bool:
        """Let everything arrive: no more changes, faults and drops. Whether it did."""
        self.faults.end()
        self.connections.connect_all()
        answered, since = -1, time.monotonic()
        while True:
            now = time.monotonic()
            self.connections.advance(now, drop=False)
            self.network.advance(now)
            stats = self.dispatcher.stats()
            if _is_quiet(stats) and self.network.is_empty():
                return True
            if stats.batches_acknowledged != answered:
                answered, since = stats.batches_acknowledged, now
            elif now > since + PATIENCE:
                return False
            self.screen.progress(1.0, lambda: "the last ones arrive")
            time.sleep(0.002)

    def _describe(self, elapsed: float) -> str:
        delivered = sum(subscriber.delivered for subscriber in self.subscribers)
        now = time.monotonic()
        before, changes_before, delivered_before = self._described
        self._described = (now, self.changes.count, delivered)
        seconds = max(now - before, 0.001)
        changes = (self.changes.count - changes_before) / seconds
        deliveries = (delivered - delivered_before) / seconds
        stats = self.dispatcher.stats()
        return (
            f"{elapsed:.0f} s: {changes:,.0f} changes/s, {deliveries:,.0f} delivered/s, "
            f"in flight {stats.in_flight:,}, backing off {stats.backing_off:,}, faults {self.faults.counts.total():,}"
        )

    def _on_error(self, error: BaseException, channel: str) -> None:
        if not isinstance(error, DemoFault):
            self.errors.append(f"{channel}: {type(error).__name__}: {error}")


def _is_quiet(stats: DispatcherStats) -> bool:
    return not (stats.changed_holders or stats.ready_channels or stats.backing_off or stats.in_flight)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds
