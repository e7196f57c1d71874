"""Cuts a scenario that fails to the shortest that is found in some time and still does (delta debugging, Zeller 1999)."""

from __future__ import annotations

import time
from collections.abc import Callable

from watchtree.testing.simulation.scenario import Scenario


def minimise(
    scenario: Scenario, fails: Callable[[Scenario], bool], seconds: float, done: Callable[[Scenario], object] = print
) -> Scenario:
    """The shortest scenario found, which fails; the same one for the same scenario, given enough time.

    fails: whether a scenario does, for instance `lambda each: failure_of(each) is not None`. seconds: no longer than that,
    but for the last try. done: told of each shorter one.
    """
    end = time.monotonic() + seconds
    size = max(1, len(scenario.steps) // 2)
    while True:
        shorter = False
        at = 0
        while at < len(scenario.steps):
            if time.monotonic() > end:
                return scenario
            candidate = scenario.without(range(at, min(at + size, len(scenario.steps))))
            if fails(candidate):
                scenario, shorter = candidate, True
                done(scenario)
            else:
                at += size
        if size == 1 and not shorter:
            return scenario
        size = max(1, size // 2)
