"""A simulated subscriber: it holds the newest state of its keys, and keeps account of what the dispatcher sends it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchtree import Node, Notification, State


@dataclass(frozen=True)
class Held:
    """What a subscriber knows of one key. A digest stands for the value: a thousand copies of it would fill the memory."""

    state: State
    index: int
    digest: bytes | None


class Subscriber:
    """The far end of one channel. Not thread-safe: the network calls it under its lock.

    `check` and `acknowledged` audit the dispatcher (guarantee G2): within one registration, no notification may be sent
    whose index was acknowledged already. Tickets tell the registrations apart: a batch with a ticket up to
    `registered_after` belongs to an earlier one, however late it arrives.
    """

    def __init__(self, name: str, keys: Iterable[str]) -> None:
        self.name = name
        self.keys = tuple(dict.fromkeys(keys))
        self.held: dict[str, Held] = {}
        self.connected = False
        self.registered_after = 0
        self.delivered = 0
        """Notifications that told something new."""
        self.dropped = 0
        """Notifications that were not newer than what is held: sendings that were repeated for want of an answer."""
        self.duplicates: list[str] = []
        """Notifications that the dispatcher should not have sent, in words."""
        self._acknowledged: dict[str, int] = {}

    def known(self) -> dict[str, int]:
        """The index that it has of each key, as `Dispatcher.sync` takes it."""
        return {key: self.held[key].index if key in self.held else 0 for key in self.keys}

    def registered(self, known: Mapping[str, int], after_ticket: int) -> None:
        """A registration has begun, with these indexes, for batches with a later ticket than this."""
        self.connected = True
        self.registered_after = after_ticket
        self._acknowledged = {key: index for key, index in known.items() if index > 0}

    def is_current(self, ticket: int) -> bool:
        """Whether the batch with this ticket was made for the present registration."""
        return ticket > self.registered_after

    def check(self, ticket: int, notes: Iterable[Notification]) -> None:
        """Note every notification of a sending that should not be in it."""
        if not self.is_current(ticket):
            return
        for note in notes:
            acknowledged = self._acknowledged.get(note.key, -1)
            if note.index <= acknowledged:
                self.duplicates.append(
                    f"{self.name}: {note.key} was sent at index {note.index} though {acknowledged} was acknowledged"
                )

    def receive(self, notes: Iterable[Notification]) -> None:
        """Take what is newer than what is held."""
        for note in notes:
            held = self.held.get(note.key)
            if held is not None and note.index <= held.index:
                self.dropped += 1
            else:
                self.held[note.key] = _held(note)
                self.delivered += 1

    def acknowledged(self, ticket: int, notes: Iterable[Notification]) -> None:
        """The dispatcher took the acknowledgement of these notifications of a batch."""
        if not self.is_current(ticket):
            return
        for note in notes:
            self._acknowledged[note.key] = max(note.index, self._acknowledged.get(note.key, -1))

    def differences(self, truths: Mapping[str, Held]) -> list[str]:
        """Where it holds something else than what is true, in words. truths: by key, for all of `keys`."""
        return [
            f"{self.name}: {key} is {_words(truths[key])}, held is {_words(self.held.get(key))}"
            for key in self.keys
            if not _agree(self.held.get(key), truths[key])
        ]


def truth(node: Node | None) -> Held:
    """What a subscriber should hold for a key whose node is this one."""
    if node is None:
        return Held(State.MISSING, 0, None)
    return Held(State.DIRECTORY if node.is_directory else State.VALUE, node.update_index, _digest(node.value))


def _agree(held: Held | None, true: Held) -> bool:
    if held is not None and true.state is State.MISSING:
        return held.state is State.MISSING  # the index of a missing key is kept by its watch holder alone (contract §2)
    return held == true


def _held(note: Notification) -> Held:
    return Held(State(note.state), note.index, _digest(note.value))


def _words(held: Held | None) -> str:
    if held is None:
        return "nothing"
    return f"{held.state.name} at index {held.index}" + (f", {held.digest.hex()}" if held.digest else "")


def _digest(value: bytes | None) -> bytes | None:
    return None if value is None else hashlib.blake2b(value, digest_size=8).digest()
