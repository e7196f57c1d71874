"""Workloads of channels: that register, that come and go, that lose batches."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import cycle, islice

from watchtree import Batch, Failure, ManualClock
from watchtree.bench.callbacks.rig import Rig, acknowledge, spread_keys
from watchtree.bench.rounds import Round


def register() -> Iterator[Round]:
    """100000 watches of 100000 keys by 100 channels, in calls of 100, and their first notifications."""
    keys = spread_keys()
    while True:
        rig = Rig()
        rig.put_all(keys)
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


def churn() -> Iterator[Round]:
    """100000 subscribers of 10 keys come, are served and go, 1000 at once."""
    count, at_once = 100_000, 1_000
    keys = spread_keys()
    while True:
        rig = Rig()
        rig.put_all(keys)
        going_round = cycle(keys)
        start = time.perf_counter()
        for i in range(count):
            rig.watch(i, islice(going_round, 10))
            if i % at_once == at_once - 1:
                rig.drain()
            if i >= at_once:
                rig.dispatcher.close(f"channel{i - at_once}")
        yield {"churn": (count, time.perf_counter() - start)}
        assert rig.notifications == count * 10, "a subscriber went without its notifications"


def failures() -> Iterator[Round]:
    """100000 keys, 1000 channels x 100 keys, each tenth batch fails."""
    sent = 0

    def lose(batch: Batch) -> int:
        nonlocal sent
        sent += 1
        if sent % 10 == 0:
            batch.fail(Failure.NETWORK)
            return 0
        return acknowledge(batch)

    chance = random.Random(42)
    clock = ManualClock()
    keys = spread_keys()
    rig = Rig(lose, clock)
    rig.put_all(keys)
    chance.shuffle(keys)
    rig.watch_all(keys, 1000)
    while True:
        arrived = 0
        start = time.perf_counter()
        for _ in range(10):
            for key in chance.choices(keys, k=10_000):
                rig.put(key)
            clock.advance(1.0)  # the first back-off has passed by the next drain
            for c in range(1000):
                rig.dispatcher.touch(f"channel{c}")
            arrived += rig.drain()
        yield {"failures": (arrived, time.perf_counter() - start)}
