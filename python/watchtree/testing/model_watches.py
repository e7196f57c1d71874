"""What the model's dispatcher keeps for a subscriber: its channel, its watches, its unanswered sending (§2, §3)."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field

from watchtree.records import Notification

NEVER = -1


class Phase(enum.Enum):
    """The state of a watch, and that of a channel. The value is the word in `ChannelStats.state`."""

    IDLE = "idle"
    READY = "ready"
    IN_FLIGHT = "in_flight"
    BACKING_OFF = "backing_off"


@dataclass(eq=False)
class Watch:
    """One (channel, key)."""

    channel: Channel
    key: str
    registered: int
    """Its place among the watches of its holder: counted over all registrations of the dispatcher."""
    notified: int = NEVER
    generation: int = 0
    """Another one after each registration with 0 and once it was dropped."""
    phase: Phase = Phase.IDLE
    failure_count: int = 0
    unacknowledged: bool = False
    """Its last sending in this registration was not acknowledged."""
    found_in_flight: bool = False
    """Phase 1 found it due while the batch that holds it was unanswered."""


@dataclass(frozen=True)
class SentWatch:
    """A watch as it stands in a batch."""

    watch: Watch
    generation: int
    index: int

    @property
    def counts(self) -> bool:
        """The watch is still the registration that was sent."""
        return self.watch.generation == self.generation


@dataclass(frozen=True, eq=False)
class Sending:
    """One batch, from the moment it was built."""

    channel: Channel
    ticket: int
    epoch: int
    watches: list[SentWatch]
    notifications: tuple[Notification, ...]
    size_bytes: int
    more: bool


@dataclass(eq=False)
class Channel:
    """One subscriber connection, from its first sync until it is closed."""

    name: str
    phase: Phase = Phase.IDLE
    watches: dict[str, Watch] = field(default_factory=dict)
    ready: list[Watch] = field(default_factory=list)
    """The ready set, in the order in which the watches became ready."""
    left_by_cut: int = 0
    """Once its batch was cut: how many at the front of the ready set were ready then."""
    sending: Sending | None = None
    """The batch in flight."""
    failure_count: int = 0
    closed: bool = False
    counts: Counter[str] = field(default_factory=Counter)
