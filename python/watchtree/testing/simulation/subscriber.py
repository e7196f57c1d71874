"""A subscriber of the simulation: the state machine, its connections, and a user who looks at each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchtree import Connect, Disconnect, Event, Notification, Subscriber, Sync, Synced, Touch
from watchtree.testing.simulation.network import NodeClock
from watchtree.words import State

if TYPE_CHECKING:
    from watchtree.testing.simulation.simulation import Simulation

Key = tuple[int, str]
"""A group and a key in it."""


class SimulatedSubscriber:
    """Does what its state machine says, and tells it what happened. Every second one has a slow user."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self.simulation = simulation
        self.number = number
        self.name = f"subscriber{number}"
        self.clock = NodeClock(simulation.timeline)
        servers = [server.name for server in simulation.servers]
        turned = servers[number % len(servers) :] + servers[: number % len(servers)]
        self.machine = Subscriber(
            {str(group): turned for group in range(simulation.world.groups)}, config=simulation.config, clock=self.clock
        )
        self.is_slow = number % 2 == 1
        self.connections: dict[str, int] = {}
        """The newest connection to each server; a machine is told of no other."""
        self.accepted: set[str] = set()
        """The servers that accepted the newest connection."""
        self.followed: set[Key] = set()
        self.seen: dict[Key, Event] = {}
        """The last event of each key, since it is followed."""
        self.wake_at: int | None = None

    # The user.

    def follow(self, group: int, keys: tuple[str, ...]) -> None:
        """Follow keys."""
        self.machine.add(keys, str(group))
        self.followed |= {(group, key) for key in keys}
        self.act()

    def unfollow(self, group: int, keys: tuple[str, ...]) -> None:
        """Stop following keys; what was seen of them counts no more."""
        self.machine.remove(keys, str(group))
        for key in keys:
            self.followed.discard((group, key))
            self.seen.pop((group, key), None)
        self.act()

    def leave(self) -> None:
        """Stop following everything."""
        for group in range(self.simulation.world.groups):
            self.unfollow(group, tuple(key for of, key in sorted(self.followed) if of == group))

    def take(self, most: int) -> None:
        """Look at some of the events that wait."""
        for _ in range(most):
            event = self.machine.take()
            if event is None:
                return
            self.simulation.count += 1
            self.simulation.checks.told(self, event)
            self.seen[int(event.group), event.key] = event

    # The machine.

    def act(self) -> None:
        """Do what the machine says."""
        self.simulation.count += 1
        if not self.is_slow:
            self.take(1_000_000)
        for todo in self.machine.actions():
            self.simulation.note(self.name, todo)
            match todo:
                case Connect(server):
                    self.connections[server] = connection = self.simulation.next_connection()
                    self.accepted.discard(server)
                    self.simulation.to_server(self, server, connection, "connect")
                case Disconnect(server):
                    connection = self.connections.pop(server)
                    self.simulation.to_server(self, server, connection, "close")
                case Sync(request, server, known, replace, group):
                    self._send(server, "sync", int(group), request, known, replace)
                case Touch(request, server, group):
                    self._send(server, "touch", int(group), request)
        self._set_alarm()

    def _send(self, server: str, what: str, group: int, *arguments: Any) -> None:
        self.simulation.to_server(self, server, self.connections[server], "receive", what, group, *arguments)

    def _set_alarm(self) -> None:
        wait = self.machine.next_deadline()
        if wait is None:
            return
        timeline = self.simulation.timeline
        at = timeline.now + round(wait * 1e9)
        if self.wake_at is None or at < self.wake_at or self.wake_at <= timeline.now:
            self.wake_at = at
            timeline.at(at, self.act)

    def break_connection(self, server: str) -> None:
        """A connection breaks, and this end notices."""
        if self.connections.pop(server, None) is not None:
            self.machine.disconnected(server)
            self.act()

    # Messages, each on a connection.

    def receive(self, server: str, connection: int, what: str, *arguments: Any) -> None:
        """A message came; on an older connection than the newest it means nothing."""
        if self.connections.get(server) != connection:
            return
        getattr(self, what)(server, *arguments)
        self.act()

    def connected(self, server: str) -> None:
        """The server accepted."""
        self.accepted.add(server)
        self.machine.connected(server)

    def refused(self, server: str) -> None:
        """There was no server there, when one of two copies of the asking came."""
        if server not in self.accepted:
            self.connections.pop(server)
            self.machine.connect_failed(server)

    def broken(self, server: str) -> None:
        """The server does not know this connection."""
        self.connections.pop(server)
        self.machine.disconnected(server)

    def synced(self, server: str, request: int, synced: Synced) -> None:
        """An answer."""
        self.machine.synced(request, synced.tree_id, synced.index)

    def touched(self, server: str, request: int, watches: int) -> None:
        """An answer."""
        self.machine.touched(request, watches)

    def notified(
        self, server: str, group: int, ticket: int, epoch: int, notifications: tuple[Notification, ...]
    ) -> None:
        """A batch, which is answered."""
        results = self.machine.notified(server, notifications, str(group))
        self._send(server, "answer", group, ticket, epoch, results)

    # What it has.

    def state_of(self, group: int, key: str) -> tuple[State, bytes | None] | None:
        """What the user was told last of a key; None if nothing."""
        event = self.seen.get((group, key))
        return None if event is None else (event.state, event.value)
