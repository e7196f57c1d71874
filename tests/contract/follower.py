"""A subscriber, a clock that is moved, and servers that answer when they are asked to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from watchtree import Action, Config, Connect, Event, ManualClock, RemoveAllWatches, Result, State, Sync, Touch

ONE_TREE = uuid.UUID(int=1)
ANOTHER_TREE = uuid.UUID(int=2)


class Follower:
    """What a test of a subscriber needs, behind short names; every call goes through the public API.

    What is not named here is the subscriber's own. Its invariants are checked after each call.
    make: `Subscriber`, or the model. servers: as it takes them. limits: fields of Config.
    """

    def __init__(self, make: Callable[..., Any], servers: Any, **limits: Any) -> None:
        self.errors: list[tuple[BaseException, str]] = []
        limits.setdefault("on_error", lambda error, group: self.errors.append((error, group)))
        self.clock = ManualClock()
        self.groups = list(servers) if isinstance(servers, dict) else [""]
        self.subscriber = make(servers, config=Config(**limits), clock=self.clock)
        self.index = 100
        """Grows with each answer to a sync, as the index of a tree does."""

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.subscriber, name)

        def checked(*arguments: Any, **keywords: Any) -> Any:
            answer = call(*arguments, **keywords)
            self.subscriber.verify()
            return answer

        return checked

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def one_action(self) -> Any:
        """The only thing that there is to do."""
        actions: list[Action] = self.actions()
        assert len(actions) == 1, actions
        return actions[0]

    def connect(self) -> str:
        """Open the connection that it asks for, and nothing else."""
        action = self.one_action()
        assert type(action) is Connect, action
        self.connected(action.server)
        server: str = action.server
        return server

    def answer(self, request: Sync | Touch, tree: uuid.UUID = ONE_TREE) -> None:
        """Answer a request as a server does that lost nothing."""
        if isinstance(request, Sync):
            self.index += 1
            self.synced(request.request, tree, self.index)
        else:
            self.touched(request.request, len(self.known(request.group)))

    def settle(self) -> None:
        """Open each connection and answer each request, until there is nothing to do."""
        for _ in range(100):
            actions = self.actions()
            if not actions:
                return
            for action in actions:
                if isinstance(action, Connect):
                    self.connected(action.server)
                if isinstance(action, Sync | Touch):
                    self.answer(action)
        raise AssertionError("not quiet after 100 rounds")

    def follow(self, *keys: str, group: str = "") -> None:
        """Follow keys, and tell a server: all is quiet afterwards."""
        self.add(keys, group)
        self.settle()

    def notify(self, *news: tuple[str, int], group: str = "") -> list[Result] | RemoveAllWatches:
        """News of keys, as values, from the server that the group is with: for each the key and the index."""
        notifications = [(key, State.VALUE, index, b"v%d" % index) for key, index in news]
        results: list[Result] | RemoveAllWatches = self.notified(self.server(group), notifications, group)
        return results

    def events(self) -> list[tuple[str, int]]:
        """All events that wait, taken: for each the key and the index."""
        return [(event.key, event.index) for event in self.taken()]

    def taken(self) -> list[Event]:
        """All events that wait, taken."""
        return list(iter(self.take, None))

    def count(self, what: str) -> int:
        """A field of `stats`."""
        number: int = getattr(self.stats(), what)
        return number

    def seen(self) -> tuple[object, ...]:
        """All that it shows, to see that a call changed nothing."""
        shown = [(list(self.known(group).items()), self.server(group), self.tree(group)) for group in self.groups]
        return shown, self.stats(), self.next_deadline()
