"""What it costs to be recorded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from watchtree.bench.callbacks.rig import VALUE, Rig
from watchtree.bench.rounds import Round
from watchtree.trace import Recorder


def of_notifications() -> Iterator[Round]:
    """1 key x 10000 channels, one call and one acknowledgement for each batch of one; with and without a Recorder, in turns."""
    rig = Rig()
    rig.share(["key"], 10_000)

    def work() -> int:
        rig.put("key")
        return rig.drain()

    return _in_turns("record_fanout", rig, work, 10)


def of_puts() -> Iterator[Round]:
    """1000 keys x 10 channels, drained each 10000 puts of 100 bytes; with and without a Recorder, in turns."""
    keys = [f"k{k}" for k in range(1000)]
    rig = Rig()
    rig.share(keys, 10)
    put = rig.tree.put

    def work() -> int:
        for _ in range(10):
            for key in keys:
                put(key, VALUE)
        rig.drain()
        return 10_000

    return _in_turns("record_puts", rig, work, 10)


def _in_turns(name: str, rig: Rig, work: Callable[[], int], times: int) -> Iterator[Round]:
    """Rates of the work, not recorded and recorded: small parts of both follow one another.

    Each does it once before it is timed, so that the recording goes round in memory that it has touched before.
    """
    kinds: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
        f"{name}_off": contextlib.nullcontext,
        f"{name}_on": lambda: Recorder(rig.dispatcher, max_bytes=1 << 20),
    }
    while True:
        done = dict.fromkeys(kinds, (0.0, 0.0))
        for _ in range(times):
            for kind, recording in kinds.items():
                with recording():
                    work()
                    start = time.perf_counter()
                    amount = work()
                    seconds = time.perf_counter() - start
                done[kind] = (done[kind][0] + amount, done[kind][1] + seconds)
        yield done
