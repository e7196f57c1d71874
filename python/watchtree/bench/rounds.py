"""Runs workloads that are generators: each gives, round by round, what was done and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchtree.bench.figure import Figure, figure_of

Round = dict[str, tuple[float, float]]
"""What was done, and the seconds it took, by the name of the figure."""

Workload = Callable[[], Iterator[Round]]
"""Its docstring is the config of its figures."""

UNITS = {"spread_put": "puts/s", "coalesce": "puts/s", "register": "watches/s", "limit_python_call": "calls/s"}
"""The units of the figures that do not count notifications."""


def measure(workload: Workload, rounds: int) -> Iterator[Figure]:
    """The figures of one workload. rounds: how many are timed, after a warm-up that is not."""
    running = workload()
    next(running)
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, (amount, seconds) in next(running).items():
            rates.setdefault(name, []).append(amount / seconds)
    config = " ".join((workload.__doc__ or "").split()).rstrip(".")
    for name, numbers in rates.items():
        yield figure_of(name, config, UNITS.get(name, "notifications/s"), numbers)
