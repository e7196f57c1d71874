"""Carries messages between subscribers and servers, late, twice, out of order or not at all, by the fates of one seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

Handler = Callable[..., None]


class Timeline:
    """What is to happen when; the same order at each run. Times are nanoseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000_000
        self._waiting: list[tuple[int, int, Handler, tuple[Any, ...]]] = []
        self._count = 0

    def at(self, time: int, handler: Handler, *arguments: Any) -> None:
        """Call the handler at this time, or now if it has passed; equal times in the order they were set."""
        self._count += 1
        heapq.heappush(self._waiting, (max(time, self.now), self._count, handler, arguments))

    def run_until(self, end: int) -> None:
        """Let everything happen up to this time, and stand there."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= end:
            self.now, _, handler, arguments = heapq.heappop(waiting)
            handler(*arguments)
        self.now = end


class NodeClock:
    """The clock of one server or subscriber, which may jump."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.offset = 0

    def __call__(self) -> int:
        return self._timeline.now + self.offset


class Network:
    """Links between the subscribers and the servers. Each message has a fate of its own."""

    def __init__(self, timeline: Timeline, seed: int, lost: float, repeated: float, delay: float) -> None:
        self._timeline = timeline
        self._random = Random(f"fates {seed}")
        self.lost = lost
        self.repeated = repeated
        self.delay = delay
        self._cut: set[tuple[int, int]] = set()
        self._dead: set[int] = set()

    def send(self, subscriber: int, server: int, connection: int, handler: Handler, *arguments: Any) -> None:
        """Carry a message either way between these two; the handler gets it, once, twice or never."""
        random = self._random
        if (subscriber, server) in self._cut or connection in self._dead or random.random() < self.lost:
            return
        copies = 2 if random.random() < self.repeated else 1
        for _ in range(copies):
            time = self._timeline.now + int(random.random() * self.delay * 1e9)
            self._timeline.at(time, self._arrive, connection, handler, arguments)

    def _arrive(self, connection: int, handler: Handler, arguments: tuple[Any, ...]) -> None:
        if connection not in self._dead:
            handler(*arguments)

    def cut(self, subscriber: int, server: int) -> None:
        """Lose all that is sent between these two from now on."""
        self._cut.add((subscriber, server))

    def kill(self, connection: int) -> None:
        """Lose all of one connection, also what is under way; neither end is told."""
        self._dead.add(connection)

    def heal(self) -> None:
        """Cut nothing any more; a connection that is dead stays so."""
        self._cut.clear()

    def close(self) -> None:
        """Give back what it holds."""

    def become_perfect(self) -> None:
        """Lose and repeat nothing any more."""
        self.heal()
        self.lost = self.repeated = 0.0
