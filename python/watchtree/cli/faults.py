"""What can go wrong between a dispatcher and a subscriber, and how often."""

from __future__ import annotations

import enum
import random
from collections import Counter


class Fault(enum.Enum):
    """What happens to one sending. The text is for the table at the end."""

    LOST = "failed before it arrived"
    RAISED = "the transport raised"
    UNANSWERED = "arrived, never answered"
    LATE = "arrived late"
    TWICE = "arrived and was answered twice"
    REFUSED = "one notification refused"


class DemoFault(ConnectionError):
    """Raised by the transport on purpose (`Fault.RAISED`)."""


class Faults:
    """Draws faults for a share of the sendings.

    probability: 0.0 to 1.0. The same random numbers give the same faults; which sending meets which depends on threads.
    """

    def __init__(self, probability: float, rng: random.Random) -> None:
        self._probability = probability
        self._rng = rng
        self.counts: Counter[Fault] = Counter()

    def draw(self) -> Fault | None:
        """The fault of the next sending, None if all goes well."""
        if self._rng.random() >= self._probability:
            return None
        fault = self._rng.choice(list(Fault))
        self.counts[fault] += 1
        return fault

    def end(self) -> None:
        """From now on all goes well."""
        self._probability = 0.0
