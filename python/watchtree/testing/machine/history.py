"""The guarantees as they can be checked from what went in and came out, without the model (contract §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchtree.testing.machine.sides import Call, Side
from watchtree.words import REMOVE_ALL_WATCHES, Result, State

NOTIFICATION_BYTES = 24


@dataclass
class Moment:
    """The state of things when a call began that may build batches."""

    first_ticket: int
    """The ticket that the first batch built by the call has."""
    call: Call
    now: int
    index: int
    nodes: dict[str, Any]


@dataclass
class Span:
    """The life of a watch between two syncs that named it."""

    first_ticket: int
    """Batches from this ticket on were built after the sync."""
    generation: int
    known: int
    """The greatest index that the subscriber is known to have: from its sync, or acknowledged. -1: none."""
    last_sent: int = -1
    acknowledged: Any = None
    """The newest notification that was acknowledged."""


@dataclass
class Unanswered:
    """A batch that was handed over and not answered."""

    ticket: int
    built_at: int


class History:
    """Listens to one side and notes each breach of a guarantee.

    A breach is noted, not raised, as it is often found inside the transport, where an exception means something else.
    """

    def __init__(self, side: Side) -> None:
        self.breaches: list[tuple[str, str]] = []
        self._side = side
        self.forget()
        side.on_call = self._on_call
        side.on_send = self._on_send

    def forget(self) -> None:
        """Begin again with another dispatcher."""
        self._moments: list[Moment] = []
        self._spans: dict[tuple[str, str], list[Span]] = {}
        self._generations: dict[tuple[str, str], int] = {}
        self._unanswered: dict[str, Unanswered] = {}
        self._answered: set[int] = set()
        self._being_answered: list[Call] = []
        self._nodes_at: tuple[Any, ...] | None = None
        self._nodes: dict[str, Any] = {}

    def unanswered(self, channel: str) -> int | None:
        """The ticket of the channel's batch that was handed over last, if nothing answered it."""
        found = self._unanswered.get(channel)
        return found.ticket if found else None

    def newest(self, channel: str, key: str) -> Any:
        """The notification that was acknowledged last in the present registration of a watch, or None."""
        span = self._spans[channel, key][-1]
        return span.acknowledged

    def check_limits(self) -> None:
        """G4: the last call built no more batches than the limit allows."""
        if not self._moments:
            return
        last = self._moments[-1]
        built = self._tickets_given() + 1 - last.first_ticket
        # Of the five parts of a step two send: the ready channels and the retries.
        limit = 2 * self._side.config.max_batch_size if last.call.what == "dispatcher.dispatch" else 1
        if built > limit:
            self._breach("G4", f"{last.call} built {built} batches, the limit is {limit}")

    def _breach(self, guarantee: str, message: str) -> None:
        self.breaches.append((guarantee, message))

    def _tickets_given(self) -> int:
        given: int = self._side.dispatcher.stats().batches_sent
        return given

    # Calls.

    def _on_call(self, call: Call, make: Callable[[], Any]) -> Any:
        if call.builds:
            self.check_limits()
            self._note_moment(call)
        if call.what == "dispatcher.sync":
            return self._sync(call, make)
        if call.answers:
            return self._answer(call, make)
        outcome = make()
        if call.what == "restart":
            self.forget()
        elif call.what in ("dispatcher.reset", "dispatcher.close", "restore"):
            self._forget_closed_channels()
        elif call.what == "raise_error":
            self._no_longer_in_flight(call.arguments[0])
        return outcome

    def _note_moment(self, call: Call) -> None:
        tree = self._side.tree
        # Two trees can have the same index and another content, so the nodes are read again for another tree or epoch.
        at = (id(tree), self._side.dispatcher.epoch, tree.index)
        if self._nodes_at != at:
            self._nodes_at = at
            self._nodes = {node.key: node for node in tree.get_many(["", *tree])}
        moment = Moment(self._tickets_given() + 1, call, self._side.clock.now, tree.index, self._nodes)
        self._moments.append(moment)

    def _sync(self, call: Call, make: Callable[[], Any]) -> Any:
        channel, known, *rest = call.arguments
        dispatcher = self._side.dispatcher
        before = self._watches(channel)
        outcome = make()
        if outcome[0] != "synced":
            return outcome
        pairs = dict(known)
        first_ticket = self._tickets_given() + 1
        dropped = set(before) - set(pairs) if rest and rest[0] else set()
        for key in dropped | {key for key, index in pairs.items() if index == -1}:
            self._next_generation(channel, key)
        for key, index in pairs.items():
            if index == -1:
                continue
            if index == 0 or key not in before:
                self._next_generation(channel, key)
            generation = self._generations[channel, key]
            self._spans.setdefault((channel, key), []).append(Span(first_ticket, generation, index or -1))
        if not before or channel not in dispatcher.channels():
            self._unanswered.pop(channel, None)
        return outcome

    def _watches(self, channel: Any) -> dict[str, int]:
        dispatcher = self._side.dispatcher
        watches: dict[str, int] = dispatcher.watches(channel) if channel in dispatcher.channels() else {}
        return watches

    def _next_generation(self, channel: str, key: str) -> None:
        self._generations[channel, key] = self._generations.get((channel, key), 0) + 1

    def _forget_closed_channels(self) -> None:
        open_channels = self._side.dispatcher.channels()
        self._unanswered = {name: found for name, found in self._unanswered.items() if name in open_channels}

    def _no_longer_in_flight(self, ticket: int) -> None:
        channel = self._side.batches[ticket].channel
        if self.unanswered(channel) == ticket:
            del self._unanswered[channel]

    # Answers.

    def _answer(self, call: Call, make: Callable[[], Any]) -> Any:
        self._being_answered.append(call)
        outcome = make()
        if call in self._being_answered:
            self._being_answered.remove(call)
            if outcome is True:
                self._take(call)
        return outcome

    def _take(self, call: Call) -> None:
        """An answer counted."""
        ticket, *given = call.arguments
        if ticket in self._answered:
            self._breach("G9", f"ticket {ticket} was answered twice, and both answers counted")
        self._answered.add(ticket)
        batch = self._side.batches.get(ticket)
        if batch is None:
            return  # it was forged in the very moment in which its batch waited to be handed over
        self._no_longer_in_flight(ticket)
        results = given[0] if given else None
        failed = "failure" in call.keywords or call.what in ("batch.fail", "batch.remove_all")
        if failed or results is REMOVE_ALL_WATCHES or (results is not None and len(results) != len(batch)):
            return
        for notification, result in zip(batch, results or [Result.OK] * len(batch), strict=True):
            self._apply(batch, notification, result)

    def _apply(self, batch: Any, notification: Any, result: int) -> None:
        name = (batch.channel, notification.key)
        sent = self._span(name, batch.ticket)
        if sent is None or sent.generation != self._generations[name]:
            return
        span = self._spans[name][-1]
        if result == Result.OK:
            span.known = max(span.known, notification.index)
            span.acknowledged = notification
        elif result == Result.REMOVE_WATCH:
            self._next_generation(*name)

    def _span(self, name: tuple[str, str], ticket: int) -> Span | None:
        """The span in which a batch was built."""
        return next((span for span in reversed(self._spans.get(name, ())) if span.first_ticket <= ticket), None)

    # Batches handed over.

    def _on_send(self, batch: Any) -> None:
        moment = next(each for each in reversed(self._moments) if each.first_ticket <= batch.ticket)
        for call in list(self._being_answered):
            if call.arguments[0] == self.unanswered(batch.channel):  # the next part comes before the call returns
                self._being_answered.remove(call)
                self._take(call)
        for notification in batch:
            self._check_latest(notification, moment)
            self._check_not_repeated(batch, notification)
        self._check_size(batch)
        self._check_one_in_flight(batch, moment)
        if batch.ticket not in self._answered:
            self._unanswered[batch.channel] = Unanswered(batch.ticket, moment.now)

    def _check_latest(self, notification: Any, moment: Moment) -> None:
        node = moment.nodes.get(notification.key)
        if node is None:
            true = (State.MISSING, None)
            index_is_right = 0 <= notification.index <= moment.index
        else:
            true = (State.DIRECTORY if node.is_directory else State.VALUE, node.value)
            index_is_right = notification.index == node.update_index
        if (notification.state, notification.value) != true or not index_is_right:
            self._breach("G1", f"{notification} was sent when the node was {node} in a tree at {moment.index}")

    def _check_not_repeated(self, batch: Any, notification: Any) -> None:
        span = self._span((batch.channel, notification.key), batch.ticket)
        if span is None:
            self._breach("G2", f"ticket {batch.ticket} has {notification}, which nobody asked for")
            return
        if notification.index <= span.known or notification.index < span.last_sent:
            self._breach("G2", f"ticket {batch.ticket} repeats {notification}, after {span}")
        span.last_sent = notification.index

    def _check_size(self, batch: Any) -> None:
        sizes = [NOTIFICATION_BYTES + len(each.key.encode()) + len(each.value or b"") for each in batch]
        if batch.size_bytes != sum(sizes):
            self._breach("G4", f"ticket {batch.ticket} says {batch.size_bytes} bytes and has {sum(sizes)}")
        if sum(sizes) > self._side.config.max_batch_bytes and len(sizes) > 1:
            self._breach("G4", f"ticket {batch.ticket} has {sum(sizes)} bytes in {len(sizes)} notifications")
        if not sizes or len({each.key for each in batch}) != len(sizes):
            self._breach("G4", f"ticket {batch.ticket} has not one notification for each of its keys: {list(batch)}")

    def _check_one_in_flight(self, batch: Any, moment: Moment) -> None:
        other = self._unanswered.get(batch.channel)
        timeout = round(self._side.config.answer_timeout * 1e9)
        if other and moment.now < other.built_at + timeout:
            self._breach("G4", f"ticket {batch.ticket} was sent while {other} was in flight for {batch.channel}")
