"""What every workload of the Python end stands on: a tree, and a dispatcher that calls a Python function for each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from watchtree import Batch, Dispatcher, ManualClock, Tree

VALUE = b"v" * 100


def acknowledge(batch: Batch) -> int:
    """Takes a batch as it is; how many notifications arrived."""
    batch.acknowledge()
    return len(batch)


class Rig:
    """A tree, and a dispatcher whose transport hands each batch to a function and counts what it says arrived."""

    def __init__(self, take: Callable[[Batch], int] = acknowledge, clock: ManualClock | None = None) -> None:
        self.notifications = 0

        def count(batch: Batch) -> None:
            self.notifications += take(batch)

        self.tree = Tree()
        self.dispatcher = Dispatcher(self.tree, count, clock=clock)

    def put(self, key: str) -> None:
        """Set a value, the same for all keys."""
        self.tree.put(key, VALUE, parents=True)

    def put_all(self, keys: Iterable[str]) -> None:
        """Set each of them once."""
        for key in keys:
            self.put(key)

    def watch_all(self, keys: Sequence[str], channels: int) -> None:
        """Each channel watches the next run of as many keys; their first notifications are past then."""
        each = len(keys) // channels
        for channel in range(channels):
            self.watch(channel, keys[channel * each : (channel + 1) * each])
        self.drain()

    def share(self, keys: Sequence[str], channels: int) -> None:
        """Set all keys, which each channel watches; their first notifications are past then."""
        self.put_all(keys)
        for channel in range(channels):
            self.watch(channel, keys)
        self.drain()

    def watch(self, channel: int, keys: Iterable[str]) -> None:
        """Register them with nothing known."""
        self.dispatcher.sync(f"channel{channel}", dict.fromkeys(keys, 0))

    def drain(self) -> int:
        """Dispatch until nothing is left; the notifications that arrived."""
        before = self.notifications
        last = -1
        dispatch = self.dispatcher.dispatch
        while last != self.notifications:
            last = self.notifications
            while not dispatch():
                pass
        return self.notifications - before


def spread_keys() -> list[str]:
    """100000 keys in 100 directories."""
    return [f"d{d}.k{k}" for d in range(100) for k in range(1000)]
