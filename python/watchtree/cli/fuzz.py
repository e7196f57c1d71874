"""`watchtree fuzz`: runs simulations of one seed after another, and cuts one that fails to the shortest that still does."""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from watchtree.cli.interrupts import Interrupts
from watchtree.cli.screen import Screen
from watchtree.testing.simulation import PROFILES, Scenario, Simulation, make_scenario
from watchtree.testing.simulation.failing import failure_apart, failure_of
from watchtree.testing.simulation.minimise import minimise

SEEDS_AT_ONCE = 10
SECONDS_TO_MINIMISE = 60.0

Found = tuple[int, "str | None"]
"""A seed, and how it failed, None if it is not known because the process died."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options to the parser of the command."""
    parser = subcommands.add_parser(
        "fuzz",
        help="simulated subscribers, servers and networks that fail, until a guarantee breaks",
        description="Runs one simulation after another, each made from a seed: subscribers follow keys through servers that "
        "crash and lag, over a network that delays, loses, repeats and reorders. Checks the guarantees in each. One that "
        "fails is cut to the shortest that still does, saved, and the command that runs it again is printed. "
        "Exit status: 0, or 1 if a guarantee broke. Ctrl-C ends it early.",
    )
    parser.add_argument("--seconds", metavar="S", type=_seconds, default=60.0, help="how long (default: 60)")
    parser.add_argument("--seed", metavar="N", type=int, help="the first seed (default: a random one)")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="default", help="what happens how often")
    parser.add_argument("--processes", metavar="N", type=int, default=os.cpu_count() or 1, help="(default: one a core)")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path(), help="where to save what fails (default: here)"
    )
    parser.add_argument("--replay", metavar="FILE", type=Path, help="run one saved scenario instead")
    parser.add_argument("--journal", metavar="FILE", type=Path, help="with --replay: write all that happens there")
    parser.set_defaults(run=run, parser=parser)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return seconds


def run(options: argparse.Namespace) -> int:
    """Run it; its exit status."""
    screen = Screen(sys.stdout)
    if options.replay is not None:
        return _replay(options, screen)
    if not options.out.is_dir():
        options.parser.error(f"{options.out} is not a directory; make it, or give another with --out")
    if options.processes < 1:
        options.parser.error(f"--processes is {options.processes}; give 1 or more")
    first = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    screen.line(f"profile {options.profile}, seeds from {first}, {options.processes} processes")
    with Interrupts() as interrupts:
        found = _search(first, options, screen, interrupts)
    if found is None:
        return 0
    return _report(found, options, screen)


def _replay(options: argparse.Namespace, screen: Screen) -> int:
    try:
        scenario = Scenario.load(options.replay)
    except (OSError, ValueError) as error:
        options.parser.error(str(error))
    simulation = Simulation(scenario, journal=options.journal is not None)
    try:
        simulation.run()
    except AssertionError as error:
        screen.line(str(error))
        return 1
    finally:
        if options.journal is not None:
            options.journal.write_bytes(simulation.journal())
    screen.line(f"{len(scenario.steps)} steps: every guarantee held")
    return 0


def run_seeds(seeds: range, profile: str) -> tuple[int, Found | None]:
    """Run some seeds, in a process of the pool: how many subscriber-steps, and the first seed that failed."""
    count = 0
    for seed in seeds:
        scenario = make_scenario(seed, PROFILES[profile])
        failure = None
        simulation = Simulation(scenario)
        try:
            simulation.run()
        except Exception:
            failure = failure_of(scenario)  # in words
        count += simulation.count
        if failure is not None:
            return count, (seed, failure)
    return count, None


def _search(first: int, options: argparse.Namespace, screen: Screen, interrupts: Interrupts) -> Found | None:
    begin = time.monotonic()
    seeds = 0
    count = 0

    def batches() -> Iterator[range]:
        at = first
        while True:
            yield range(at, at + SEEDS_AT_ONCE)
            at += SEEDS_AT_ONCE

    def describe() -> str:
        seconds = time.monotonic() - begin
        return f"{seconds:.0f} s: {seeds:,} seeds, {count / seconds * 60:,.0f} subscriber-steps/min, nothing broken"

    todo = batches()
    running: dict[Future[tuple[int, Found | None]], range] = {}
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        while True:
            elapsed = time.monotonic() - begin
            goes_on = elapsed < options.seconds and not interrupts.asked
            while goes_on and len(running) < 2 * options.processes:
                batch = next(todo)
                running[pool.submit(run_seeds, batch, options.profile)] = batch
            if not running:
                break
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                batch = running.pop(future)
                try:
                    steps, found = future.result()
                except BrokenProcessPool:
                    return _find_the_deadly([batch, *running.values()], options.profile)
                seeds += len(batch)
                count += steps
                if found is not None:
                    pool.shutdown(cancel_futures=True)
                    return found
            screen.progress(elapsed / options.seconds, describe)
    seconds = time.monotonic() - begin
    screen.table(
        [
            ("seeds", f"{seeds:,}", f"from {first}"),
            ("subscriber-steps", f"{count:,}", f"{count / seconds * 60:,.0f} a minute"),
            ("broken", "0", "guarantees"),
        ]
    )
    return None


def _find_the_deadly(batches: list[range], profile: str) -> Found:
    """A process died: find the seed that does it, each in a process of its own."""
    for batch in batches:
        for seed in batch:
            failure = failure_apart(make_scenario(seed, PROFILES[profile]))
            if failure is not None:
                return seed, None
    raise RuntimeError(f"a process died while it ran one of the seeds {batches}, none of which does it again alone")


def _report(found: Found, options: argparse.Namespace, screen: Screen) -> int:
    seed, failure = found
    scenario = make_scenario(seed, PROFILES[options.profile])
    test = failure_apart if failure is None else failure_of
    screen.line(f"seed {seed} broke a guarantee; looking for a shorter way to do it")
    shortest = minimise(
        scenario,
        lambda each: test(each) is not None,
        SECONDS_TO_MINIMISE,
        lambda each: screen.progress(None, lambda: f"{len(each.steps)} steps"),
    )
    path = options.out / f"watchtree-{options.profile}-{seed}.scenario"
    shortest.save(path)
    screen.line(test(shortest) or "")
    screen.line(f"{len(shortest.steps)} of {len(scenario.steps)} steps are needed. To run them again:")
    screen.line(f"  watchtree fuzz --replay {path}")
    return 1
