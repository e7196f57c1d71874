"""The subscriber of the contract's §4 in plain Python."""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from watchtree.config import Config
from watchtree.errors import UnknownGroup, UnknownServer
from watchtree.records import Synced
from watchtree.stats import SubscriberStats
from watchtree.subscribing import Action, Connect, Disconnect, Event, Sync, Touch
from watchtree.testing.model_arguments import check_type, copied
from watchtree.testing.model_keys import check_key
from watchtree.testing.model_tree import MAX_INDEX
from watchtree.words import REMOVE_ALL_WATCHES, Failure, RemoveAllWatches, Result, State

REMOVED = -1
"""What a `Sync` names a key with that is followed no longer."""


@dataclass
class Connection:
    """A server that was connected to, or is being connected to."""

    asked_at: int
    is_open: bool = False


@dataclass
class Link:
    """What a group remembers of the server that it is with, and of no other."""

    server: str
    told: set[str] = field(default_factory=set)
    """The keys that the server was told to watch."""
    changes: dict[str, int] = field(default_factory=dict)
    """What it was not told of yet, in the order that was done: a key, and 0 (added) or REMOVED."""
    tell_everything: bool = True
    request: Sync | Touch | None = None
    """The one that waits for an answer."""
    said_at: int = 0
    """When that was said."""
    told_then: int = 0
    """The number of keys that the server had been told of then."""
    answered_at: int = 0
    answered_a_sync: bool = False
    news: set[str] = field(default_factory=set)
    """The keys that news came of since the last `Sync` of everything was said."""

    def has_removals(self) -> bool:
        """It has a removal to tell."""
        return REMOVED in self.changes.values()


@dataclass
class Group:
    """What the user follows of one tree, and the servers that show it."""

    name: str
    servers: list[str]
    keys: dict[str, int | None] = field(default_factory=dict)
    """In the order they were added: the index of the newest notification that was taken, None for nothing."""
    last_chosen: str | None = None
    failures: Counter[str] = field(default_factory=Counter)
    """For each server, in a row."""
    back_off_until: dict[str, int] = field(default_factory=dict)
    synced: Synced | None = None
    link: Link | None = None


class ModelSubscriber:
    """`watchtree.Subscriber`, as plain as the contract's §4. One thread only; a listener may call back in.

    Arguments, answers and errors are those of `Subscriber`.
    """

    def __init__(
        self,
        servers: Iterable[str] | Mapping[str, Iterable[str]],
        *,
        config: Config | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        check_type("config", config, Config, type(None))
        check_type("clock", clock, Callable, type(None))  # type: ignore[arg-type]
        self._groups = _groups(servers)
        self._config = config or Config()
        self._clock = clock or time.monotonic_ns
        self._now = 0
        self._servers = list(dict.fromkeys(server for group in self._groups.values() for server in group.servers))
        self._connections: dict[str, Connection] = {}
        self._to_disconnect: list[str] = []
        """Servers whose `Disconnect` is to be said, in the order they were given up or let go of."""
        self._requests = 0
        self._events: dict[tuple[str, str], Event] = {}
        """By group and key, in the order in which the keys first changed since their last event was taken."""
        self._listener: Callable[[Event], object] | None = None
        self._telling = False
        self._counts: Counter[str] = Counter()

    # What it is asked.

    @property
    def config(self) -> Config:
        """As `Subscriber.config`."""
        return self._config

    def known(self, group: str = "") -> dict[str, int]:
        """As `Subscriber.known`."""
        return {key: index or 0 for key, index in self._group(group).keys.items()}

    def server(self, group: str = "") -> str | None:
        """As `Subscriber.server`."""
        link = self._group(group).link
        return link.server if link else None

    def tree(self, group: str = "") -> Synced | None:
        """As `Subscriber.tree`."""
        return self._group(group).synced

    def stats(self) -> SubscriberStats:
        """As `Subscriber.stats`."""
        counted = "accepted dropped refused coalesced syncs heartbeats forgotten other_trees failures ignored_answers"
        return SubscriberStats(
            keys=sum(len(group.keys) for group in self._groups.values()),
            waiting=len(self._events),
            connected=sum(connection.is_open for connection in self._connections.values()),
            requests=len(self._waiting_links()),
            **{word: self._counts[word] for word in counted.split()},
        )

    def verify(self) -> None:
        """Check that connections, groups and events belong together. Raises AssertionError."""
        links = [group.link for group in self._groups.values() if group.link]
        assert {link.server for link in links} == set(self._connections), "a connection has a group, and a group one"
        for link in links:
            assert link.request is None or self._connections[link.server].is_open, "requests go to connected servers"
        for name, key in self._events:
            assert key in self._groups[name].keys, "events are of keys that are followed"
        for group in self._groups.values():
            assert group.link is None or group.link.server in group.servers, "a group is with a server of its own"

    def __repr__(self) -> str:
        return f"ModelSubscriber({ {group.name: group.servers for group in self._groups.values()} })"

    # Keys.

    def add(self, keys: Iterable[str], group: str = "") -> None:
        """As `Subscriber.add`."""
        following = self._group(group)
        for key in self._checked(keys):
            if key not in following.keys:
                following.keys[key] = None
                if following.link:
                    following.link.changes.pop(key, None)
                    following.link.changes[key] = 0

    def remove(self, keys: Iterable[str], group: str = "") -> None:
        """As `Subscriber.remove`."""
        following = self._group(group)
        for key in self._checked(keys):
            if key in following.keys:
                del following.keys[key]
                self._events.pop((group, key), None)
                if following.link:
                    following.link.news.discard(key)
                    following.link.changes.pop(key, None)
                    if key in following.link.told:
                        following.link.changes[key] = REMOVED

    def _checked(self, keys: Iterable[str]) -> list[str]:
        if isinstance(keys, str | bytes):
            raise TypeError(f"keys is {keys!r}; give one key as [key]")
        listed = list(keys)
        for key in listed:
            check_type("key", key, str)
        for key in listed:
            check_key(key, self._config.max_key_bytes)
        return listed

    # Actions.

    def actions(self) -> list[Action]:
        """As `Subscriber.actions`."""
        now = self._read_clock()
        self._handle_deadlines(now)
        said = self._say_disconnections()
        for group in self._groups.values():
            said += self._look_at(group, now)
        return said

    def next_deadline(self) -> float | None:
        """As `Subscriber.next_deadline`."""
        now = self._read_clock()
        moments = [now for _ in self._to_disconnect]
        moments += [self._overdue_at(link.asked_at) for link in self._connections.values() if not link.is_open]
        moments += [self._overdue_at(link.said_at) for link in self._waiting_links()]
        for group in self._groups.values():
            moments += self._moments(group, now)
        return max(0, min(moments) - now) / 1e9 if moments else None

    def _moments(self, group: Group, now: int) -> list[int]:
        """When a look at the group has something to say, if nothing happens: one moment, or none."""
        link = group.link
        if link is None:
            return [min(group.back_off_until.get(server, now) for server in group.servers)] if group.keys else []
        if not self._connections[link.server].is_open:
            return [] if group.keys else [now]
        if link.request:
            return []
        if link.tell_everything or link.changes or not group.keys:
            return [now]
        return [link.answered_at + _ns(self._config.heartbeat)]

    def _handle_deadlines(self, now: int) -> None:
        for server in self._servers:
            connection = self._connections.get(server)
            if connection and not connection.is_open and now >= self._overdue_at(connection.asked_at):
                self._to_disconnect.append(server)
                self._lose(server, now)
        for group in self._groups.values():
            link = group.link
            if link and link.request and now >= self._overdue_at(link.said_at):
                self._to_disconnect.append(link.server)
                self._lose(link.server, now)

    def _look_at(self, group: Group, now: int) -> list[Action]:
        """What the group says: a row of the contract's table."""
        if group.link is None:
            server = self._choose(group, now) if group.keys else None
            if server is None:
                return []
            group.last_chosen = server
            group.link = Link(server)
            if server not in self._connections:
                self._connections[server] = Connection(asked_at=now)
                return [Connect(server)]
        link = group.link
        if not self._connections[link.server].is_open:
            return self._let_go(group) if not group.keys else []
        if link.request:
            return []
        if not group.keys and not link.has_removals():
            return self._let_go(group)
        if link.tell_everything:
            return [self._say_everything(group, link, now)]
        if now >= link.answered_at + _ns(self._config.heartbeat):
            return [self._say(Touch(self._next_request(), link.server, group.name), link, now)]
        return [self._say_changes(group, link, now)] if link.changes else []

    def _choose(self, group: Group, now: int) -> str | None:
        allowed = [server for server in group.servers if now >= group.back_off_until.get(server, now)]
        others = [server for server in allowed if server != group.last_chosen]
        return min(others or allowed, key=lambda server: group.failures[server], default=None)  # the first of equals

    def _say_everything(self, group: Group, link: Link, now: int) -> Action:
        link.tell_everything = False
        link.changes.clear()
        link.told = set(group.keys)
        link.news.clear()
        known = {key: index or 0 for key, index in group.keys.items()}
        return self._say(Sync(self._next_request(), link.server, known, True, group.name), link, now)

    def _say_changes(self, group: Group, link: Link, now: int) -> Action:
        changes, link.changes = link.changes, {}
        for key, index in changes.items():
            if index == REMOVED:
                link.told.discard(key)
            else:
                link.told.add(key)
        return self._say(Sync(self._next_request(), link.server, changes, False, group.name), link, now)

    def _say(self, request: Sync | Touch, link: Link, now: int) -> Action:
        link.request = request
        link.said_at = now
        link.told_then = len(link.told)
        return request

    def _say_disconnections(self) -> list[Action]:
        said: list[Action] = [Disconnect(server) for server in self._to_disconnect]
        self._to_disconnect.clear()
        return said

    def _next_request(self) -> int:
        self._requests += 1
        return self._requests

    # Giving a server up, and letting go of it.

    def _lose(self, server: str, now: int) -> None:
        """There is no connection to a server any more: each of its groups gives it up."""
        del self._connections[server]
        for group in self._groups.values():
            if group.link and group.link.server == server:
                self._give_up(group, group.link, now, failed=not group.link.answered_a_sync)

    def _give_up(self, group: Group, link: Link, now: int, failed: bool) -> None:
        self._counts["failures"] += 1
        if failed:
            group.failures[link.server] += 1
            intervals = self._config.backoff
            interval = intervals[min(group.failures[link.server], len(intervals)) - 1]
            group.back_off_until[link.server] = now + _ns(interval)
        group.link = None

    def _let_go(self, group: Group) -> list[Action]:
        assert group.link
        server = group.link.server
        group.link = None
        self._disconnect_if_unused(server)
        return self._say_disconnections()

    def _disconnect_if_unused(self, server: str) -> None:
        if not any(group.link and group.link.server == server for group in self._groups.values()):
            del self._connections[server]
            self._to_disconnect.append(server)

    # What happened.

    def connected(self, server: str) -> None:
        """As `Subscriber.connected`."""
        connection = self._connection(server)
        if connection and not connection.is_open:
            connection.is_open = True
        else:
            self._counts["ignored_answers"] += 1

    def connect_failed(self, server: str) -> None:
        """As `Subscriber.connect_failed`."""
        connection = self._connection(server)
        if connection and not connection.is_open:
            self._lose(server, self._read_clock())
        else:
            self._counts["ignored_answers"] += 1

    def disconnected(self, server: str) -> None:
        """As `Subscriber.disconnected`."""
        if self._connection(server):
            self._lose(server, self._read_clock())
        else:
            self._counts["ignored_answers"] += 1

    def synced(self, request: int, tree_id: uuid.UUID, index: int) -> None:
        """As `Subscriber.synced`."""
        check_type("request", request, int)
        check_type("tree_id", tree_id, uuid.UUID)
        check_type("index", index, int)
        if not 0 <= index <= MAX_INDEX:
            raise ValueError(f"index is {index}; give 0 to 2^63 - 1")
        now = self._read_clock()
        group = self._waiting(request, Sync)
        if group is None or group.link is None:
            self._counts["ignored_answers"] += 1
            return
        link, answered = group.link, group.link.request
        self._counts["syncs"] += 1
        link.request = None
        if isinstance(answered, Sync) and answered.replace:
            link.answered_at = now
        link.answered_a_sync = True
        group.failures[link.server] = 0
        if group.synced and group.synced.tree_id != tree_id:
            self._counts["other_trees"] += 1
            everything = isinstance(answered, Sync) and answered.replace
            self._forget_the_other_tree(group, link, spared=link.news if everything else set())
            link.tell_everything = link.tell_everything or not everything  # the new tree knows of the changes alone
        group.synced = Synced(tree_id, index)

    def _forget_the_other_tree(self, group: Group, link: Link, spared: set[str]) -> None:
        for key, index in group.keys.items():
            if index is not None and key not in spared:
                group.keys[key] = None
                link.tell_everything = True

    def touched(self, request: int, watches: int) -> None:
        """As `Subscriber.touched`."""
        check_type("request", request, int)
        check_type("watches", watches, int)
        if not 0 <= watches <= MAX_INDEX:
            raise ValueError(f"watches is {watches}; give 0 to 2^63 - 1")
        now = self._read_clock()
        group = self._waiting(request, Touch)
        if group is None or group.link is None:
            self._counts["ignored_answers"] += 1
            return
        link = group.link
        self._counts["heartbeats"] += 1
        link.request = None
        link.answered_at = now
        if watches != link.told_then:
            self._counts["forgotten"] += 1
            link.tell_everything = True

    def request_failed(self, request: int, reason: Failure) -> None:
        """As `Subscriber.request_failed`."""
        check_type("request", request, int)
        check_type("reason", reason, int)
        reason = Failure(reason)
        now = self._read_clock()
        group = self._waiting(request, Sync, Touch)
        if group is None or group.link is None:
            self._counts["ignored_answers"] += 1
            return
        server = group.link.server
        if reason in (Failure.NETWORK, Failure.TIMEOUT):
            self._to_disconnect.append(server)
            self._lose(server, now)
        else:
            self._give_up(group, group.link, now, failed=True)
            self._disconnect_if_unused(server)

    def _waiting(self, request: int, *kinds: type) -> Group | None:
        """The group that waits for an answer to this request, if it is of one of the kinds."""
        for group in self._groups.values():
            waiting = group.link.request if group.link else None
            if waiting and waiting.request == request and isinstance(waiting, kinds):
                return group
        return None

    def _waiting_links(self) -> list[Link]:
        return [group.link for group in self._groups.values() if group.link and group.link.request]

    # Notifications and events.

    def notified(
        self, server: str, notifications: Iterable[tuple[str, int, int, bytes | None]], group: str = ""
    ) -> list[Result] | RemoveAllWatches:
        """As `Subscriber.notified`."""
        connection = self._connection(server)
        following = self._group(group)
        if isinstance(notifications, str | bytes):
            raise TypeError(f"notifications is {notifications!r}; give tuples (key, state, index, value)")
        events = [_event(group, notification) for notification in notifications]
        link = following.link
        if link is None or link.server != server or not (connection and connection.is_open and following.keys):
            self._counts["refused"] += len(events)
            return REMOVE_ALL_WATCHES
        results = [self._take_in(following, link, event) for event in events]
        self._tell()
        return results

    def _take_in(self, group: Group, link: Link, event: Event) -> Result:
        if event.key not in group.keys:
            self._counts["refused"] += 1
            return Result.REMOVE_WATCH
        known = group.keys[event.key]
        if known is not None and event.index <= known:
            self._counts["dropped"] += 1
            return Result.OK
        self._counts["accepted"] += 1
        self._counts["coalesced"] += (group.name, event.key) in self._events
        group.keys[event.key] = event.index
        link.news.add(event.key)
        self._events[group.name, event.key] = event  # one that waits already keeps its place
        return Result.OK

    def take(self) -> Event | None:
        """As `Subscriber.take`."""
        for place in self._events:
            return self._events.pop(place)
        return None

    @property
    def listener(self) -> Callable[[Event], object] | None:
        """As `Subscriber.listener`."""
        return self._listener

    @listener.setter
    def listener(self, callback: Callable[[Event], object] | None) -> None:
        check_type("listener", callback, Callable, type(None))  # type: ignore[arg-type]
        self._listener = callback
        self._tell()

    def _tell(self) -> None:
        """Call the listener with one event after the other, never again before it returned."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._listener and self._events:
                event = self._events.pop(next(iter(self._events)))
                try:
                    self._listener(event)
                except Exception as error:
                    self._report(error, event.group)
        finally:
            self._telling = False

    def _report(self, error: Exception, group: str) -> None:
        logger = logging.getLogger("watchtree")
        if self._config.on_error is None:
            logger.error("group %r: %r", group, error)
            return
        try:
            self._config.on_error(error, group)
        except Exception:
            logger.exception("on_error raised for group %r: %r", group, error)

    # Small things.

    def _group(self, name: str) -> Group:
        check_type("group", name, str)
        if name not in self._groups:
            raise UnknownGroup(f"there is no group {name!r}; give one of {list(self._groups)}")
        return self._groups[name]

    def _connection(self, server: str) -> Connection | None:
        check_type("server", server, str)
        if server not in self._servers:
            raise UnknownServer(f"there is no server {server!r}; give one of {self._servers}")
        return self._connections.get(server)

    def _read_clock(self) -> int:
        now = self._clock()
        check_type("the clock's answer", now, int)
        self._now = max(self._now, now)
        return self._now

    def _overdue_at(self, moment: int) -> int:
        return moment + _ns(self._config.answer_timeout)


def _groups(servers: Iterable[str] | Mapping[str, Iterable[str]]) -> dict[str, Group]:
    by_group = servers if isinstance(servers, Mapping) else {"": servers}
    if not by_group:
        raise ValueError("there is no group; give at least one, with its servers")
    return {name: Group(_name("group", name), _names(name, named)) for name, named in by_group.items()}


def _names(group: str, servers: Iterable[str]) -> list[str]:
    if isinstance(servers, str | bytes):
        raise TypeError(f"servers is {servers!r}; give one server as [server]")
    names = [_name("server", server) for server in servers]
    if not names:
        raise ValueError(f"group {group!r} has no server")
    if len(set(names)) < len(names):
        raise ValueError(f"group {group!r} names a server twice")
    return names


def _name(what: str, name: str) -> str:
    check_type(what, name, str)
    name.encode()  # a UnicodeEncodeError, which is a ValueError, for a lone surrogate
    return name


def _event(group: str, notification: tuple[str, int, int, bytes | None]) -> Event:
    if not isinstance(notification, tuple) or len(notification) != 4:
        raise TypeError(f"{notification!r} is no notification; give a tuple (key, state, index, value)")
    key, state, index, value = notification
    check_type("key", key, str)
    check_type("state", state, int)
    check_type("index", index, int)
    if not 0 <= index <= MAX_INDEX:
        raise ValueError(f"the index of {key!r} is {index}; give 0 to 2^63 - 1")
    state = State(state)
    return Event(group, key, state, index, copied(value) if state is State.VALUE else None)  # type: ignore[arg-type]


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
