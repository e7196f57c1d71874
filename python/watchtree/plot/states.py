"""What each channel did, from the rows of a trace: its states over time, its batches, its failures. Plain data."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchtree.trace import Event, Trace
from watchtree.words import Failure, Result

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CHANGES = (Event.PUT, Event.MKDIR, Event.REMOVE, Event.COMPARE_AND_SET)
"""The rows of single changes, those of a `Tree.batch` too."""
ANSWERS = (Event.ACKNOWLEDGE, Event.RESULTS)


class ChannelState(enum.IntEnum):
    """What a channel does (contract §3)."""

    IDLE = 0
    WAITING = 1
    """It has something to send, and its turn has not come."""
    IN_FLIGHT = 2
    BACKING_OFF = 3


NONE, GONE, APPEARS = -1, -2, -3
"""Beside the states: no change, the channel is closed, the channel is there (idle if it was not)."""


@dataclass(frozen=True)
class Intervals:
    """Times during which a channel was in a state, ordered by channel, then by time. Columns of one length."""

    channel: Ints
    """Positions in `Trace.channels`."""
    state: Ints
    begin: Floats
    """Seconds since the first row of the trace."""
    end: Floats

    def __len__(self) -> int:
        return len(self.channel)

    def of(self, channel: int) -> list[tuple[str, float, float]]:
        """Those of one channel: the name of the state, its begin and its end."""
        rows = np.flatnonzero(self.channel == channel)
        return [(ChannelState(self.state[row]).name, float(self.begin[row]), float(self.end[row])) for row in rows]


@dataclass(frozen=True)
class Marks:
    """Moments of channels. Columns of one length."""

    channel: Ints
    time: Floats
    """Seconds since the first row of the trace."""

    def __len__(self) -> int:
        return len(self.channel)


class Rows:
    """The columns of a trace as signed numbers and seconds. Requires: nothing; a trace without rows has columns too."""

    def __init__(self, trace: Trace) -> None:
        columns = trace.columns()
        self.event, self.channel, self.key, self.ticket, self.index, self.outcome, self.count, self.bytes, self.call = (
            columns[name].astype(np.int64, copy=False)
            for name in ("event", "channel", "key", "ticket", "index", "outcome", "count", "bytes", "call")
        )
        self.coalesced = columns["coalesced"].astype(np.int64, copy=False)
        time = columns["time"].astype(np.int64, copy=False)
        self.seconds: Floats = (time - time[:1].sum()) / 1e9

    def __len__(self) -> int:
        return len(self.event)

    @property
    def end(self) -> float:
        """Seconds from the first to the last row."""
        return float(self.seconds[-1]) if len(self) else 0.0

    def are(self, *events: Event) -> Bools:
        """Which rows are of these events."""
        return np.isin(self.event, events)

    def changes(self) -> Bools:
        """Which rows are changes that were made."""
        made: Bools = self.are(*CHANGES) & (self.outcome == 0)
        return made

    def answers(self) -> Bools:
        """Which rows are answers that counted."""
        counted: Bools = self.are(*ANSWERS) & (self.outcome == 1)
        return counted


def channel_states(trace: Trace) -> Intervals:
    """The states of all channels over time.

    A state lasts until the next one of its channel, the last one until the last row. What a channel was before its first
    row is told where that row leaves no choice: in flight before an answer, idle before it became ready. States that lasted
    no time are not in it. After a call that was lost (Event.LOST) a state may be wrong until the channel's next row.
    Cost: O(rows log rows).
    """
    return _states(Rows(trace))


def _states(rows: Rows) -> Intervals:
    becomes, before = _what_rows_say(rows)
    said = np.flatnonzero(((becomes != NONE) | (before != NONE)) & (rows.channel >= 0))
    said = said[np.argsort(rows.channel[said], kind="stable")]
    channel, state, time = rows.channel[said], becomes[said], rows.seconds[said]
    # What was before the first row of a channel stands in front of it.
    first = _firsts(channel) & (before[said] != NONE)
    at = np.flatnonzero(first)
    channel, state = np.insert(channel, at, channel[at]), np.insert(state, at, before[said][at])
    time = np.insert(time, at, 0.0)
    kept = state != NONE
    channel, state, time = channel[kept], state[kept], time[kept]
    kept = ~_is_there_already(channel, state)
    channel, state, time = channel[kept], np.where(state[kept] == APPEARS, ChannelState.IDLE, state[kept]), time[kept]

    is_last = np.append(_firsts(channel)[1:], True)[: len(channel)]
    end = np.where(is_last, rows.end, np.append(time[1:], 0.0)[: len(time)])
    kept = (state >= 0) & (end > time)
    channel, state, begin, end = channel[kept], state[kept], time[kept], end[kept]
    # One interval where the same state went on.
    begins = np.ones(len(channel), dtype=bool)
    begins[1:] = (channel[1:] != channel[:-1]) | (state[1:] != state[:-1]) | (begin[1:] != end[:-1])
    ends = np.append(begins[1:], True)[: len(begins)]
    return Intervals(channel[begins], state[begins].astype(np.int64), begin[begins], end[ends])


def _what_rows_say(rows: Rows) -> tuple[Ints, Ints]:
    """For each row, what its channel becomes with it, and what it must have been before."""
    becomes = np.full(len(rows), NONE)
    refused = rows.call[rows.are(Event.SYNC) & (rows.outcome != 0)]
    becomes[rows.are(Event.WATCH) & ~np.isin(rows.call, refused)] = APPEARS
    becomes[rows.answers() | rows.are(Event.IDLE)] = ChannelState.IDLE
    becomes[rows.are(Event.READY)] = ChannelState.WAITING
    becomes[rows.are(Event.BATCH)] = ChannelState.IN_FLIGHT
    becomes[rows.are(Event.BACK_OFF)] = ChannelState.BACKING_OFF
    becomes[rows.are(Event.CLOSED)] = GONE

    before = np.full(len(rows), NONE)
    before[rows.answers() | rows.are(Event.OVERDUE, Event.HAND_OVER)] = ChannelState.IN_FLIGHT
    before[rows.are(Event.FAIL, Event.RAISED) & (rows.count == 1)] = ChannelState.IN_FLIGHT
    before[rows.are(Event.REMOVE_ALL) & (rows.outcome == 1)] = ChannelState.IN_FLIGHT
    before[rows.are(Event.READY)] = ChannelState.IDLE
    return becomes, before


def _firsts(channel: Ints) -> Bools:
    """Which items are the first ones of their channel. Requires: ordered by channel."""
    firsts = np.ones(len(channel), dtype=bool)
    firsts[1:] = channel[1:] != channel[:-1]
    return firsts


def _is_there_already(channel: Ints, state: Ints) -> Bools:
    """Which items make a channel appear that is known to be there. Requires: ordered by channel, then by time."""
    position = np.arange(len(channel))
    begin = np.maximum.accumulate(np.where(_firsts(channel), position, 0))
    known = np.maximum.accumulate(np.where(state != APPEARS, position, -1))
    is_known = (known >= begin) & (state[known] != GONE) if len(state) else np.zeros(0, dtype=bool)
    already: Bools = (state == APPEARS) & is_known
    return already


def batches(trace: Trace) -> Marks:
    """Each batch that was built for a channel."""
    rows = Rows(trace)
    return _marks(rows, rows.are(Event.BATCH))


def acknowledgements(trace: Trace) -> Marks:
    """Each acknowledgement that counted, those with results and REMOVE_ALL_WATCHES too."""
    rows = Rows(trace)
    return _marks(rows, rows.answers() | (rows.are(Event.REMOVE_ALL) & (rows.outcome == 1)))


WRONG_RESULTS = "WRONG_RESULTS"
"""The number of results was wrong, and the channel is closed."""
WATCH_ERROR = "WATCH_ERROR"
"""A result was neither OK nor REMOVE_WATCH: that watch alone is sent again."""


def failures(trace: Trace) -> dict[str, Marks]:
    """Each failure that counted, by the name of its `Failure`, or WRONG_RESULTS or WATCH_ERROR; of those that occur."""
    rows = Rows(trace)
    failed = rows.are(Event.FAIL, Event.RAISED) & (rows.count == 1) | rows.are(Event.OVERDUE)
    found = {failure.name: failed & (rows.outcome == failure) for failure in Failure}
    found[WRONG_RESULTS] = rows.are(*ANSWERS) & (rows.outcome == 2)
    counted = np.isin(rows.call, rows.call[rows.answers()])
    found[WATCH_ERROR] = rows.are(Event.RESULT) & counted & ~np.isin(rows.outcome, (Result.OK, Result.REMOVE_WATCH))
    marks = {name: _marks(rows, which) for name, which in found.items()}
    return {name: each for name, each in marks.items() if len(each)}


def _marks(rows: Rows, which: Bools) -> Marks:
    which = which & (rows.channel >= 0)
    return Marks(rows.channel[which], rows.seconds[which])
