"""What a watch takes, and what a notification costs as watches grow many. The bytes are those that the dispatcher says it holds."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial

from watchtree.bench.callbacks.rig import VALUE, Rig
from watchtree.bench.figure import Figure
from watchtree.bench.rounds import Round, measure

CHANNELS, WATCHED, AT_ONCE = 1_000, 1_000, 100


def memory(_rounds: int) -> Iterator[Figure]:
    """1,000,000 watches: each of a key of its own, all of 10,000 keys, each of a key that is missing."""
    for config, key_count, exist in (
        ("distinct_existing", 1_000_000, True),
        ("shared", 10_000, True),
        ("missing", 1_000_000, False),
    ):
        in_each = key_count // 100
        keys = [f"d{n // in_each}.k{n % in_each}" for n in range(key_count)]
        rig = Rig()
        for d in range(100):
            rig.tree.mkdir(f"d{d}")
        if exist:
            rig.put_all(keys)
        before = rig.dispatcher.memory()["total"]
        for i in range(0, CHANNELS * WATCHED, AT_ONCE):
            first = i % key_count
            rig.watch(i // WATCHED, keys[first : first + AT_ONCE])
        rig.drain()
        each = (rig.dispatcher.memory()["total"] - before) / (CHANNELS * WATCHED)
        yield Figure("memory", config, None, "bytes/watch", each, each, each, 1)


def scale(rounds: int) -> Iterator[Figure]:
    """Random puts into as many keys as there are watches."""
    for watches in (10_000, 100_000, 1_000_000, 10_000_000):
        rig = Rig()
        rig.put_all(map(_key, range(watches)))
        before = rig.dispatcher.memory()["total"]
        for n in range(0, watches, AT_ONCE):
            rig.watch(n // WATCHED, map(_key, range(n, n + AT_ONCE)))
        rig.drain()
        each = (rig.dispatcher.memory()["total"] - before) / watches
        config = f"{watches} watches of distinct keys, 1000 a channel"
        for figure in measure(partial(_scale, rig, watches), rounds):
            yield figure._replace(config=config, bytes_per_watch=each)


def _scale(rig: Rig, watches: int) -> Iterator[Round]:
    chance = random.Random(7)
    put = rig.tree.put
    while True:
        seconds = 0.0
        sent = 0
        for _ in range(10):
            chosen = [_key(chance.randrange(watches)) for _ in range(10_000)]
            start = time.perf_counter()
            for key in chosen:
                put(key, VALUE)
            sent += rig.drain()
            seconds += time.perf_counter() - start
        yield {"scale": (sent, seconds)}


def _key(n: int) -> str:
    return f"d{n // 1000}.k{n % 1000}"
