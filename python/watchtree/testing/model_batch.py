"""What the model's dispatcher hands to a transport (§3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from watchtree.records import Notification
from watchtree.testing.model_watches import Sending
from watchtree.words import REMOVE_ALL_WATCHES, Failure

if TYPE_CHECKING:
    from watchtree.testing.model_dispatcher import ModelDispatcher


class ModelBatch(Sequence[Notification]):
    """`watchtree.Batch`: one sending, to be answered once."""

    def __init__(self, dispatcher: ModelDispatcher, sending: Sending) -> None:
        self._dispatcher = dispatcher
        self.channel = sending.channel.name
        self.ticket = sending.ticket
        self.epoch = sending.epoch
        self.more = sending.more
        self.size_bytes = sending.size_bytes
        self.notifications = sending.notifications

    def acknowledge(self, results: Sequence[int] | None = None) -> bool:
        """As `Batch.acknowledge`."""
        return self._dispatcher.answer(self.ticket, results)

    def remove_all(self) -> bool:
        """As `Batch.remove_all`."""
        return self._dispatcher.answer(self.ticket, REMOVE_ALL_WATCHES)

    def fail(self, reason: Failure) -> bool:
        """As `Batch.fail`."""
        return self._dispatcher.answer(self.ticket, failure=reason)

    def __len__(self) -> int:
        return len(self.notifications)

    @overload
    def __getitem__(self, position: int) -> Notification: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Notification]: ...
    def __getitem__(self, position: int | slice) -> Notification | Sequence[Notification]:
        return self.notifications[position]

    def __iter__(self) -> Iterator[Notification]:
        return iter(self.notifications)

    def __repr__(self) -> str:
        return f"ModelBatch({self.channel!r}, ticket={self.ticket}, notifications={self.notifications})"
