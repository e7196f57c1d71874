"""The dispatcher of the contract's §2 and §3 in plain Python."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from watchtree.config import Config
from watchtree.errors import DuplicateKey, UnknownChannel, WrongResultCount
from watchtree.records import Notification, Synced
from watchtree.stats import ChannelStats, DispatcherStats, Histogram
from watchtree.testing.model_arguments import check_type
from watchtree.testing.model_batch import ModelBatch
from watchtree.testing.model_deadlines import Deadlines
from watchtree.testing.model_holders import ModelHolders
from watchtree.testing.model_keys import key_order
from watchtree.testing.model_tree import MAX_INDEX, ModelTree
from watchtree.testing.model_watches import NEVER, Channel, Phase, Sending, SentWatch, Watch
from watchtree.words import REMOVE_ALL_WATCHES, Failure, RemoveAllWatches, Result, State

NOTIFICATION_BYTES = 24
PERMANENT = {Failure.CLIENT_ERROR, Failure.STOPPING, Failure.COMMAND_NOT_SUPPORTED}
NO_DURATIONS = Histogram((), 0)


class ModelDispatcher:
    """`watchtree.Dispatcher`, as plain as the contract's §2 and §3. One thread only; `send` may call back in.

    Arguments, answers and errors are those of `Dispatcher`. It measures no durations (its histograms are empty), and it
    has no `on_work` and no `memory`.
    """

    def __init__(
        self,
        tree: ModelTree,
        send: Callable[[ModelBatch], object],
        *,
        config: Config | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._tree = tree
        self._send = send
        self._config = config or Config()
        self._clock = clock or time.monotonic_ns
        self._now = 0
        self._epoch = 1
        self._tickets = 0
        self._registrations = 0
        self._counts: Counter[str] = Counter()
        self._outbox: list[Sending] = []
        self._handing_over = False
        self._start()
        tree.follow(self)

    def _start(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._holders = ModelHolders(self._tree)
        self._changed: list[str] = []
        """The queue of changed holders, by key."""
        self._cut: tuple[str, int] | None = None
        """The holder whose turn it is, by key, and the registration number of its watch that was looked at last."""
        self._ready: list[Channel] = []
        self._answers: Deadlines[Sending] = Deadlines()
        self._silences: Deadlines[Channel] = Deadlines()
        self._retries: Deadlines[Channel | Watch] = Deadlines()

    # What it is asked.

    @property
    def tree(self) -> ModelTree:
        """As `Dispatcher.tree`."""
        return self._tree

    @property
    def config(self) -> Config:
        """As `Dispatcher.config`."""
        return self._config

    @property
    def epoch(self) -> int:
        """As `Dispatcher.epoch`."""
        return self._epoch

    def channels(self) -> list[str]:
        """As `Dispatcher.channels`."""
        return sorted(self._channels)

    def watches(self, channel: str) -> dict[str, int]:
        """As `Dispatcher.watches`."""
        watches = self._known(channel).watches
        return {key: watches[key].notified for key in sorted(watches, key=key_order)}

    def next_deadline(self) -> float | None:
        """As `Dispatcher.next_deadline`."""
        now = self._read_clock()
        if self._cut or self._changed or self._ready:
            return 0.0
        moments = [self._answers.earliest(), self._silences.earliest(), self._retries.earliest()]
        first = min((moment for moment in moments if moment is not None), default=None)
        return None if first is None else max(0, first - now) / 1e9

    def stats(self) -> DispatcherStats:
        """As `Dispatcher.stats`, with empty histograms."""
        return DispatcherStats(
            **_counters(self._counts),
            epoch=self._epoch,
            channels=len(self._channels),
            watches=sum(len(channel.watches) for channel in self._channels.values()),
            holders=len(self._holders),
            changed_holders=len(self._changed) + (self._cut is not None),
            ready_channels=len(self._ready),
            backing_off=len(self._retries),
            in_flight=len(self._answers),
            steps=self._counts["steps"],
            unfinished_steps=self._counts["unfinished_steps"],
            ignored_answers=self._counts["ignored_answers"],
            silent_channels=self._counts["silent_channels"],
            step_time=NO_DURATIONS,
        )

    def channel(self, name: str) -> ChannelStats:
        """As `Dispatcher.channel`, with an empty histogram."""
        channel = self._known(name)
        retries = [item for item in self._retries if item is channel or item in channel.watches.values()]
        return ChannelStats(
            **_counters(channel.counts),
            name=name,
            state=channel.phase.value,
            watches=len(channel.watches),
            ready_watches=len(channel.ready),
            backing_off=len(retries),
            in_flight=len(channel.sending.watches) if channel.sending else 0,
            ticket=channel.sending.ticket if channel.sending else None,
            failure_count=channel.failure_count,
        )

    def verify(self) -> None:
        """Check that each watch and each channel is where its phase says. Raises AssertionError."""
        for channel in self._channels.values():
            assert channel.watches, "an open channel has watches"
            assert (channel in self._ready) == (channel.phase is Phase.READY), "a ready channel is queued"
            assert (channel in self._retries) == (channel.phase is Phase.BACKING_OFF), "a channel waits for its retry"
            assert (channel.sending is not None) == (channel.phase is Phase.IN_FLIGHT), "in flight is one batch"
            assert channel in self._silences, "each channel can fall silent"
            assert not (channel.phase is Phase.IDLE and channel.ready), "an idle channel has nothing to send"
            assert channel.ready or channel.phase is not Phase.READY, "a ready channel has something to look at"
            for watch in channel.watches.values():
                assert (watch in channel.ready) == (watch.phase is Phase.READY), "a ready watch is in the ready set"
                assert (watch in self._retries) == (watch.phase is Phase.BACKING_OFF), "a watch waits for its retry"
                assert watch in self._holders.watches(watch.key), "each watch hangs on its key"
                assert watch.failure_count == 0 or watch.phase is not Phase.IDLE, "an idle watch has no failures"
        assert all(self._holders.watches(key) for key in self._changed), "a queued holder has watches"
        assert self._cut is None or self._rest(), "a holder that was cut has a rest"

    def __repr__(self) -> str:
        return f"ModelDispatcher(epoch={self._epoch}, channels={self.channels()})"

    # Registration (§2).

    def sync(self, channel: str, known: Mapping[str, int] | Iterable[tuple[str, int]], replace: bool = False) -> Synced:
        """As `Dispatcher.sync`."""
        check_type("channel", channel, str)
        check_type("replace", replace, bool)
        pairs = [_pair(each) for each in (known.items() if isinstance(known, Mapping) else known)]
        self._check_known(pairs)
        now = self._read_clock()
        asked = self._channels.get(channel)
        entry = asked or Channel(channel)
        for key, index in pairs:
            self._register(entry, key, index)
        if replace:
            named = {key for key, _ in pairs}
            for watch in [watch for key, watch in entry.watches.items() if key not in named]:
                self._drop(watch)
        if entry.watches:
            self._channels[channel] = entry
            self._silences.set(entry, now + _ns(self._config.channel_timeout))
        elif asked:
            self._close(asked)
        return Synced(self._tree.id, self._tree.index)

    def _check_known(self, pairs: list[tuple[str, int]]) -> None:
        seen = set()
        for key, index in pairs:
            self._tree.check_key(key, self._config.max_key_bytes)
            if not -1 <= index <= MAX_INDEX:
                raise ValueError(f"the index of {key!r} is {index}; give -1 to 2^63 - 1")
            if key in seen:
                raise DuplicateKey(f"key {key!r} is named twice", key=key)
            seen.add(key)

    def _register(self, channel: Channel, key: str, index: int) -> None:
        watch = channel.watches.get(key)
        if index == -1:
            if watch:
                self._drop(watch)
            return
        self._registrations += 1
        if watch is None:
            watch = channel.watches[key] = Watch(channel, key, self._registrations)
            self._holders.add(watch)
        elif index == 0:
            watch.registered = self._registrations
            self._holders.move_last(watch)
        if index == 0:
            self._begin_again(watch)
        else:
            watch.notified = index
        if watch.phase is Phase.IDLE and self._due(watch):
            self._make_ready(watch)

    def _begin_again(self, watch: Watch) -> None:
        watch.generation += 1
        watch.notified = NEVER
        watch.failure_count = 0
        watch.unacknowledged = False
        watch.found_in_flight = False
        self._retries.forget(watch)
        if watch.phase is not Phase.READY:
            watch.phase = Phase.IDLE

    def _drop(self, watch: Watch) -> None:
        """The watch is gone; its channel stays, even with no watch left, until the caller has done all it was asked."""
        channel = watch.channel
        watch.generation += 1
        del channel.watches[watch.key]
        self._retries.forget(watch)
        if watch in channel.ready:
            channel.ready.remove(watch)
            if not channel.ready and channel.phase is Phase.READY:
                self._ready.remove(channel)
                channel.phase = Phase.IDLE
        self._holders.remove(watch)
        if watch.key in self._changed and not self._holders.watches(watch.key):
            self._changed.remove(watch.key)
        if not self._rest():
            self._cut = None

    def touch(self, channel: str) -> int:
        """As `Dispatcher.touch`."""
        check_type("channel", channel, str)
        now = self._read_clock()
        entry = self._channels.get(channel)
        if entry is None:
            return 0
        self._silences.set(entry, now + _ns(self._config.channel_timeout))
        return len(entry.watches)

    def close(self, channel: str) -> bool:
        """As `Dispatcher.close`."""
        check_type("channel", channel, str)
        entry = self._channels.get(channel)
        if entry is None:
            return False
        self._close(entry)
        return True

    def _close(self, channel: Channel) -> None:
        for watch in list(channel.watches.values()):
            self._drop(watch)
        if channel.sending:
            self._answers.forget(channel.sending)
        self._silences.forget(channel)
        self._retries.forget(channel)
        channel.closed = True
        del self._channels[channel.name]

    def reset(self) -> None:
        """As `Dispatcher.reset`."""
        for channel in self._channels.values():
            channel.closed = True
        self._epoch += 1
        self._start()

    def tree_restored(self) -> None:
        """The tree took another content."""
        self.reset()

    def tree_changed(self, keys: list[str]) -> None:
        """Queue the holders of keys that changed (§3, before the step)."""
        self._holders.mount()
        for key in keys:
            if key in self._changed:
                # For the dispatcher alone: a put does not visit the watchers.
                self._counts["coalesced"] += len(self._holders.watches(key))
            elif self._holders.watches(key):
                self._changed.append(key)

    # The step (§3).

    def dispatch(self) -> bool:
        """As `Dispatcher.dispatch`."""
        now = self._read_clock()
        parts = (
            self._handle_overdue_answers,
            self._handle_silent_channels,
            self._look_at_changed_holders,
            self._serve_ready_channels,
            self._serve_retries,
        )
        cut = [part(now) for part in parts]
        self._counts["steps"] += 1
        self._counts["unfinished_steps"] += any(cut)
        self._hand_over()
        return not any(cut)

    def _handle_overdue_answers(self, now: int) -> bool:
        for _ in range(self._config.max_batch_size):
            sending = self._answers.come(now)
            if sending is None:
                return False
            self._outbox = [waiting for waiting in self._outbox if waiting is not sending]
            self._fail(sending, Failure.TIMEOUT, now)
        return self._answers.come(now) is not None

    def _handle_silent_channels(self, now: int) -> bool:
        for _ in range(self._config.max_batch_size):
            channel = self._silences.come(now)
            if channel is None:
                return False
            self._counts["silent_channels"] += 1
            self._close(channel)
        return self._silences.come(now) is not None

    def _look_at_changed_holders(self, now: int) -> bool:
        for _ in range(self._config.max_batch_size):
            if self._cut is None:
                if not self._changed:
                    return False
                self._cut = (self._changed.pop(0), 0)
            watch = self._rest()[0]
            self._look_at(watch)
            self._cut = (watch.key, watch.registered)
            if not self._rest():
                self._cut = None
        return self._cut is not None or bool(self._changed)

    def _rest(self) -> list[Watch]:
        """The watches of the holder whose turn it is that were not looked at yet."""
        if self._cut is None:
            return []
        key, looked_at = self._cut
        return [watch for watch in self._holders.watches(key) if watch.registered > looked_at]

    def _look_at(self, watch: Watch) -> None:
        if not self._due(watch):
            return
        if watch.phase is Phase.IDLE:
            self._make_ready(watch)
        elif watch.phase is Phase.IN_FLIGHT and not watch.found_in_flight:
            watch.found_in_flight = True
        else:
            self._count(watch.channel, "coalesced")

    def _serve_ready_channels(self, now: int) -> bool:
        for _ in range(self._config.max_batch_size):
            if not self._ready:
                return False
            self._serve(self._ready.pop(0), now)
        return bool(self._ready)

    def _serve_retries(self, now: int) -> bool:
        for _ in range(self._config.max_batch_size):
            item = self._retries.come(now)
            if item is None:
                return False
            self._retries.forget(item)
            if isinstance(item, Channel):
                self._serve(item, now)
            else:
                self._retry_watch(item, now)
        return self._retries.come(now) is not None

    def _retry_watch(self, watch: Watch, now: int) -> None:
        if not self._due(watch):
            self._make_idle(watch)
            return
        self._join_ready_set(watch)
        if watch.channel.phase is Phase.IDLE:
            self._serve(watch.channel, now)

    # Watches and their channels becoming ready, idle, sent.

    def _due(self, watch: Watch) -> bool:
        return self._holders.index(watch.key) > watch.notified  # no index is below 0, so one never notified is due

    def _make_idle(self, watch: Watch) -> None:
        watch.phase = Phase.IDLE
        watch.failure_count = 0

    def _join_ready_set(self, watch: Watch) -> None:
        watch.phase = Phase.READY
        watch.channel.ready.append(watch)

    def _make_ready(self, watch: Watch) -> None:
        self._join_ready_set(watch)
        if watch.channel.phase is Phase.IDLE:
            self._join_ready_channels(watch.channel)

    def _join_ready_channels(self, channel: Channel) -> None:
        channel.phase = Phase.READY
        self._ready.append(channel)

    def _serve(self, channel: Channel, now: int) -> None:
        """Build a batch for a channel that has left its queue; it is idle if there is nothing to send."""
        watches: list[SentWatch] = []
        notifications: list[Notification] = []
        size = 0
        more = False
        while channel.ready:
            watch = channel.ready[0]
            if self._due(watch):
                notification = self._notification(watch.key)
                added = NOTIFICATION_BYTES + len(watch.key.encode()) + len(notification.value or b"")
                more = bool(watches) and size + added > self._config.max_batch_bytes
                if more:
                    break
                size += added
                watches.append(SentWatch(watch, watch.generation, notification.index))
                notifications.append(notification)
                watch.phase = Phase.IN_FLIGHT
            else:
                self._make_idle(watch)
            channel.ready.pop(0)
        if not watches:
            channel.phase = Phase.IDLE
            channel.failure_count = 0
            return
        self._tickets += 1
        if more:
            channel.left_by_cut = len(channel.ready)
        sending = Sending(channel, self._tickets, self._epoch, watches, tuple(notifications), size, more)
        self._begin_flight(sending, now)

    def _notification(self, key: str) -> Notification:
        node = self._tree.find(key)
        if node is None:
            return Notification(key, State.MISSING, self._holders.index(key), None)
        state = State.DIRECTORY if node.is_directory else State.VALUE
        return Notification(key, state, node.update_index, node.value)

    def _begin_flight(self, sending: Sending, now: int) -> None:
        channel = sending.channel
        channel.phase = Phase.IN_FLIGHT
        channel.sending = sending
        self._answers.set(sending, now + _ns(self._config.answer_timeout))
        self._count(channel, "batches_sent")
        for sent in sending.watches:
            self._count(channel, "sent")
            if sent.watch.unacknowledged:
                self._count(channel, "resent")
            sent.watch.unacknowledged = True
        self._outbox.append(sending)

    def _hand_over(self) -> None:
        if self._handing_over:
            return
        self._handing_over = True
        try:
            while self._outbox:
                sending = self._outbox.pop(0)
                if not sending.channel.closed:
                    self._hand_over_one(sending)
        finally:
            self._handing_over = False

    def _hand_over_one(self, sending: Sending) -> None:
        try:
            self._send(ModelBatch(self, sending))
        except BaseException as error:
            self._answer_failed(sending.ticket, Failure.RAISED, self._read_clock())
            if not isinstance(error, Exception):
                raise
            self._report(error, sending.channel.name)

    def _report(self, error: Exception, channel: str) -> None:
        if self._config.on_error:
            self._config.on_error(error, channel)
        else:
            logging.getLogger("watchtree").error("channel %r: %r", channel, error)

    # Answers (§3).

    def answer(
        self,
        ticket: int,
        results: Sequence[int] | RemoveAllWatches | None = None,
        *,
        failure: Failure | None = None,
    ) -> bool:
        """As `Dispatcher.answer`."""
        check_type("ticket", ticket, int)
        if failure is not None:
            check_type("failure", failure, int)
            failure = Failure(failure)
        if results is not None and failure is not None:
            raise ValueError("results and failure are both given; a sending has one answer")
        if results is None or results is REMOVE_ALL_WATCHES:
            codes = None
        else:
            check_type("results", results, Sequence)
            codes = list(results)
            for code in codes:
                check_type("result", code, int)
        now = self._read_clock()
        if failure is not None:
            return self._answer_failed(ticket, failure, now)
        sending = self._take_sending(ticket)
        if sending is None:
            return False
        if results is REMOVE_ALL_WATCHES:
            self._count(sending.channel, "batches_acknowledged")
            self._close(sending.channel)
        elif codes is not None and len(codes) != len(sending.watches):
            self._close(sending.channel)
            self._report(_wrong_count(sending, len(codes)), sending.channel.name)
        else:
            self._acknowledge(sending, codes or [Result.OK] * len(sending.watches), now)
        self._hand_over()
        return True

    def _answer_failed(self, ticket: int, reason: Failure, now: int) -> bool:
        sending = self._take_sending(ticket)
        if sending is not None:
            self._fail(sending, reason, now)
        return sending is not None

    def _take_sending(self, ticket: int) -> Sending | None:
        """The sending that a ticket names, if it is still unanswered; else the answer is counted as ignored."""
        for sending in self._answers:
            if sending.ticket == ticket:
                return sending
        self._counts["ignored_answers"] += 1
        return None

    def _land(self, sending: Sending) -> None:
        self._answers.forget(sending)
        sending.channel.sending = None

    def _acknowledge(self, sending: Sending, results: Sequence[int], now: int) -> None:
        channel = sending.channel
        self._land(sending)
        self._count(channel, "batches_acknowledged")
        channel.failure_count = 0
        self._silences.set(channel, now + _ns(self._config.channel_timeout))
        for sent, result in zip(sending.watches, results, strict=True):
            if sent.counts:
                self._apply_result(sent, result, now)
        channel.phase = Phase.IDLE
        if not channel.watches:
            self._close(channel)
        elif channel.ready and sending.more and channel.left_by_cut:
            self._serve_next_part(channel, now)
        elif channel.ready:
            self._join_ready_channels(channel)

    def _serve_next_part(self, channel: Channel, now: int) -> None:
        left, ready = channel.left_by_cut, len(channel.ready)
        self._serve(channel, now)
        channel.left_by_cut = max(0, left - (ready - len(channel.ready)))

    def _apply_result(self, sent: SentWatch, result: int, now: int) -> None:
        watch = sent.watch
        if result == Result.OK:
            self._count(watch.channel, "acknowledged")
            watch.notified = max(watch.notified, sent.index)
            watch.unacknowledged = False
            watch.found_in_flight = False
            self._make_idle(watch)
            if self._due(watch):
                self._join_ready_set(watch)
        elif result == Result.REMOVE_WATCH:
            self._drop(watch)
        else:
            self._count(watch.channel, "watch_errors")
            self._count_change_that_waits_for_the_retry(watch)
            watch.failure_count += 1
            watch.phase = Phase.BACKING_OFF
            self._retries.set(watch, now + self._backoff(watch.failure_count))

    def _fail(self, sending: Sending, reason: Failure, now: int) -> None:
        channel = sending.channel
        self._count(channel, f"failed {reason.name}")
        if reason in PERMANENT:
            self._close(channel)
            return
        self._land(sending)
        for sent in sending.watches:
            if sent.counts:
                self._count_change_that_waits_for_the_retry(sent.watch)
                if self._due(sent.watch):
                    self._join_ready_set(sent.watch)
                else:
                    self._make_idle(sent.watch)
        channel.failure_count += 1
        channel.phase = Phase.BACKING_OFF
        self._retries.set(channel, now + self._backoff(channel.failure_count))

    def _count_change_that_waits_for_the_retry(self, watch: Watch) -> None:
        if watch.found_in_flight:
            watch.found_in_flight = False
            self._count(watch.channel, "coalesced")

    # Small things.

    def _known(self, name: str) -> Channel:
        check_type("name", name, str)
        channel = self._channels.get(name)
        if channel is None:
            raise UnknownChannel(f"channel {name!r} does not exist", channel=name)
        return channel

    def _read_clock(self) -> int:
        self._now = max(self._now, self._clock())
        return self._now

    def _backoff(self, failures: int) -> int:
        intervals = self._config.backoff
        return _ns(intervals[min(failures, len(intervals)) - 1])

    def _count(self, channel: Channel, what: str) -> None:
        channel.counts[what] += 1
        self._counts[what] += 1


def _pair(item: tuple[str, int]) -> tuple[str, int]:
    if isinstance(item, str | bytes) or not isinstance(item, Sequence) or len(item) != 2:
        raise TypeError(f"{item!r} is no pair; give a key and an index")
    key, index = item
    check_type("key", key, str)
    check_type("index", index, int)
    return key, index


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _wrong_count(sending: Sending, count: int) -> WrongResultCount:
    channel = sending.channel.name
    return WrongResultCount(
        f"{count} results for the {len(sending.watches)} notifications of ticket {sending.ticket}", channel=channel
    )


def _counters(counts: Counter[str]) -> dict[str, Any]:
    words = ("batches_sent", "sent", "acknowledged", "resent", "coalesced", "batches_acknowledged", "watch_errors")
    return {
        **{word: counts[word] for word in words},
        "failures": {reason.name: counts[f"failed {reason.name}"] for reason in Failure},
        "latency": NO_DURATIONS,
    }
