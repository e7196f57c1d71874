"""Independent trees on threads of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from watchtree.bench.callbacks.batches import read
from watchtree.bench.callbacks.rig import VALUE, Rig
from watchtree.bench.figure import Figure
from watchtree.bench.rounds import Round, measure


class _Shard:
    """1000 keys x 10 channels in a tree of its own."""

    def __init__(self) -> None:
        self.keys = [f"k{k}" for k in range(1000)]
        self.rig = Rig(read)
        self.rig.share(self.keys, 10)

    def run(self, times: int) -> int:
        put = self.rig.tree.put
        sent = 0
        for _ in range(times):
            for key in self.keys:
                put(key, VALUE)
            sent += self.rig.drain()
        return sent


def cores(rounds: int) -> Iterator[Figure]:
    """1 tree, and as many as there are processors, in turns so that both meet the same neighbours."""
    for figure in measure(_cores, rounds):
        count = figure.workload
        yield figure._replace(
            workload="cores", config=f"{count} independent trees, a thread each, 1000 keys x 10 channels"
        )


def _cores() -> Iterator[Round]:
    counts = sorted({1, os.cpu_count() or 1})
    shards = [_Shard() for _ in range(counts[-1])]
    with ThreadPoolExecutor(counts[-1]) as threads:
        while True:
            rates: Round = {}
            for count in counts:
                start = time.perf_counter()
                sent = sum(threads.map(lambda shard: shard.run(20), shards[:count]))
                rates[str(count)] = (sent, time.perf_counter() - start)
            yield rates
