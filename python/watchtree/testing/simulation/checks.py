"""What must hold in a simulation, each with the number of its guarantee (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchtree import Batch, Event, Notification
from watchtree.testing.simulation.server import Hosted, true_state

if TYPE_CHECKING:
    from watchtree.testing.simulation.simulation import Simulation
    from watchtree.testing.simulation.subscriber import SimulatedSubscriber

NOTIFICATION_BYTES = 24


class Violation(AssertionError):
    """A guarantee does not hold. The message says which, and shows what happened last."""


class Checks:
    """Looks at what is sent and what is told."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._found: Violation | None = None

    def fail(self, guarantee: str, message: str) -> None:
        """Stop the simulation; if a dispatcher takes the exception for a fault of its transport, then a little later."""
        violation = Violation(f"{guarantee}: {message}\n{self._simulation.last_lines()}")
        self._found = self._found or violation
        raise violation

    def raise_found(self) -> None:
        """Raise what was found first, if anything was."""
        if self._found is not None:
            raise self._found

    def sent(self, hosted: Hosted, batch: Batch, notifications: tuple[Notification, ...]) -> None:
        """A batch was handed over."""
        for key, state, index, value in notifications:
            if true_state(hosted.tree, key) != (state, value) or index > hosted.tree.index:
                self.fail("G1 latest", f"{hosted.server.name} sent {key!r} as {state!r} {value!r} at {index}")
        size = sum(NOTIFICATION_BYTES + len(each.key.encode()) + len(each.value or b"") for each in notifications)
        if not notifications or (len(notifications) > 1 and size > self._simulation.world.max_batch_bytes):
            self.fail("G4 limits", f"{hosted.server.name} sent {len(notifications)} notifications of {size} bytes")
        if batch.channel in hosted.in_flight:
            ticket = hosted.in_flight[batch.channel]
            # A batch that was not answered in time has failed, which the server is not told.
            if hosted.dispatcher.answer(ticket, [0] * 99) and ticket != batch.ticket:
                self.fail("G4 one in flight", f"{batch.channel} got {batch.ticket} while {ticket} was in flight")

    def told(self, subscriber: SimulatedSubscriber, event: Event) -> None:
        """A user was told something."""
        key = (int(event.group), event.key)
        before = subscriber.seen.get(key)
        if key not in subscriber.followed:
            self.fail("§4 events", f"{subscriber.name} was told {event}, which it does not follow")
        if before is not None and event.index <= before.index:
            self.fail("G2 no duplicate", f"{subscriber.name} was told {event} after {before}")

    def ended(self) -> None:
        """All is quiet and whole: everybody has everything."""
        for subscriber in self._simulation.subscribers:
            for group, key in sorted(subscriber.followed):
                truth = true_state(self._simulation.truth[group], key)
                if subscriber.state_of(group, key) != truth:
                    self.fail(
                        "G3 eventual, G5 resume",
                        f"{subscriber.name} has {subscriber.seen.get((group, key))} of {key!r} in group {group}; "
                        f"it is {truth}",
                    )

    def left(self) -> None:
        """All subscribers have gone long ago."""
        for server in self._simulation.servers:
            for hosted in server.hosted:
                stats = hosted.dispatcher.stats()
                sizes = (stats.channels, stats.watches, stats.holders, stats.in_flight, stats.backing_off)
                if any(sizes):
                    self.fail("G7 bounded", f"{server.name} still has {stats}")
                if hosted.dispatcher.memory()["total"] > EMPTY_BYTES:
                    self.fail("G7 bounded", f"{server.name} still holds {hosted.dispatcher.memory()}")
        for subscriber in self._simulation.subscribers:
            now = subscriber.machine.stats()
            if any((now.keys, now.waiting, now.connected, now.requests)):
                self.fail("§4 actions", f"{subscriber.name} is not idle: {now}")


EMPTY_BYTES = 200_000
"""Of a dispatcher without channels that had some: a chunk of each kind of record."""
