"""A server of the simulation: for each group a replica of its tree and a dispatcher, behind connections that break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchtree import Batch, Dispatcher, Tree
from watchtree.errors import WatchTreeError
from watchtree.records import CompareAndSet, Mkdir, Operation, Put, Remove
from watchtree.testing.simulation.network import NodeClock
from watchtree.trace import Recorder
from watchtree.words import Failure, RemoveAllWatches, State

if TYPE_CHECKING:
    from watchtree.testing.simulation.simulation import Simulation

Image = tuple[bytes, int]
"""A snapshot, and how much of the log is in it."""


class Hosted:
    """One group on one server."""

    def __init__(self, server: SimulatedServer, group: int, image: Image) -> None:
        self.server = server
        self.group = group
        world = server.simulation
        snapshot, self.applied = image
        self.tree = Tree.from_snapshot(snapshot, config=world.config)
        self.dispatcher = Dispatcher(self.tree, self.send, config=world.config, clock=server.clock)
        recorders = server.simulation.recorders
        if recorders is not None:
            recorders[f"{server.name} tree{group} #{server.starts}"] = Recorder(self.dispatcher)
        self.in_flight: dict[str, int] = {}
        """The ticket of the batch that is on its way to each channel."""
        self.asked: dict[str, int] = {}
        """The newest request on the connection of each channel: an older one comes late or again."""
        self.step_is_set = False
        self.wake_at: int | None = None

    # The log.

    def apply(self) -> None:
        """Make the changes of the log that have come this far."""
        log = self.server.simulation.logs[self.group]
        while self.applied < min(len(log), self.server.reached[self.group]):
            index, operation = log[self.applied]
            apply_operation(self.tree, operation, index)
            self.applied += 1
        self.set_step()

    # Steps.

    def set_step(self) -> None:
        """Let a step be made now."""
        if not self.step_is_set:
            self.step_is_set = True
            self.server.simulation.timeline.at(0, self.step)

    def step(self) -> None:
        """One step, and the next one when it is due."""
        self.step_is_set = False
        if not self.server.up or self.server.hosted[self.group] is not self:
            return
        if not self.dispatcher.dispatch():
            self.set_step()
            return
        wait = self.dispatcher.next_deadline()
        if wait == 0:
            self.set_step()
        elif wait is not None:
            timeline = self.server.simulation.timeline
            at = timeline.now + round(wait * 1e9)
            if self.wake_at is None or at < self.wake_at or self.wake_at <= timeline.now:
                self.wake_at = at
                timeline.at(at, self.set_step)

    # The transport.

    def send(self, batch: Batch) -> None:
        """Send a batch to the subscriber that its channel is."""
        notifications = tuple(batch)
        self.server.simulation.checks.sent(self, batch, notifications)
        session = self.server.sessions.get(batch.channel)
        if session is None:
            batch.fail(Failure.NETWORK)
            return
        self.in_flight[batch.channel] = batch.ticket
        self.server.simulation.to_subscriber(
            self.server, session, "notified", self.group, batch.ticket, batch.epoch, notifications
        )

    def answered(self, channel: str, ticket: int, results: Sequence[int] | RemoveAllWatches) -> None:
        """An answer came."""
        if self.in_flight.get(channel) == ticket:
            del self.in_flight[channel]
        self.dispatcher.answer(ticket, results)
        self.set_step()

    def lose(self, channel: str) -> None:
        """The connection of a channel is gone: what is in flight will not be answered."""
        self.asked.pop(channel, None)
        ticket = self.in_flight.pop(channel, None)
        if ticket is not None:
            self.dispatcher.answer(ticket, failure=Failure.NETWORK)
            self.set_step()


class SimulatedServer:
    """Accepts connections, one of each subscriber at a time: a newer one ends the older."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self.simulation = simulation
        self.number = number
        self.name = f"server{number}"
        self.clock = NodeClock(simulation.timeline)
        self.up = True
        self.paused = False
        self.starts = 0
        self.images = list(simulation.empty_images)
        self.start()

    def start(self) -> None:
        """Begin with what was saved last: no connection, no channel."""
        self.up = True
        self.reached = [applied for _, applied in self.images]
        self.sessions: dict[str, tuple[int, int]] = {}
        """Subscriber and connection by the subscriber's name."""
        self.starts += 1
        self.hosted = [Hosted(self, group, image) for group, image in enumerate(self.images)]

    def crash(self) -> None:
        """Lose everything that was not saved."""
        self.up = False
        self.sessions = {}

    def save(self) -> None:
        """Take a snapshot to start from after a crash."""
        if self.up:
            self.images = [(hosted.tree.snapshot(), hosted.applied) for hosted in self.hosted]

    def replicate(self, group: int, position: int) -> None:
        """The log of a group has come this far."""
        if self.paused:
            return
        self.reached[group] = max(self.reached[group], position)
        if self.up:
            self.hosted[group].apply()

    def catch_up(self) -> None:
        """All logs have come to their end."""
        self.paused = False
        for group, log in enumerate(self.simulation.logs):
            self.replicate(group, len(log))

    # Messages.

    def connect(self, subscriber: int, connection: int) -> None:
        """A subscriber wants a connection."""
        name = self.simulation.subscribers[subscriber].name
        if not self.up:
            self.simulation.to_subscriber(self, (subscriber, connection), "refused")
            return
        if name in self.sessions and self.sessions[name][1] >= connection:
            return
        self.forget(name)
        self.sessions[name] = (subscriber, connection)
        self.simulation.to_subscriber(self, (subscriber, connection), "connected")

    def close(self, subscriber: int, connection: int) -> None:
        """A subscriber ended its connection, or it broke here."""
        name = self.simulation.subscribers[subscriber].name
        if self.sessions.get(name) == (subscriber, connection):
            self.forget(name)

    def forget(self, name: str) -> None:
        """A connection is gone."""
        self.sessions.pop(name, None)
        for hosted in self.hosted:
            hosted.lose(name)

    def receive(self, subscriber: int, connection: int, what: str, group: int, *arguments: Any) -> None:
        """A message came on a connection; one that is gone is answered by saying so."""
        name = self.simulation.subscribers[subscriber].name
        if not self.up or self.sessions.get(name) != (subscriber, connection):
            self.simulation.to_subscriber(self, (subscriber, connection), "broken")
            return
        getattr(self, what)((subscriber, connection), name, self.hosted[group], *arguments)

    def sync(
        self, session: tuple[int, int], name: str, hosted: Hosted, request: int, known: Mapping[str, int], replace: bool
    ) -> None:
        """A request."""
        if not self.is_new(name, hosted, request):
            return
        synced = hosted.dispatcher.sync(name, known, replace)
        hosted.set_step()
        self.simulation.to_subscriber(self, session, "synced", request, synced)

    def touch(self, session: tuple[int, int], name: str, hosted: Hosted, request: int) -> None:
        """A request."""
        if self.is_new(name, hosted, request):
            self.simulation.to_subscriber(self, session, "touched", request, hosted.dispatcher.touch(name))

    def is_new(self, name: str, hosted: Hosted, request: int) -> bool:
        """It is not an old request that comes late or again."""
        if hosted.asked.get(name, 0) >= request:
            return False
        hosted.asked[name] = request
        return True

    def answer(
        self, session: tuple[int, int], name: str, hosted: Hosted, ticket: int, epoch: int, results: Any
    ) -> None:
        """The answer to a batch, unless its dispatcher was another one."""
        if epoch == hosted.dispatcher.epoch:
            hosted.answered(name, ticket, results)


def apply_operation(tree: Tree, operation: Operation, index: int) -> bool:
    """Make one change of a log; False if it fails, as it then does on each replica."""
    try:
        match operation:
            case Put(key, value, parents):
                tree.put(key, value, parents=parents, index=index)
            case Mkdir(key, parents):
                tree.mkdir(key, parents=parents, index=index)
            case Remove(key, recursive):
                tree.remove(key, recursive=recursive, index=index)
            case CompareAndSet(key, expected, value):
                tree.compare_and_set(key, expected, value, index=index)
    except WatchTreeError:
        return False
    return True


def true_state(tree: Tree, key: str) -> tuple[State, bytes | None]:
    """What a key is."""
    node = tree.get_many([key])[0]
    if node is None:
        return State.MISSING, None
    return (State.DIRECTORY, None) if node.is_directory else (State.VALUE, node.value)
