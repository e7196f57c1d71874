"""From a put to the callback."""

from __future__ import annotations

import time
from collections.abc import Iterator

from watchtree import Batch
from watchtree.bench.callbacks.rig import Rig, acknowledge
from watchtree.bench.rounds import Round


def of_one() -> Iterator[Round]:
    """1 subscriber, from put to callback."""
    return _latency(subscribers=1, puts=20_000)


def of_many() -> Iterator[Round]:
    """10000 subscribers, from put to callback."""
    return _latency(subscribers=10_000, puts=20)


def _latency(subscribers: int, puts: int) -> Iterator[Round]:
    begin = 0
    waited: list[int] = []
    now = time.perf_counter_ns

    def note(batch: Batch) -> int:
        waited.append(now() - begin)
        return acknowledge(batch)

    rig = Rig(note)
    rig.put("key")
    for i in range(subscribers):
        rig.watch(i, ["key"])
    rig.drain()
    while True:
        waited.clear()
        for _ in range(puts):
            begin = now()
            rig.put("key")
            rig.drain()
        waited.sort()
        yield {
            f"latency_{name}": (waited[int(len(waited) * share)], 1.0)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
        }
