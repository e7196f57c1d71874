"""Many subscribers, several servers and a network, in one thread and in made-up time: everything follows from one seed."""

from __future__ import annotations

from collections import deque
from typing import Any

from watchtree import Config, Tree
from watchtree.records import CompareAndSet, Mkdir, Operation, Put, Remove
from watchtree.testing.simulation.checks import Checks
from watchtree.testing.simulation.links import LinkNetwork, MakeLink
from watchtree.testing.simulation.network import Network, Timeline
from watchtree.testing.simulation.scenario import Scenario
from watchtree.testing.simulation.server import SimulatedServer, apply_operation
from watchtree.testing.simulation.subscriber import SimulatedSubscriber
from watchtree.trace import Recorder, Trace

SHOWN = 60
"""How many of the last lines a Violation shows."""

LONGEST_CALM = 900.0
"""Seconds after which everybody must have everything, when nothing fails any more: back-offs, time-outs, heartbeats."""


class Simulation:
    """One run of a scenario. Raises Violation where a guarantee does not hold.

    journal: whether to keep a line for everything that happens; two runs of a scenario have the same journal, byte for byte.
    record: whether to record every dispatcher: see `traces`.
    make_link: makes the connections that carry the messages; None: a network that is simulated, with all its faults.
    """

    def __init__(
        self, scenario: Scenario, *, journal: bool = False, record: bool = False, make_link: MakeLink | None = None
    ) -> None:
        self.recorders: dict[str, Recorder] | None = {} if record else None
        self.scenario = scenario
        self.world = world = scenario.world
        self.config = Config(
            max_batch_size=world.max_batch_size, max_batch_bytes=world.max_batch_bytes, on_error=self._on_error
        )
        self.timeline = Timeline()
        self.network: Network
        if make_link is None:
            self.network = Network(self.timeline, scenario.seed, world.lost, world.repeated, world.delay)
        else:
            self.network = links = LinkNetwork(self.timeline, make_link)
            links.simulation = self
        self.checks = Checks(self)
        self.count = 0
        """Subscriber-steps: times that a subscriber was told something, looked at what to do, or took an event."""
        self._lines: deque[str] = deque(maxlen=None if journal else SHOWN)
        self._connections = 0

        self.truth = [Tree(config=self.config) for _ in range(world.groups)]
        self.logs: list[list[tuple[int, Operation]]] = [[] for _ in range(world.groups)]
        self._ids = {str(tree.id): f"tree{group}" for group, tree in enumerate(self.truth)}
        self.empty_images = [(tree.snapshot(), 0) for tree in self.truth]
        self.servers = [SimulatedServer(self, number) for number in range(world.servers)]
        self._by_name = {server.name: server for server in self.servers}
        self.subscribers = [SimulatedSubscriber(self, number) for number in range(world.subscribers)]

    def run(self) -> Simulation:
        """Make all steps, then let everything become whole, then let everybody leave."""
        for step in self.scenario.steps:
            self.make(step)
        self.become_whole()
        self.everybody_leaves()
        return self

    def make(self, step: tuple[Any, ...]) -> None:
        """Make one step."""
        name, *arguments = step
        self.note("step", step)
        getattr(self, name)(*arguments)

    # What is noted.

    def note(self, who: str, what: Any) -> None:
        """Keep a line of what happened."""
        self._lines.append(f"{self.timeline.now} {who} {what}")

    def journal(self) -> bytes:
        """All lines. Identities of trees, which no seed decides, are replaced by names."""
        text = "\n".join(self._lines)
        for tree_id, name in self._ids.items():
            text = text.replace(tree_id, name)
        return text.encode()

    def traces(self) -> dict[str, Trace]:
        """What each dispatcher did so far, by the names of server, tree and start: "server0 tree1 #2".

        Their times are those of each server's clock. Errors: ValueError if nothing is recorded.
        """
        if self.recorders is None:
            raise ValueError("this simulation records nothing; make it with record=True")
        return {name: recorder.trace() for name, recorder in self.recorders.items()}

    def last_lines(self) -> str:
        """What happened last."""
        return "\n".join(list(self._lines)[-SHOWN:])

    def _on_error(self, error: BaseException, channel: str) -> None:
        self.checks.fail("§3 answers", f"{channel} made an error: {error!r}")

    # Messages.

    def next_connection(self) -> int:
        """A number for a new connection."""
        self._connections += 1
        return self._connections

    def to_server(
        self, subscriber: SimulatedSubscriber, server_name: str, connection: int, what: str, *arguments: Any
    ) -> None:
        """Send a message to a server."""
        server = self._by_name[server_name]
        self.network.send(
            subscriber.number, server.number, connection, self._at_server, server, what, subscriber.number, connection,
            *arguments,
        )  # fmt: skip

    def _at_server(self, server: SimulatedServer, what: str, *arguments: Any) -> None:
        self.note(server.name, (what, *arguments))
        getattr(server, what)(*arguments)

    def to_subscriber(self, server: SimulatedServer, session: tuple[int, int], what: str, *arguments: Any) -> None:
        """Send a message to a subscriber."""
        number, connection = session
        subscriber = self.subscribers[number]
        self.network.send(
            number,
            server.number,
            connection,
            self._at_subscriber,
            subscriber,
            server.name,
            connection,
            what,
            *arguments,
        )

    def _at_subscriber(self, subscriber: SimulatedSubscriber, *arguments: Any) -> None:
        self.note(subscriber.name, arguments)
        subscriber.receive(*arguments)

    # Steps.

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        self.timeline.run_until(self.timeline.now + round(seconds * 1e9))
        self.checks.raise_found()

    def change(self, group: int, kind: str, key: str, value: str) -> None:
        """Change the tree of a group; the servers learn it later, each in its time."""
        data = value.encode()
        operations: dict[str, Operation] = {
            "put": Put(key, data, True),
            "mkdir": Mkdir(key, True),
            "remove": Remove(key, True),
            "compare_and_set": CompareAndSet(key, data, data + b"!"),
        }
        operation = operations[kind]
        log = self.logs[group]
        index = len(log) + 1
        log.append((index, operation))
        apply_operation(self.truth[group], operation, index)
        for server in self.servers:
            self._replicate_later(server, group, index)

    def _replicate_later(self, server: SimulatedServer, group: int, position: int) -> None:
        late = (server.number * 7919 + position * 104729) % 1000 / 1000 * self.world.lag
        self.timeline.at(self.timeline.now + round(late * 1e9), server.replicate, group, position)

    def follow(self, subscriber: int, group: int, keys: tuple[str, ...]) -> None:
        """A user follows keys."""
        self.subscribers[subscriber].follow(group, keys)

    def unfollow(self, subscriber: int, group: int, keys: tuple[str, ...]) -> None:
        """A user stops following keys."""
        self.subscribers[subscriber].unfollow(group, keys)

    def leave(self, subscriber: int) -> None:
        """A user stops following everything."""
        self.subscribers[subscriber].leave()

    def take(self, subscriber: int, most: int) -> None:
        """A slow user looks at events."""
        self.subscribers[subscriber].take(most)

    def disconnect(self, subscriber: int, who_notices: str) -> None:
        """All connections of a subscriber break, and both, one or none of the ends notice."""
        follower = self.subscribers[subscriber]
        for server_name, connection in list(follower.connections.items()):
            self.network.kill(connection)
            server = self._by_name[server_name]
            if who_notices in ("server", "both"):
                server.close(subscriber, connection)
            if who_notices in ("subscriber", "both"):
                self._notice(follower, server, connection)

    def break_connection(self, subscriber: int, server: int, connection: int) -> None:
        """A connection broke by itself, and both ends notice."""
        self.servers[server].close(subscriber, connection)
        self._notice(self.subscribers[subscriber], self.servers[server], connection)

    def _notice(self, subscriber: SimulatedSubscriber, server: SimulatedServer, connection: int) -> None:
        if subscriber.connections.get(server.name) == connection:
            subscriber.break_connection(server.name)

    def partition(self, subscriber: int, server: int) -> None:
        """Nothing comes through between these two."""
        self.network.cut(subscriber, server)

    def heal(self) -> None:
        """Everything comes through again, as far as the network is good."""
        self.network.heal()

    def pause(self, server: int) -> None:
        """A server learns of no more changes."""
        self.servers[server].paused = True

    def resume(self, server: int) -> None:
        """It learns of them again, first of those that it missed."""
        self.servers[server].catch_up()

    def snapshot(self, server: int) -> None:
        """A server saves its trees."""
        self.servers[server].save()

    def crash(self, server: int, noticed: bool) -> None:
        """A server ends, and the other ends of its connections notice, or not."""
        crashed = self.servers[server]
        sessions = list(crashed.sessions.values())
        crashed.crash()
        for subscriber, connection in sessions:
            self.network.kill(connection)
            if noticed:
                self._notice(self.subscribers[subscriber], crashed, connection)

    def reset(self, server: int) -> None:
        """A server forgets all its channels, and its connections stay: nobody is told."""
        for hosted in self.servers[server].hosted:
            hosted.in_flight.clear()
            hosted.dispatcher.reset()

    def restart(self, server: int) -> None:
        """It starts again from what it saved last, and learns the rest of the logs."""
        restarted = self.servers[server]
        if restarted.up:
            return
        restarted.start()
        for group, log in enumerate(self.logs):
            self._replicate_later(restarted, group, len(log))

    def jump(self, kind: str, number: int, seconds: float) -> None:
        """The clock of a server or of a subscriber jumps."""
        nodes = self.servers if kind == "server" else self.subscribers
        nodes[number % len(nodes)].clock.offset += round(seconds * 1e9)

    # The end.

    def become_whole(self) -> None:
        """Nothing fails any more: in the end everybody must have everything."""
        self.network.become_perfect()
        for server in self.servers:
            self.restart(server.number)
            server.catch_up()
        self.run_for(LONGEST_CALM)
        for subscriber in self.subscribers:
            subscriber.take(1_000_000)
        self.verify()
        self.checks.ended()

    def everybody_leaves(self) -> None:
        """Nothing may be left of them."""
        for subscriber in self.subscribers:
            subscriber.leave()
        self.run_for(LONGEST_CALM)
        self.verify()
        self.checks.left()

    def close(self) -> None:
        """Close what `make_link` made."""
        self.network.close()

    def verify(self) -> None:
        """Let everything check itself."""
        for subscriber in self.subscribers:
            subscriber.machine.verify()
        for server in self.servers:
            for hosted in server.hosted:
                hosted.tree.verify()
                hosted.dispatcher.verify()
