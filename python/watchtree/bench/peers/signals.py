"""What a Python user would pick to call functions in the same process: `python -m watchtree.bench.peers.signals`.

blinker, pyee and psygnal, those that are installed, and a dict of lists of callbacks, the floor, beside watchtree. All call one
Python function for each key and receiver. None of the others acknowledges, sends again, coalesces, bounds or resumes anything:
a receiver that fails or is slow is the sender's trouble. watchtree delivers when dispatch() is called, the others at once.
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from watchtree.bench import callbacks
from watchtree.bench.callbacks.rig import VALUE
from watchtree.bench.peers.options import parse
from watchtree.bench.rounds import Round, Workload, timed
from watchtree.bench.table import number

Receiver = Callable[[object], None]


class DictOfLists:
    """The floor."""

    def __init__(self) -> None:
        self.receivers: dict[str, list[Receiver]] = {}

    def connect(self, key: str, receiver: Receiver) -> None:
        self.receivers.setdefault(key, []).append(receiver)

    def send(self, key: str, value: object) -> None:
        for receiver in self.receivers.get(key, ()):
            receiver(value)


class Blinker:
    """A signal for each key."""

    def __init__(self) -> None:
        self.signals: defaultdict[str, Any] = defaultdict(importlib.import_module("blinker").Signal)

    def connect(self, key: str, receiver: Receiver) -> None:
        self.signals[key].connect(receiver, weak=False)

    def send(self, key: str, value: object) -> None:
        if key in self.signals:
            self.signals[key].send(value)


class Pyee:
    """One emitter, an event for each key."""

    def __init__(self) -> None:
        self.emitter: Any = importlib.import_module("pyee").EventEmitter()

    def connect(self, key: str, receiver: Receiver) -> None:
        self.emitter.on(key, receiver)

    def send(self, key: str, value: object) -> None:
        self.emitter.emit(key, value)


class Psygnal:
    """A signal for each key."""

    def __init__(self) -> None:
        make = importlib.import_module("psygnal").SignalInstance
        self.signals: defaultdict[str, Any] = defaultdict(lambda: make((object,)))

    def connect(self, key: str, receiver: Receiver) -> None:
        self.signals[key].connect(receiver, check_nargs=False, unique=False)

    def send(self, key: str, value: object) -> None:
        if key in self.signals:
            self.signals[key].emit(value)


PEERS: dict[str, Callable[[], Any]] = {
    "blinker": Blinker,
    "psygnal": Psygnal,
    "pyee": Pyee,
    "dict of lists": DictOfLists,
}


def receivers(count: int, called: list[int]) -> list[Receiver]:
    """Functions that count their calls. Each is another object, since some take the same one only once."""

    def make() -> Receiver:
        def receive(_value: object) -> None:
            called[0] += 1

        return receive

    return [make() for _ in range(count)]


def fanout(peer: Any) -> Iterator[Round]:
    """1 key x 10000 receivers."""
    called = [0]
    for receiver in receivers(10_000, called):
        peer.connect("key", receiver)
    while True:
        called[0] = 0
        start = time.perf_counter()
        for _ in range(20):
            peer.send("key", VALUE)
        yield {"fanout": (called[0], time.perf_counter() - start)}


def spread(peer: Any) -> Iterator[Round]:
    """100000 keys, 1000 receivers x 100 keys, random keys."""
    chance = random.Random(42)
    keys = [f"d{d}.k{k}" for d in range(100) for k in range(1000)]
    chance.shuffle(keys)
    called = [0]
    for i, receiver in enumerate(receivers(1000, called)):
        for key in keys[i * 100 : i * 100 + 100]:
            peer.connect(key, receiver)
    while True:
        chosen = chance.choices(keys, k=100_000)
        called[0] = 0
        start = time.perf_counter()
        for key in chosen:
            peer.send(key, VALUE)
        yield {"spread": (called[0], time.perf_counter() - start)}


def coalesce(peer: Any) -> Iterator[Round]:
    """1000 keys x 10 receivers, one key after the other."""
    keys = [f"k{k}" for k in range(1000)]
    called = [0]
    for receiver in receivers(10, called):
        for key in keys:
            peer.connect(key, receiver)
    while True:
        start = time.perf_counter()
        for _ in range(20):
            for key in keys:
                peer.send(key, VALUE)
        yield {"coalesce": (20_000, time.perf_counter() - start)}


WORKLOADS = {"fanout": fanout, "spread": spread, "coalesce": coalesce}


def bound(workload: Callable[[Any], Iterator[Round]], peer: Any) -> Workload:
    """The workload of one peer."""

    def run() -> Iterator[Round]:
        return workload(peer)

    run.__doc__ = workload.__doc__
    return run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it with these arguments (None: those of the process); its exit status."""
    options = parse("signals", __doc__, tuple(WORKLOADS), arguments)
    for name in options.workloads:
        print(f"{name}: {(WORKLOADS[name].__doc__ or '').rstrip('.')}")
        measured = {"watchtree": callbacks.WORKLOADS[name]}
        for title, make in PEERS.items():
            try:
                measured[title] = timed(bound(WORKLOADS[name], make()))
            except ImportError:
                print(f"  {title:14} is not installed")
        for title, run in measured.items():
            for figure in run(options.rounds):
                if figure.workload == name:
                    spread_of = f"{number(figure.min, figure.unit)} - {number(figure.max, figure.unit)}"
                    print(
                        f"  {title:14} {number(figure.number, figure.unit):>9}  {spread_of:>19}  {figure.unit}",
                        flush=True,
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
