"""The life of the simulated subscribers' connections: they open, beat, drop and come back."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence

from watchtree import Dispatcher
from watchtree.cli.network import Network
from watchtree.cli.subscribers import Subscriber

HEARTBEAT_SECONDS = 2.0
LONGEST_ABSENCE_SECONDS = 1.0


class Connections:
    """Half of the connections that drop are closed; of the others the dispatcher is not told.

    drops_per_second: of all connections together.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        network: Network,
        subscribers: Sequence[Subscriber],
        rng: random.Random,
        drops_per_second: float,
    ) -> None:
        self._dispatcher = dispatcher
        self._network = network
        self._subscribers = subscribers
        self._rng = rng
        self._drops_per_second = drops_per_second
        self._absent: list[tuple[float, int]] = []  # a heap by (time of return, position)
        self._before: float | None = None
        self._drops_due = 0.0
        self._beats_due = 0.0
        self._next_beat = 0
        self.dropped = 0

    def connect_all(self) -> None:
        """Connect whoever is not connected, or was forgotten by the dispatcher; nothing drops any more before `advance`."""
        self._absent.clear()
        for subscriber in self._subscribers:
            self._beat(subscriber)

    def advance(self, now: float, *, drop: bool = True) -> None:
        """Do what is due by now. now: seconds. drop: connections may drop as well."""
        seconds = now - (now if self._before is None else self._before)
        self._before = now
        while self._absent and self._absent[0][0] <= now:
            self._beat(self._subscribers[heapq.heappop(self._absent)[1]])
        self._beats_due += seconds * len(self._subscribers) / HEARTBEAT_SECONDS
        for _ in range(min(int(self._beats_due), len(self._subscribers))):
            subscriber = self._subscribers[self._next_beat]
            self._next_beat = (self._next_beat + 1) % len(self._subscribers)
            if subscriber.connected:
                self._beat(subscriber)
        self._beats_due %= 1.0
        if drop:
            self._drops_due += seconds * self._drops_per_second
            for _ in range(int(self._drops_due)):
                self._drop_one(now)
            self._drops_due %= 1.0

    def _beat(self, subscriber: Subscriber) -> None:
        """A heartbeat; it finds a dispatcher that forgot the channel, which then watches less than its subscriber does."""
        if not subscriber.connected or self._dispatcher.touch(subscriber.name) != len(subscriber.keys):
            self._network.connect(subscriber, self._dispatcher)

    def _drop_one(self, now: float) -> None:
        position = self._rng.randrange(len(self._subscribers))
        subscriber = self._subscribers[position]
        if not subscriber.connected:
            return
        self.dropped += 1
        self._network.drop(subscriber, self._dispatcher, silently=self._rng.random() < 0.5)
        heapq.heappush(self._absent, (now + self._rng.random() * LONGEST_ABSENCE_SECONDS, position))
