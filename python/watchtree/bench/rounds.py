"""Runs workloads that are generators: each gives, round by round, what was done and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchtree.bench.figure import Figure, figure_of

Round = dict[str, tuple[float, float]]
"""What was done, and the seconds it took, by the name of the figure."""

Workload = Callable[[], Iterator[Round]]
"""Its docstring is the config of its figures."""

Measured = Callable[[int], Iterator[Figure]]
"""A workload as a whole: with a number of rounds, its figures."""

UNITS = {
    "spread_put": "puts/s",
    "spread_batch_put": "puts/s",
    "coalesce": "puts/s",
    "directory_put": "puts/s",
    "register": "watches/s",
    "churn": "syncs/s",
    "record_puts_off": "puts/s",
    "record_puts_on": "puts/s",
    "latency_p50": "ns",
    "latency_p99": "ns",
    "latency_p99.9": "ns",
    "limit_python_call": "calls/s",
}
"""The units of the figures that do not count notifications."""


def timed(*workloads: Workload) -> Measured:
    """These workloads one after the other."""

    def measured(rounds: int) -> Iterator[Figure]:
        for workload in workloads:
            yield from measure(workload, rounds)

    return measured


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
