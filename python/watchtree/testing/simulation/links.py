"""A network of links that a user provides, in place of the simulated one: any transport that carries frames of bytes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from watchtree.records import Notification, Synced
from watchtree.testing.simulation.network import Handler, Network, Timeline
from watchtree.words import REMOVE_ALL_WATCHES, RemoveAllWatches, State

if TYPE_CHECKING:
    from watchtree.testing.simulation.simulation import Simulation


class Link(Protocol):
    """One end of a connection between a subscriber and a server. It carries frames in their order, or breaks."""

    def send(self, frame: bytes) -> None:
        """Carry a frame to the other end. OSError: the connection is broken."""

    def receive(self) -> Sequence[bytes]:
        """All frames that the other end has sent and that were not received yet. OSError: the connection is broken."""

    def close(self) -> None:
        """End the connection; the other end's frames are lost."""


MakeLink = Callable[[], "tuple[Link, Link]"]
"""Makes a connection: the subscriber's end and the server's."""


class MemoryLink:
    """Two lists: what the ends of a connection are, where nobody provides another."""

    def __init__(self, outgoing: list[bytes], incoming: list[bytes]) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    def send(self, frame: bytes) -> None:
        """Append it."""
        self._outgoing.append(frame)

    def receive(self) -> Sequence[bytes]:
        """Take all."""
        frames = list(self._incoming)
        self._incoming.clear()
        return frames

    def close(self) -> None:
        """Forget all."""
        self._outgoing.clear()
        self._incoming.clear()


def make_memory_link() -> tuple[Link, Link]:
    """A connection that never breaks by itself."""
    forth: list[bytes] = []
    back: list[bytes] = []
    return MemoryLink(forth, back), MemoryLink(back, forth)


class LinkNetwork(Network):
    """Carries the simulation's messages over links, one for each connection, opened by its first message."""

    def __init__(self, timeline: Timeline, make_link: MakeLink) -> None:
        super().__init__(timeline, 0, lost=0.0, repeated=0.0, delay=0.0)
        self._make_link = make_link
        self._links: dict[int, tuple[Link, Link]] = {}
        self._ends: dict[int, tuple[int, int]] = {}
        self._pump_is_set = False
        self.simulation: Simulation
        """Set by the simulation, before anything is sent."""

    def send(self, subscriber: int, server: int, connection: int, handler: Handler, *arguments: Any) -> None:
        """Encode a message and give it to its link."""
        if (subscriber, server) in self._cut or connection in self._dead:
            return
        if connection not in self._links:
            self._links[connection] = self._make_link()
            self._ends[connection] = (subscriber, server)
        to_server = handler == self.simulation._at_server
        self._try(connection, lambda: self._links[connection][0 if to_server else 1].send(encode(arguments[1:])))
        if not self._pump_is_set:
            self._pump_is_set = True
            self._timeline.at(0, self.pump)

    def _try(self, connection: int, do: Callable[[], Any]) -> Any:
        """A broken link breaks the connection, which both ends notice."""
        try:
            return do()
        except OSError:
            subscriber, server = self._ends[connection]
            self.kill(connection)
            self.simulation.break_connection(subscriber, server, connection)
            return ()

    def pump(self) -> None:
        """Receive what the links carried, until nothing is under way."""
        self._pump_is_set = False
        for connection in list(self._links):
            for end, handler in ((1, self.simulation._at_server), (0, self.simulation._at_subscriber)):
                if connection not in self._links:
                    break
                link = self._links[connection][end]
                for frame in self._try(connection, link.receive):
                    self._hand_over(connection, handler, decode(frame))

    def _hand_over(self, connection: int, handler: Handler, arguments: Sequence[Any]) -> None:
        if connection in self._dead:
            return
        subscriber, server = self._ends[connection]
        to_server = handler == self.simulation._at_server
        whom = self.simulation.servers[server] if to_server else self.simulation.subscribers[subscriber]
        handler(whom, *arguments)
        if (to_server and arguments[0] == "close") or (not to_server and arguments[1] in ("refused", "broken")):
            self.kill(connection)

    def close(self) -> None:
        """Close all links."""
        for connection in list(self._links):
            self.kill(connection)

    def kill(self, connection: int) -> None:
        """Close both ends."""
        super().kill(connection)
        for link in self._links.pop(connection, ()):
            link.close()


# Messages as bytes: JSON, with a tag for what it does not know.


def encode(message: Sequence[Any]) -> bytes:
    """The bytes of a message."""
    return json.dumps([_plain(each) for each in message]).encode()


def decode(frame: bytes) -> list[Any]:
    """The message again."""
    return [_rich(each) for each in json.loads(frame)]


def _plain(thing: Any) -> Any:
    match thing:
        case Notification(key, state, index, value):
            return {"notification": [key, int(state), index, None if value is None else value.decode("latin-1")]}
        case Synced(tree_id, index):
            return {"synced": [tree_id.hex, index]}
        case RemoveAllWatches():
            return {"remove_all": 0}
        case dict():
            return {"dict": list(thing.items())}
        case tuple() | list():
            return [_plain(each) for each in thing]
    return thing


def _rich(thing: Any) -> Any:
    if isinstance(thing, list):
        return tuple(_rich(each) for each in thing)
    if not isinstance(thing, dict):
        return thing
    ((tag, inside),) = thing.items()
    if tag == "notification":
        key, state, index, value = inside
        return Notification(key, State(state), index, None if value is None else value.encode("latin-1"))
    if tag == "synced":
        return Synced(uuid.UUID(inside[0]), inside[1])
    return REMOVE_ALL_WATCHES if tag == "remove_all" else dict(inside)
