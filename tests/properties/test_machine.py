"""The machine finds faults: each guarantee is broken in a copy of the model, and its invariant has to see it.

The broken model stands on both sides, so that the comparison is silent and only the guarantees speak.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from watchtree.records import Notification
from watchtree.testing import ModelDispatcher, ModelTree
from watchtree.testing.machine.comparing import MODEL
from watchtree.testing.machine.rules import DispatcherMachine
from watchtree.testing.machine.sides import Engine
from watchtree.testing.model_watches import Channel, Sending, SentWatch, Watch
from watchtree.testing.model_watches import Phase as WatchPhase
from watchtree.words import Failure, Result


class SendsOldValues(ModelDispatcher):
    """G1: the value is the one that the key had when it was first sent."""

    def _notification(self, key: str) -> Notification:
        newest = super()._notification(key)
        first = self.__dict__.setdefault("first", {}).setdefault(key, newest)
        return newest._replace(value=first.value) if newest.state == first.state else newest


class SendsAgain(ModelDispatcher):
    """G2: what was acknowledged is sent once more."""

    def _apply_result(self, sent: SentWatch, result: int, now: int) -> None:
        super()._apply_result(sent, result, now)
        if result == Result.OK and sent.watch.phase is WatchPhase.IDLE:
            self.__dict__.setdefault("again", set()).add(sent.watch)
            self._join_ready_set(sent.watch)

    def _due(self, watch: Watch) -> bool:
        return watch in self.__dict__.get("again", ()) or super()._due(watch)


class LosesChangesInFlight(ModelDispatcher):
    """G3: a change while the batch is in flight is forgotten with the acknowledgement."""

    def _apply_result(self, sent: SentWatch, result: int, now: int) -> None:
        super()._apply_result(sent, result, now)
        if result == Result.OK and sent.watch.phase is WatchPhase.READY:
            sent.watch.channel.ready.remove(sent.watch)
            sent.watch.phase = WatchPhase.IDLE


class LosesFailedBatches(ModelDispatcher):
    """G3: what was in a batch that failed is not sent again."""

    def _fail(self, sending: Sending, reason: Failure, now: int) -> None:
        super()._fail(sending, reason, now)
        for watch in list(sending.channel.ready):
            sending.channel.ready.remove(watch)
            watch.phase = WatchPhase.IDLE


class MutesChannels(ModelDispatcher):
    """G3: a channel whose retry finds nothing to send backs off for ever."""

    def _serve(self, channel: Channel, now: int) -> None:
        backed_off = channel.phase is WatchPhase.BACKING_OFF
        super()._serve(channel, now)
        if backed_off and channel.phase is WatchPhase.IDLE:
            channel.phase = WatchPhase.BACKING_OFF

    def verify(self) -> None:
        """It would say the same."""


class SendsWhileInFlight(ModelDispatcher):
    """G4: a change makes a channel ready that waits for an answer."""

    def _make_ready(self, watch: Watch) -> None:
        super()._make_ready(watch)
        if watch.channel not in self._ready:
            self._ready.append(watch.channel)

    def verify(self) -> None:
        """It would say the same."""


class FillsBatches(ModelDispatcher):
    """G4: a batch may be larger than the limit by one notification."""

    def _serve(self, channel: Channel, now: int) -> None:
        limit = self._config.max_batch_bytes
        object.__setattr__(self._config, "max_batch_bytes", limit + 30)
        super()._serve(channel, now)
        object.__setattr__(self._config, "max_batch_bytes", limit)


class FailsForAll(ModelDispatcher):
    """G6: when a sending fails, another channel that was ready loses its turn."""

    def _fail(self, sending: Sending, reason: Failure, now: int) -> None:
        super()._fail(sending, reason, now)
        for channel in self._ready:
            channel.phase = WatchPhase.IDLE
        self._ready.clear()

    def verify(self) -> None:
        """It would say the same."""


class LeavesHoldersBehind(ModelDispatcher):
    """G7: the holder of a dropped watch stays."""

    def _drop(self, watch: Watch) -> None:
        self.__dict__.setdefault("left", []).append(watch)
        super()._drop(watch)
        self._holders._holders.add(watch.key)


class LeavesBatchesBehind(ModelDispatcher):
    """G7: the batch that a closed channel had in flight is still waited for."""

    def _close(self, channel: Channel) -> None:
        super()._close(channel)
        if channel.sending:
            self._answers.set(channel.sending, 2**60)


class ServesTheNewestFirst(ModelDispatcher):
    """G8: the channel that became ready last is served first."""

    def _serve_ready_channels(self, now: int) -> bool:
        self._ready.reverse()
        cut = super()._serve_ready_channels(now)
        self._ready.reverse()
        return cut


class ListensToOldTickets(ModelDispatcher):
    """G9: an answer to any ticket of a channel counts for the batch that it has in flight."""

    def _take_sending(self, ticket: int) -> Sending | None:
        known: dict[int, Sending] = self.__dict__.setdefault("known", {})
        known.update({sending.ticket: sending for sending in self._answers})
        now_in_flight = known[ticket].channel.sending if ticket in known else None
        return super()._take_sending(now_in_flight.ticket if now_in_flight else ticket)


class IsWokenByOldTickets(ModelDispatcher):
    """G9: an answer that does not count is activity of all channels."""

    def _take_sending(self, ticket: int) -> Sending | None:
        sending = super()._take_sending(ticket)
        if sending is None:
            for channel in self._channels.values():
                self._silences.set(channel, self._now + round(self._config.channel_timeout * 1e9))
        return sending


FAULTS = [
    (SendsOldValues, "G1"),
    (SendsAgain, "G2"),
    (LosesChangesInFlight, "G3|G6"),
    (LosesFailedBatches, "G3"),
    (MutesChannels, "G3"),
    (SendsWhileInFlight, "G4|G7"),
    (FillsBatches, "G4"),
    (FailsForAll, "G6"),
    (LeavesHoldersBehind, "G7"),
    (LeavesBatchesBehind, "G7|G4"),
    (ServesTheNewestFirst, "G8"),
    (ListensToOldTickets, "G9|G6"),
    (IsWokenByOldTickets, "G9"),
]


def run(engine: Engine, max_examples: int) -> None:
    """Run the machine with an engine on both sides, the same examples each time."""
    machine: Any = type("Machine", (DispatcherMachine,), {"engine": engine, "oracle": engine})
    quick = settings(
        max_examples=max_examples,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quick)


@pytest.mark.pure
def test_the_machine_finds_nothing_in_the_model_itself() -> None:
    run(MODEL, max_examples=200)


@pytest.mark.pure
@pytest.mark.parametrize(("fault", "guarantee"), FAULTS, ids=lambda each: getattr(each, "__name__", each))
def test_the_machine_finds(fault: type[ModelDispatcher], guarantee: str) -> None:
    with pytest.raises(AssertionError, match=guarantee):
        run(Engine(ModelTree, fault), max_examples=1000)
