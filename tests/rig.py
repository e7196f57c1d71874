"""A tree, a dispatcher over it, a clock that is moved, and a transport that remembers and answers later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from watchtree import Batch, Config, Dispatcher, ManualClock, Node, State, Synced, Tree, UnknownChannel
from watchtree.testing.machine.sides import SIZES

Notified = tuple[str, State, int, "bytes | None"]
Sent = list[tuple[str, list[Notified]]]


class Rig:
    """What a test needs, behind short names; every call goes through the public API.

    limits: fields of Config. during_send: called by the transport with each batch, after it was noted.
    """

    def __init__(self, *, tree: Tree | None = None, **limits: Any) -> None:
        self.errors: list[tuple[BaseException, str]] = []
        self.batches: list[Batch] = []
        self.during_send: Callable[[Batch], object] | None = None
        self._unanswered: list[Batch] = []
        limits.setdefault("on_error", lambda error, channel: self.errors.append((error, channel)))
        self.config = Config(**limits)
        self.clock = ManualClock()
        self.tree = Tree(config=self.config) if tree is None else tree
        self.dispatcher = Dispatcher(self.tree, self._send, config=self.config, clock=self.clock)

    def _send(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._unanswered.append(batch)
        if self.during_send is not None:
            self.during_send(batch)

    def put(self, key: str, value: bytes = b"v") -> int:
        """Set a value, with the directories above it."""
        return self.tree.put(key, value, parents=True)

    def sync(self, channel: str, known: Mapping[str, int] | Iterable[tuple[str, int]], replace: bool = False) -> Synced:
        synced = self.dispatcher.sync(channel, known, replace)
        self.verify()
        return synced

    def watch(self, channel: str, *keys: str) -> None:
        """Watch keys from nothing and acknowledge their first notifications: all is quiet afterwards."""
        self.sync(channel, dict.fromkeys(keys, 0))
        self.settle()

    def dispatch(self) -> bool:
        done = self.dispatcher.dispatch()
        self.verify()
        return done

    def settle(self) -> None:
        """Dispatch and acknowledge until nothing is sent any more."""
        for _ in range(10_000):
            done = self.dispatch()
            waiting = self.unanswered()
            for batch in waiting:
                batch.acknowledge()
            if done and not waiting:
                return
        raise AssertionError("not quiet after 10,000 steps")

    def unanswered(self) -> list[Batch]:
        """The batches whose answer would still count, oldest first."""
        self._unanswered = [batch for batch in self._unanswered if self.ticket(batch.channel) == batch.ticket]
        return list(self._unanswered)

    def ticket(self, channel: str) -> int | None:
        """The ticket that a channel waits for; None without one, or without the channel."""
        try:
            return self.dispatcher.channel(channel).ticket
        except UnknownChannel:
            return None

    def batches_by(self, act: Callable[..., object], *args: Any, **kwargs: Any) -> list[Batch]:
        """The batches handed to the transport during a call."""
        before = len(self.batches)
        act(*args, **kwargs)
        self.verify()
        return self.batches[before:]

    def sent_by(self, act: Callable[..., object], *args: Any, **kwargs: Any) -> Sent:
        """The same as plain values: (channel, [(key, state, index, value)])."""
        return [
            (batch.channel, [(n.key, n.state, n.index, n.value) for n in batch])
            for batch in self.batches_by(act, *args, **kwargs)
        ]

    def keys_by(self, act: Callable[..., object], *args: Any, **kwargs: Any) -> list[tuple[str, list[str]]]:
        """The same with only the keys: (channel, [key])."""
        return [(batch.channel, [n.key for n in batch]) for batch in self.batches_by(act, *args, **kwargs)]

    def send_one(self) -> Batch:
        """One step that sends exactly one batch, which is returned without an answer."""
        sent = self.batches_by(self.dispatch)
        assert len(sent) == 1, f"{len(sent)} batches were sent"
        return sent[0]

    def state(self, channel: str) -> str:
        return self.dispatcher.channel(channel).state

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def verify(self) -> None:
        self.tree.verify()
        self.dispatcher.verify()


def image(tree: Tree) -> tuple[object, ...]:
    """All that a tree shows, to see that a call changed nothing."""
    nodes: list[Node | None] = tree.get_many(["", *tree])
    return tree.id, tree.index, len(tree), nodes


def state_of(tree: Tree, dispatcher: Dispatcher) -> tuple[Any, ...]:
    """All that can be asked of a tree and a dispatcher, but for durations; the same for two that agree."""
    stats = dispatcher.stats()
    return (
        [tree.get(key) for key in tree],
        tree.index,
        {name: getattr(stats, name) for name in SIZES},
        {name: dispatcher.watches(name) for name in dispatcher.channels()},
        dispatcher.holders(),
    )
