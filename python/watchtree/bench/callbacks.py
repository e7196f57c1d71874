"""The workloads of the Python end: every batch is one call of a Python function, which acknowledges it.

Those of the native end (cpp/bench), smaller where Python would take minutes, and two on what is done with a batch.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from watchtree import Batch, Dispatcher, Tree
from watchtree.bench.rounds import Round, Workload

VALUE = b"v" * 100


class Rig:
    """A tree, and a dispatcher whose transport counts, does something with each batch, and acknowledges it at once."""

    def __init__(self, look: Callable[[Batch], object] | None = None) -> None:
        self.notifications = 0

        def count(batch: Batch) -> None:
            self.notifications += len(batch)
            batch.acknowledge()

        def look_at(batch: Batch) -> None:
            self.notifications += len(batch)
            assert look is not None
            look(batch)
            batch.acknowledge()

        self.tree = Tree()
        self.dispatcher = Dispatcher(self.tree, count if look is None else look_at)

    def put(self, key: str) -> None:
        self.tree.put(key, VALUE, parents=True)

    def drain(self) -> int:
        """Dispatch until nothing is left; the notifications sent."""
        before = self.notifications
        last = -1
        dispatch = self.dispatcher.dispatch
        while last != self.notifications:
            last = self.notifications
            while not dispatch():
                pass
        return self.notifications - before


def fanout() -> Iterator[Round]:
    """1 key x 10000 channels, one call and one acknowledgement for each batch of one."""
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


def _spread_keys() -> list[str]:
    return [f"d{d}.k{k}" for d in range(100) for k in range(1000)]


def spread() -> Iterator[Round]:
    """100000 keys, 1000 channels x 100 keys, 10000 random puts before each drain."""
    chance = random.Random(42)
    keys = _spread_keys()
    rig = Rig()
    for key in keys:
        rig.put(key)
    chance.shuffle(keys)
    for c in range(1000):
        rig.dispatcher.sync(f"channel{c}", dict.fromkeys(keys[c * 100 : c * 100 + 100], 0))
    rig.drain()
    put = rig.tree.put
    while True:
        putting = draining = 0.0
        sent = 0
        for _ in range(10):
            chosen = chance.choices(keys, k=10_000)
            start = time.perf_counter()
            for key in chosen:
                put(key, VALUE)
            middle = time.perf_counter()
            sent += rig.drain()
            putting += middle - start
            draining += time.perf_counter() - middle
        yield {"spread": (sent, putting + draining), "spread_put": (100_000, putting)}


def coalesce() -> Iterator[Round]:
    """1000 keys x 10 channels, drained each 10000 puts."""
    keys = [f"k{k}" for k in range(1000)]
    rig = Rig()
    for key in keys:
        rig.put(key)
    for c in range(10):
        rig.dispatcher.sync(f"channel{c}", dict.fromkeys(keys, 0))
    rig.drain()
    put = rig.tree.put
    while True:
        start = time.perf_counter()
        for _ in range(20):
            for _ in range(10):
                for key in keys:
                    put(key, VALUE)
            rig.drain()
        yield {"coalesce": (200_000, time.perf_counter() - start)}


def register() -> Iterator[Round]:
    """100000 watches of 100000 keys by 100 channels, in calls of 100, and their first notifications."""
    keys = _spread_keys()
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


def _batches_of_100(name: str, look: Callable[[Batch], object]) -> Iterator[Round]:
    """Only the drains count: all keys of 100 channels have changed, so that each gets batches of 100."""
    keys = _spread_keys()[:10_000]
    rig = Rig(look)
    for key in keys:
        rig.put(key)
    for c in range(100):
        rig.dispatcher.sync(f"channel{c}", dict.fromkeys(islice(keys, c * 100, c * 100 + 100), 0))
    rig.drain()
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


def _read(batch: Batch) -> None:
    for _key, _state, _index, _value in batch:
        pass


def python_read() -> Iterator[Round]:
    """Drains alone: batches of 100, each key, state, index and value looked at in a loop."""
    return _batches_of_100("python_read", _read)


def python_encode() -> Iterator[Round]:
    """Drains alone: batches of 100, each encoded to one message."""
    return _batches_of_100("python_encode", Batch.encode)


class _Shard:
    """1000 keys x 10 channels in a tree of its own."""

    def __init__(self) -> None:
        self.keys = [f"k{k}" for k in range(1000)]
        self.rig = Rig(_read)
        for key in self.keys:
            self.rig.put(key)
        for c in range(10):
            self.rig.dispatcher.sync(f"channel{c}", dict.fromkeys(self.keys, 0))
        self.rig.drain()

    def run(self, times: int) -> int:
        put = self.rig.tree.put
        sent = 0
        for _ in range(times):
            for key in self.keys:
                put(key, VALUE)
            sent += self.rig.drain()
        return sent


def cores() -> Iterator[Round]:
    """1000 keys x 10 channels in each of independent trees, a thread each: 1, and as many as processors."""
    counts = sorted({1, os.cpu_count() or 1})
    shards = [_Shard() for _ in range(counts[-1])]
    with ThreadPoolExecutor(counts[-1]) as threads:
        while True:
            rates: Round = {}
            for count in counts:
                start = time.perf_counter()
                sent = sum(threads.map(lambda shard: shard.run(20), shards[:count]))
                rates[f"cores_{count}"] = (sent, time.perf_counter() - start)
            yield rates


WORKLOADS: dict[str, Workload] = {
    "fanout": fanout,
    "spread": spread,
    "coalesce": coalesce,
    "register": register,
    "python_read": python_read,
    "python_encode": python_encode,
    "cores": cores,
}
