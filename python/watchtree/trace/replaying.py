"""Making the calls of a trace again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from watchtree._core import Batch, Dispatcher, Log, ManualClock, Tree
from watchtree.errors import InvalidSnapshot, WatchTreeError

ALL = (1 << 63) - 1


class Replayed(NamedTuple):
    """What `Trace.replay` made: a tree and a dispatcher in the state after those calls, to be looked at or used on."""

    tree: Tree
    dispatcher: Dispatcher
    clock: ManualClock
    """The dispatcher's, at the time of the last call."""
    calls: int
    """How many calls were made."""


class InvalidTrace(WatchTreeError, ValueError):
    """The file is no trace, is damaged or of a newer version; or the trace lacks what was asked of it."""


class ReplayDiffers(WatchTreeError, AssertionError):
    """A call did not end as recorded, or something else followed from it: `call` is its number."""

    def __init__(self, message: str = "", *, call: int = 0) -> None:
        super().__init__(message)
        self.call = call


def keep_batch(batch: Batch) -> None:
    """A transport that does not answer."""


def replay(log: Log, calls: int | None, send: Callable[[Batch], object] | None) -> Replayed:
    """Make the first calls of a log again. Requires: it is replayable."""
    key_bytes, value_bytes = log.tree_limits
    limits = dataclasses.replace(log.config, max_key_bytes=key_bytes, max_value_bytes=value_bytes)
    try:
        tree = Tree.from_snapshot(log.image, config=limits)
    except InvalidSnapshot:
        raise InvalidTrace("the tree of this trace is damaged; record it again") from None
    clock = ManualClock()
    dispatcher = Dispatcher(tree, keep_batch if send is None else send, config=log.config, clock=clock)
    made, differs = log.replay(dispatcher, clock, ALL if calls is None else min(calls, ALL))
    if differs:
        raise ReplayDiffers(
            f"call {made - 1} of the trace did not end as it was recorded; replay(calls={made - 1}) has the state before it",
            call=made - 1,
        )
    return Replayed(tree, dispatcher, clock, made)
