"""What threads saw, checked by the guarantees once all are done (contract §5)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from itertools import pairwise

from watchtree import Batch, Dispatcher, ManualClock

ROUNDS = int(os.environ.get("WATCHTREE_THREAD_ROUNDS", "200"))
"""How often each thread of a test does its work; more in a nightly run, fewer under a sanitizer."""


def run_together(*works: Callable[[], object]) -> None:
    """Run each work in a thread of its own, all starting at one moment; raise the first error of any of them.

    The interpreter changes threads as often as it can meanwhile: with its usual interval a short work would be done before
    the next one begins.
    """
    start = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]


class Journal:
    """A transport that notes each batch, finds calls that overlap, and answers as it is told.

    answer: called with each batch, after it was noted; it may answer at once, later, or leave it to other threads.
    """

    def __init__(self, answer: Callable[[Batch], object]) -> None:
        self.batches: list[Batch] = []
        self.overlaps = 0
        self._answer = answer
        self._busy = threading.Lock()

    def __call__(self, batch: Batch) -> None:
        if not self._busy.acquire(blocking=False):
            self.overlaps += 1
            return
        try:
            self.batches.append(batch)
            self._answer(batch)
        finally:
            self._busy.release()

    def indexes(self) -> dict[tuple[str, str], list[int]]:
        """The indexes sent for each channel and key, in the order in which they were sent."""
        sent: dict[tuple[str, str], list[int]] = {}
        for batch in self.batches:
            for notification in batch:
                sent.setdefault((batch.channel, notification.key), []).append(notification.index)
        return sent

    def last(self) -> dict[tuple[str, str], tuple[object, ...]]:
        """The newest (state, index, value) sent for each channel and key."""
        return {(batch.channel, n.key): n[1:] for batch in self.batches for n in batch}


def strictly_increasing(numbers: list[int]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


def settle(dispatcher: Dispatcher) -> None:
    """Dispatch and acknowledge until nothing is sent any more; the time stands still."""
    quiet = False
    while not quiet:
        done = dispatcher.dispatch()
        tickets = [dispatcher.channel(channel).ticket for channel in dispatcher.channels()]
        answered = [dispatcher.answer(ticket) for ticket in tickets if ticket is not None]
        quiet = done and not answered
    dispatcher.verify()


def recover(dispatcher: Dispatcher, clock: ManualClock) -> None:
    """Let the time of every retry come, and settle."""
    settle(dispatcher)
    for _ in range(5):
        clock.advance(60)
        for channel in dispatcher.channels():
            dispatcher.touch(channel)
        settle(dispatcher)
