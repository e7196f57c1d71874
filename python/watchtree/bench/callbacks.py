"""Measures a dispatcher through its Python callbacks: `python -m watchtree.bench [--rounds N] [WORKLOAD...]`.

One JSON line for each figure, with the keys workload, config, rate, unit, bytes_per_watch, min, max, rounds. The workloads
are those of the native benchmark (cpp/bench), smaller where Python would take minutes; each round is timed, the first is a
warm-up, the rate is the median. Every batch is one call of a Python function, which acknowledges it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator

from watchtree import Batch, Dispatcher, Tree

VALUE = b"v" * 100

Round = dict[str, tuple[float, float]]
"""What was done, and the seconds it took, by the name of the figure."""


class Rig:
    """A tree, and a dispatcher whose transport counts and acknowledges at once."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.dispatcher = Dispatcher(self.tree, self._send)
        self.notifications = 0

    def _send(self, batch: Batch) -> None:
        self.notifications += len(batch)
        batch.acknowledge()

    def put(self, key: str) -> None:
        self.tree.put(key, VALUE, parents=True)

    def drain(self) -> int:
        """Dispatch until nothing is left; the notifications sent."""
        before = self.notifications
        last = -1
        while last != self.notifications:
            last = self.notifications
            while not self.dispatcher.dispatch():
                pass
        return self.notifications - before


def fanout() -> Iterator[Round]:
    """1 key, 10,000 channels: batches of one."""
    rig = Rig()
    rig.put("key")
    for i in range(10_000):
        rig.dispatcher.sync(f"channel{i}", {"key": 0})
    rig.drain()
    while True:
        start = time.perf_counter()
        sent = 0
        for _ in range(20):
            rig.put("key")
            sent += rig.drain()
        yield {"fanout": (sent, time.perf_counter() - start)}


def spread() -> Iterator[Round]:
    """100,000 keys in 100 directories, 1,000 channels with 100 keys each, 10,000 random puts before each drain."""
    chance = random.Random(42)
    keys = [f"d{d}.k{k}" for d in range(100) for k in range(1000)]
    rig = Rig()
    for key in keys:
        rig.put(key)
    chance.shuffle(keys)
    for c in range(1000):
        rig.dispatcher.sync(f"channel{c}", dict.fromkeys(keys[c * 100 : c * 100 + 100], 0))
    rig.drain()
    while True:
        putting = draining = 0.0
        sent = 0
        for _ in range(10):
            chosen = chance.choices(keys, k=10_000)
            start = time.perf_counter()
            for key in chosen:
                rig.put(key)
            middle = time.perf_counter()
            sent += rig.drain()
            putting += middle - start
            draining += time.perf_counter() - middle
        yield {"spread": (sent, putting + draining), "spread_put": (100_000, putting)}


def coalesce() -> Iterator[Round]:
    """1,000 keys, 10 channels on all of them, 200,000 puts, drained each 10,000."""
    keys = [f"k{k}" for k in range(1000)]
    rig = Rig()
    for key in keys:
        rig.put(key)
    for c in range(10):
        rig.dispatcher.sync(f"channel{c}", dict.fromkeys(keys, 0))
    rig.drain()
    while True:
        start = time.perf_counter()
        for _ in range(20):
            for _ in range(10):
                for key in keys:
                    rig.put(key)
            rig.drain()
        yield {"coalesce": (200_000, time.perf_counter() - start)}


def register() -> Iterator[Round]:
    """100,000 watches of 100,000 keys by 100 channels, in calls of 100, and their first notifications."""
    keys = [f"d{d}.k{k}" for d in range(100) for k in range(1000)]
    while True:
        rig = Rig()
        for key in keys:
            rig.put(key)
        calls = [dict.fromkeys(keys[i : i + 100], 0) for i in range(0, len(keys), 100)]
        start = time.perf_counter()
        for i, known in enumerate(calls):
            rig.dispatcher.sync(f"channel{i // 10}", known)
        middle = time.perf_counter()
        sent = rig.drain()
        yield {
            "register": (len(keys), middle - start),
            "register_first_notify": (sent, time.perf_counter() - middle),
        }


WORKLOADS: dict[str, Callable[[], Iterator[Round]]] = {
    "fanout": fanout,
    "spread": spread,
    "coalesce": coalesce,
    "register": register,
}
UNITS = {"spread_put": "puts/s", "coalesce": "puts/s", "register": "watches/s"}


def measure(name: str, rounds: int) -> Iterator[dict[str, object]]:
    """The figures of one workload. rounds: how many are timed, after a warm-up that is not."""
    workload = WORKLOADS[name]
    rates: dict[str, list[float]] = {}
    running = workload()
    next(running)
    for _ in range(rounds):
        for figure, (amount, seconds) in next(running).items():
            rates.setdefault(figure, []).append(amount / seconds)
    for figure, all_rates in rates.items():
        yield {
            "workload": figure,
            "config": (workload.__doc__ or "").rstrip("."),
            "rate": round(statistics.median(all_rates)),
            "unit": UNITS.get(figure, "notifications/s"),
            "bytes_per_watch": None,
            "min": round(min(all_rates)),
            "max": round(max(all_rates)),
            "rounds": rounds,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m watchtree.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (%(default)s)")
    arguments = parser.parse_args()
    unknown = set(arguments.workloads) - set(WORKLOADS)
    if unknown or arguments.rounds < 1:
        parser.error(f"choose WORKLOAD from {', '.join(WORKLOADS)}, and at least 1 round")
    for name in arguments.workloads or WORKLOADS:
        for figure in measure(name, arguments.rounds):
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
