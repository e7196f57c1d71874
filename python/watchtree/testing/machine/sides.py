"""One side of the comparison: an engine with its own clock and transport, and all that can be seen of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchtree.config import Config
from watchtree.errors import WatchTreeError
from watchtree.records import Synced
from watchtree.stats import ChannelStats, DispatcherStats

THIS = "ticket"
"""In a call made from inside the transport: the ticket of the batch that is being handed over."""

SIZES = [
    each.name
    for each in dataclasses.fields(DispatcherStats)
    if each.name not in ("latency", "step_time")  # the model measures no durations
]
CHANNEL_SIZES = [each.name for each in dataclasses.fields(ChannelStats) if each.name != "latency"]

ERROR_FIELDS = {
    "InvalidKey": ("key",),
    "KeyTooLong": ("key", "limit"),
    "ValueTooLong": ("key", "limit"),
    "StaleIndex": ("index",),
    "NotFound": ("key",),
    "ParentNotFound": ("key",),
    "ParentNotDirectory": ("key",),
    "IsDirectory": ("key",),
    "NotDirectory": ("key",),
    "DirectoryExists": ("key",),
    "ValueExists": ("key",),
    "HasChildren": ("key",),
    "CompareFailed": ("key",),
    "DuplicateKey": ("key",),
    "UnknownChannel": ("channel",),
    "WrongResultCount": ("channel",),
}


class TransportDown(Exception):
    """What the transport raises where its plan says so."""


@dataclass(frozen=True)
class Engine:
    """The classes to test."""

    tree: Callable[..., Any]
    dispatcher: Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """One call on an engine, as data, so that both sides can make it and a history can be printed."""

    what: str
    """`tree.put`, `dispatcher.sync`, `batch.fail` (its first argument is the ticket), a method of Side, `raise_error`."""
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)

    @property
    def builds(self) -> bool:
        """It may build batches."""
        return self.what in ("dispatcher.dispatch", "dispatcher.answer") or self.answers

    @property
    def answers(self) -> bool:
        """It answers a ticket, which is its first argument."""
        return self.what == "dispatcher.answer" or self.what.startswith("batch.")

    def for_ticket(self, ticket: int) -> Call:
        """The same call, with THIS replaced by a ticket."""
        if self.arguments and self.arguments[0] is THIS:
            return dataclasses.replace(self, arguments=(ticket, *self.arguments[1:]))
        return self

    def __str__(self) -> str:
        what, arguments = self.what, list(self.arguments)
        if what.startswith("batch."):
            what = f"batches[{arguments.pop(0)!r}].{what[6:]}"
        named = [f"{word}={value!r}" for word, value in self.keywords.items()]
        return f"{what}({', '.join([*map(repr, arguments), *named])})"


Plan = list[list[Call]]
"""What the transport does: for each batch it is handed, the calls that it makes from inside."""


def outcome_of(do: Callable[[], Any], tree_id: Callable[[], Any]) -> Any:
    """The answer of a call in a form that is the same for engines that agree, or the error that it raised."""
    try:
        return _comparable(do(), tree_id)
    except AssertionError:
        raise
    except Exception as error:
        return describe_error(error)


def describe_error(error: BaseException) -> tuple[Any, ...]:
    """Its class, and those of its fields that the contract gives a meaning."""
    name = type(error).__name__
    fields = ERROR_FIELDS.get(name, ()) if isinstance(error, WatchTreeError) else ()
    return ("error", name, *((word, getattr(error, word)) for word in fields))


def _comparable(answer: Any, tree_id: Callable[[], Any]) -> Any:
    if isinstance(answer, Synced):
        return ("synced", "with its tree's id" if answer.tree_id == tree_id() else answer.tree_id, answer.index)
    if isinstance(answer, BaseException):
        return describe_error(answer)
    if isinstance(answer, list):
        return [_comparable(item, tree_id) for item in answer]
    return answer


class Clock:
    """Nanoseconds that move when told."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, nanoseconds: int) -> None:
        """Move forward."""
        self.now += nanoseconds


class Side:
    """An engine that makes calls and notes all that comes out of it.

    on_call, on_send: told of each call before and after it was made, and of each batch handed over, also from inside the
    transport, so that a history can be kept.
    """

    def __init__(self, engine: Engine, config: Config) -> None:
        self.engine = engine
        self.config = dataclasses.replace(config, on_error=self._note_error)
        self.clock = Clock()
        self.tree = engine.tree(config=self.config)
        self.images: list[bytes] = []
        self.log: list[Any] = []
        """What came out: batches, reported errors, and the outcomes of calls from inside the transport."""
        self.plan: Plan = []
        self.acknowledges_at_once = False
        self.on_call: Callable[[Call, Callable[[], Any]], Any] = lambda call, make: make()
        self.on_send: Callable[[Any], None] = lambda batch: None
        self.carry: Callable[[bytes], bytes] | None = None
        """The way to the other end."""
        self.damaged: list[int] = []
        """Tickets of batches that arrived as something else."""
        self._start()

    def _start(self) -> None:
        self.batches: dict[int, Any] = {}
        self.dispatcher = self.engine.dispatcher(self.tree, self._send, config=self.config, clock=self.clock)

    def make(self, call: Call) -> Any:
        """Make a call; its outcome, comparable with that of the other side."""
        return self.on_call(call, lambda: outcome_of(lambda: self._make(call), lambda: self.tree.id))

    def _make(self, call: Call) -> Any:
        target, _, method = call.what.rpartition(".")
        if target == "batch":
            ticket, *arguments = call.arguments
            return getattr(self.batches[ticket], method)(*arguments, **call.keywords)
        return getattr(getattr(self, target) if target else self, method)(*call.arguments, **call.keywords)

    # Calls that need something of this side.

    def take_image(self) -> None:
        """Keep a snapshot."""
        self.images.append(self.tree.snapshot())

    def restore(self, number: int, damage: str | None) -> None:
        """Restore a snapshot that was kept, intact or damaged."""
        self.tree.restore(damaged(self.images[number], damage))

    def restart(self, number: int) -> None:
        """Go on with a tree from a snapshot and a new dispatcher, as a server that was started again does."""
        self.tree = self.engine.tree.from_snapshot(self.images[number], config=self.config)  # type: ignore[attr-defined]
        self._start()

    # The transport.

    def _send(self, batch: Any) -> None:
        self.batches[batch.ticket] = batch
        self.log.append(
            ("batch", batch.channel, batch.ticket, batch.epoch, batch.more, batch.size_bytes, tuple(batch), len(batch))
        )
        if self.carry is not None and hasattr(batch, "encode"):
            frame = batch.encode()
            if self.carry(frame) != frame:
                self.damaged.append(batch.ticket)
        self.on_send(batch)
        for call in self.plan.pop(0) if self.plan else ():
            call = call.for_ticket(batch.ticket)
            if call.what == "raise_error":
                self.on_call(call, lambda: None)
                raise TransportDown
            self.log.append((str(call), self.make(call)))
        if self.acknowledges_at_once:
            self.make(Call("batch.acknowledge", (batch.ticket,)))

    def _note_error(self, error: BaseException, channel: str) -> None:
        self.log.append(("on_error", describe_error(error), channel))

    # What can be seen.

    def observe(self) -> dict[str, Any]:
        """Everything that can be asked for, as plain values."""
        dispatcher, tree = self.dispatcher, self.tree
        stats = dispatcher.stats()
        channels = dispatcher.channels()
        deadline = dispatcher.next_deadline()
        return {
            "tree": tree.get_many(["", *tree]),
            "len": len(tree),
            "index": tree.index,
            "epoch": dispatcher.epoch,
            "stats": {word: getattr(stats, word) for word in SIZES},
            "channels": {name: self._observe_channel(name) for name in channels},
            "next_deadline": None if deadline is None else round(deadline, 9),
        }

    def _observe_channel(self, name: str) -> dict[str, Any]:
        stats = self.dispatcher.channel(name)
        return {
            "watches by key": self.dispatcher.watches(name),
            **{word: getattr(stats, word) for word in CHANNEL_SIZES},
        }

    def verify(self) -> None:
        """Let the engine check itself."""
        self.tree.verify()
        self.dispatcher.verify()


def damaged(image: bytes, damage: str | None) -> bytes:
    """The image, or one that no tree may accept."""
    if damage == "cut":
        return image[:-1]
    if damage == "longer":
        return image + b"\0"
    if damage == "flipped":
        middle = len(image) // 2
        return image[:middle] + bytes([image[middle] ^ 1]) + image[middle + 1 :]
    if damage == "empty":
        return b""
    return image
