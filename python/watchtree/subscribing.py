"""What a `Subscriber` says is to be done, and the news it has for its user (contract §4). Plain data without behaviour."""

from __future__ import annotations

from typing import NamedTuple

from watchtree.words import State


class Connect(NamedTuple):
    """Open a connection, then call `connected(server)` or `connect_failed(server)`."""

    server: str


class Disconnect(NamedTuple):
    """Close the connection: nothing more is expected from that server."""

    server: str


class Sync(NamedTuple):
    """Ask the server for `Dispatcher.sync(channel, known, replace)`; then `synced(request, ...)` or `request_failed`."""

    request: int
    """Names this asking; counted from 1 in the subscriber."""
    server: str
    known: dict[str, int]
    replace: bool
    group: str


class Touch(NamedTuple):
    """Ask the server for `Dispatcher.touch(channel)`; then `touched(request, watches)` or `request_failed`."""

    request: int
    server: str
    group: str


Action = Connect | Disconnect | Sync | Touch
"""What `Subscriber.actions` says: Connect, Disconnect, Sync or Touch."""


class Event(NamedTuple):
    """The newest state of a key that the user follows."""

    group: str
    key: str
    state: State
    index: int
    value: bytes | None
    """The bytes if `state` is VALUE, else None."""
