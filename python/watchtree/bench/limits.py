"""What bounds each figure: the limits of this machine, measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from watchtree.bench.figure import Figure
from watchtree.bench.rounds import Round

BOUNDS = {
    "native": {
        "fanout": "limit_call",
        "spread": "limit_load",
        "spread_put": "limit_find",
        "spread_batch": "limit_load",
        "spread_batch_put": "limit_find",
        "coalesce": "limit_find",
        "directory": "limit_call",
        "directory_put": "limit_find",
        "register": "limit_find",
        "register_first_notify": "limit_load",
        "churn": "limit_find",
        "failures": "limit_load",
        "latency_p50": "limit_load",
        "latency_p99": "limit_load",
        "latency_p99.9": "limit_load",
        "cores": "limit_call",
        "scale": "limit_load",
    },
    "python": {
        "fanout": "limit_python_call",
        "spread": "limit_python_call",
        "spread_put": "limit_python_call",
        "spread_batch": "limit_python_call",
        "spread_batch_put": "limit_python_call",
        "coalesce": "limit_python_call",
        "directory": "limit_python_call",
        "directory_put": "limit_python_call",
        "register": "limit_find",
        "register_first_notify": "limit_load",
        "churn": "limit_python_call",
        "failures": "limit_python_call",
        "latency_p50": "limit_python_call",
        "latency_p99": "limit_python_call",
        "latency_p99.9": "limit_python_call",
        "cores": "limit_python_call",
        "scale": "limit_load",
        "python_read": "limit_python_call",
        "python_encode": "limit_load",
        "record_puts_off": "limit_python_call",
        "record_puts_on": "limit_python_call",
        "record_fanout_off": "limit_python_call",
        "record_fanout_on": "limit_python_call",
    },
}
"""By end and figure, what nobody who does this work can do without: a call, a look-up of the key, a load from memory."""


def python_call() -> Iterator[Round]:
    """An empty Python call."""

    def nothing(_batch: object) -> None:
        pass

    count = 1_000_000
    while True:
        start = time.perf_counter()
        for _ in range(count):
            nothing(None)
        called = time.perf_counter()
        for _ in range(count):
            pass
        empty = time.perf_counter() - called
        yield {"limit_python_call": (count, called - start - empty)}


def multiple(end: str, figure: Figure, limits: Iterable[Figure]) -> tuple[float, str] | None:
    """How many times its limit a figure costs, and that limit's name; None where nothing bounds it or it was not measured."""
    name = BOUNDS[end].get(figure.workload)
    if figure.rate is None or name is None:
        return None
    for limit in limits:
        if limit.workload == name and limit.rate is not None:
            return (figure.rate * limit.rate / 1e9 if figure.unit == "ns" else limit.rate / figure.rate), name
    return None
