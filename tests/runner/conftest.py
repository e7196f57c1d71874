"""Stage: a tree, a dispatcher on the real clock, and a transport that does what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from watchtree import Batch, Config, Dispatcher, Tree

NEVER = 1e6
"""A dispatch_interval, in seconds, that no test lives to see: a lost wake-up is a hang and not a delay."""


def acknowledge(batch: Batch) -> object:
    return batch.acknowledge()


class Stage:
    """behave: called by the transport with each batch, after it was noted; by default it acknowledges."""

    def __init__(self, behave: Callable[[Batch], object] = acknowledge, **settings: Any) -> None:
        self.errors: list[tuple[BaseException, str]] = []
        self.behave = behave
        self.batches: list[Batch] = []
        self._changed = threading.Condition()
        clock = settings.pop("clock", None)
        settings.setdefault("dispatch_interval", NEVER)
        settings.setdefault("on_error", lambda error, channel: self.errors.append((error, channel)))
        self.tree = Tree()
        self.dispatcher = Dispatcher(self.tree, self._send, config=Config(**settings), clock=clock)

    def _send(self, batch: Batch) -> None:
        with self._changed:
            self.batches.append(batch)
            self._changed.notify_all()
        self.behave(batch)

    def wait_for_batches(self, count: int) -> list[Batch]:
        """Wait until so many batches were sent, all together."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.batches) >= count, timeout=60), f"{len(self.batches)} sent"
            return list(self.batches)


@pytest.fixture
def stage() -> Callable[..., Stage]:
    """Makes a Stage, of Config settings and `clock`."""
    return Stage
