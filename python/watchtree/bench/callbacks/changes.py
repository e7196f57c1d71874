"""Workloads of many changes: to one key, to many, in batches, again and again, deep down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from watchtree import Put
from watchtree.bench.callbacks.rig import VALUE, Rig, spread_keys
from watchtree.bench.rounds import Round


def fanout() -> Iterator[Round]:
    """1 key x 10000 channels, one call and one acknowledgement for each batch of one."""
    rig = Rig()
    rig.share(["key"], 10_000)
    while True:
        start = time.perf_counter()
        sent = 0
        for _ in range(20):
            rig.put("key")
            sent += rig.drain()
        yield {"fanout": (sent, time.perf_counter() - start)}


def spread() -> Iterator[Round]:
    """100000 keys, 1000 channels x 100 keys, 10000 random puts before each drain."""
    rig, keys = _spread()
    return _random_puts("spread", rig, keys, _one_by_one(rig), drains=10, puts=10_000)


def spread_batch() -> Iterator[Round]:
    """100000 keys, 1000 channels x 100 keys, 10000 random puts before each drain, 1000 of them in one batch."""
    rig, keys = _spread()

    def put_all(chosen: Sequence[str]) -> None:
        for i in range(0, len(chosen), 1000):
            rig.tree.batch([Put(key, VALUE) for key in chosen[i : i + 1000]])

    return _random_puts("spread_batch", rig, keys, put_all, drains=10, puts=10_000)


def coalesce() -> Iterator[Round]:
    """1000 keys x 10 channels, drained each 10000 puts."""
    keys = [f"k{k}" for k in range(1000)]
    rig = Rig()
    rig.share(keys, 10)
    put = rig.tree.put
    while True:
        start = time.perf_counter()
        for _ in range(20):
            for _ in range(10):
                for key in keys:
                    put(key, VALUE)
            rig.drain()
        yield {"coalesce": (200_000, time.perf_counter() - start)}


def directory() -> Iterator[Round]:
    """1000 directories on 5 levels, 100 channels x 11, 1000 random puts before each drain."""
    chance = random.Random(42)
    directories: list[str] = []
    parents = [""]
    for level, count in enumerate((10, 40, 150, 300, 500)):
        above = [parents[i * len(parents) // count] for i in range(count)]
        parents = [f"{parent}{'.' if parent else ''}{'abcde'[level]}{i}" for i, parent in enumerate(above)]
        directories += parents
    leaves = [f"{parent}.k{k}" for parent in parents for k in range(20)]
    rig = Rig()
    for each in directories:
        rig.tree.mkdir(each)
    rig.put_all(leaves)
    for c in range(100):
        rig.watch(c, ["", *chance.sample(directories, 10)])
    rig.drain()
    return _random_puts("directory", rig, leaves, _one_by_one(rig), drains=100, puts=1_000)


def _spread() -> tuple[Rig, list[str]]:
    keys = spread_keys()
    rig = Rig()
    rig.put_all(keys)
    random.Random(42).shuffle(keys)
    rig.watch_all(keys, 1000)
    return rig, keys


def _one_by_one(rig: Rig) -> Callable[[Sequence[str]], None]:
    put = rig.tree.put

    def put_all(chosen: Sequence[str]) -> None:
        for key in chosen:
            put(key, VALUE)

    return put_all


def _random_puts(
    name: str, rig: Rig, keys: list[str], put_all: Callable[[Sequence[str]], None], *, drains: int, puts: int
) -> Iterator[Round]:
    """Two figures: the notifications over all the time, and the puts over theirs."""
    chance = random.Random(7)
    while True:
        putting = draining = 0.0
        sent = 0
        for _ in range(drains):
            chosen = chance.choices(keys, k=puts)
            start = time.perf_counter()
            put_all(chosen)
            middle = time.perf_counter()
            sent += rig.drain()
            putting += middle - start
            draining += time.perf_counter() - middle
        yield {name: (sent, putting + draining), f"{name}_put": (drains * puts, putting)}
