"""Workloads of what is done with a batch: looking at each notification, or encoding them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from watchtree import Batch
from watchtree.bench.callbacks.rig import Rig, acknowledge, spread_keys
from watchtree.bench.rounds import Round


def read(batch: Batch) -> int:
    """Looks at key, state, index and value of each notification, and acknowledges."""
    for _key, _state, _index, _value in batch:
        pass
    return acknowledge(batch)


def _encode(batch: Batch) -> int:
    batch.encode()
    return acknowledge(batch)


def python_read() -> Iterator[Round]:
    """Drains alone: batches of 100, each key, state, index and value looked at in a loop."""
    return _of_100("python_read", read)


def python_encode() -> Iterator[Round]:
    """Drains alone: batches of 100, each encoded to one message."""
    return _of_100("python_encode", _encode)


def _of_100(name: str, take: Callable[[Batch], int]) -> Iterator[Round]:
    """Only the drains count: all keys of 100 channels have changed, so that each gets batches of 100."""
    keys = spread_keys()[:10_000]
    rig = Rig(take)
    rig.put_all(keys)
    rig.watch_all(keys, 100)
    while True:
        draining = 0.0
        sent = 0
        for _ in range(20):
            for key in keys:
                rig.put(key)
            start = time.perf_counter()
            sent += rig.drain()
            draining += time.perf_counter() - start
        yield {name: (sent, draining)}
