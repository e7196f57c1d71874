"""The network between a dispatcher and its simulated subscribers: it loses, delays and repeats, and connections drop."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Mapping

from watchtree import Batch, Dispatcher, Failure, Notification, Result
from watchtree.cli.faults import DemoFault, Fault, Faults
from watchtree.cli.subscribers import Subscriber


class Network:
    """`send` is the dispatcher's transport; the other methods are called by the thread of the demonstration.

    longest_delay: seconds until the latest of the sendings that come late arrives; above `Config.answer_timeout` a
    sending can be overtaken by its own repetition.

    Any thread. One lock for everything, which may be held while the dispatcher is called: the dispatcher never holds a
    lock of its own while it calls `send`. It is re-entrant since an acknowledgement may send the next part of a cut batch.
    """

    def __init__(
        self, subscribers: Mapping[str, Subscriber], faults: Faults, rng: random.Random, longest_delay: float
    ) -> None:
        self._subscribers = subscribers
        self._faults = faults
        self._rng = rng
        self._longest_delay = longest_delay
        self._lock = threading.RLock()
        self._now = 0.0
        self._on_the_way: list[tuple[float, int, Batch]] = []  # a heap by (time of arrival, number)
        self._numbers = 0
        self.sendings = 0

    def send(self, batch: Batch) -> None:
        """Bring a batch to its subscriber, or not."""
        notes = list(batch)
        with self._lock:
            self.sendings += 1
            subscriber = self._subscribers[batch.channel]
            subscriber.check(batch.ticket, notes)
            if not subscriber.connected:
                batch.fail(Failure.NETWORK)
                return
            fault = self._faults.draw()
            if fault is Fault.LOST:
                batch.fail(Failure.NETWORK)
            elif fault is Fault.RAISED:
                raise DemoFault("a failure on purpose")
            elif fault is Fault.UNANSWERED:
                subscriber.receive(notes)
            elif fault is Fault.LATE:
                self._delay(batch)
            elif fault is Fault.TWICE:
                self._arrive(subscriber, batch, notes)
                self._delay(batch)
            elif fault is Fault.REFUSED:
                self._arrive(subscriber, batch, notes, refused=self._rng.randrange(len(notes)))
            else:
                self._arrive(subscriber, batch, notes)

    def advance(self, now: float) -> None:
        """Bring what was late and arrives by now. now: seconds, of a clock that does not go back."""
        with self._lock:
            self._now = now
            while self._on_the_way and self._on_the_way[0][0] <= now:
                _, _, batch = heapq.heappop(self._on_the_way)
                subscriber = self._subscribers[batch.channel]
                if subscriber.connected and subscriber.is_current(batch.ticket):
                    self._arrive(subscriber, batch, list(batch))
                else:
                    batch.fail(Failure.NETWORK)  # its connection dropped meanwhile

    def is_empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._on_the_way

    def connect(self, subscriber: Subscriber, dispatcher: Dispatcher) -> None:
        """Register a subscriber with what it knows, for the first time or after its connection dropped."""
        with self._lock:
            known = subscriber.known()
            # Only batches that were certainly built in this registration may be held against it. If the channel is there
            # still, one could be built between two calls, so the count is taken after the registration.
            is_new = dispatcher.touch(subscriber.name) == 0
            before = dispatcher.stats().batches_sent
            dispatcher.sync(subscriber.name, known, replace=True)
            subscriber.registered(known, before if is_new else dispatcher.stats().batches_sent)

    def drop(self, subscriber: Subscriber, dispatcher: Dispatcher, *, silently: bool) -> None:
        """Cut a connection. silently: the dispatcher is not told and goes on sending, in vain."""
        with self._lock:
            subscriber.connected = False
            if not silently:
                dispatcher.close(subscriber.name)

    def _delay(self, batch: Batch) -> None:
        self._numbers += 1
        arrival = self._now + self._rng.random() * self._longest_delay
        heapq.heappush(self._on_the_way, (arrival, self._numbers, batch))

    def _arrive(
        self, subscriber: Subscriber, batch: Batch, notes: list[Notification], refused: int | None = None
    ) -> None:
        """The subscriber takes a batch and answers. refused: the position of a notification that it does not take."""
        results = None
        if refused is not None:
            results = [Result.OK] * len(notes)
            results[refused] = Result.ERROR
            notes = notes[:refused] + notes[refused + 1 :]
        subscriber.receive(notes)
        if batch.acknowledge(results):
            subscriber.acknowledged(batch.ticket, notes)
