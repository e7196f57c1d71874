"""The picture of what each channel did."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from watchtree.plot import style
from watchtree.plot.axes import axes_for, check_most, check_trace, dress, legend_above, say_nothing_there
from watchtree.plot.states import (
    WATCH_ERROR,
    WRONG_RESULTS,
    ChannelState,
    Intervals,
    Ints,
    Marks,
    Rows,
    acknowledgements,
    batches,
    channel_states,
    failures,
)
from watchtree.trace import Trace

LOOKS = {
    ChannelState.IDLE: ("idle", style.IDLE),
    ChannelState.WAITING: ("waiting", style.WAITING),
    ChannelState.IN_FLIGHT: ("in flight", style.IN_FLIGHT),
    ChannelState.BACKING_OFF: ("backing off", style.BACKING_OFF),
}
"""By state: its name and colour. Drawn in this order, so that what matters more lies above."""

FAILURE_MARKERS = {
    "NETWORK": "X",
    "TIMEOUT": "D",
    "CLIENT_ERROR": "s",
    "STOPPING": "P",
    "COMMAND_NOT_SUPPORTED": "*",
    "RAISED": "^",
    WRONG_RESULTS: "v",
    WATCH_ERROR: "p",
}

MANY = 20_000
"""From so many bars or markers on, those that cannot be told apart are drawn as one."""
STEPS = 2000
"""How many times can be told apart then."""
CLEAR = 200
"""Up to so many batches in a row, each has its marks; more would cover the bars."""


def timeline(
    trace: Trace, *, channels: str | Iterable[str] | None = None, most: int = 40, ax: Axes | None = None
) -> Axes:
    """What each channel did: a row for each, a bar for each time that it was waiting, in flight, backing off or idle.

    A tick stands where a batch was built, a ring where it was acknowledged, another sign for each kind of failure. A channel
    that is closed has no bar. A batch that was acknowledged at once, by the dispatcher's clock, has its marks alone. Where there are
    more than 200 batches in a row, in the mean, ticks and rings are left out: a shorter part has them (`Trace.cut`).

    trace: whole, cut or filtered. channels: the names of those to draw, top to bottom; None: all, by their first row.
    most: how many are drawn at most, 1 or more; without names those with the most rows, else the first. ax: None: a new figure.
    The time axis has the seconds since the first row. Answers the axes. Errors: TypeError, ValueError for a wrong argument.
    Cost: O(rows log rows); with very many bars, those nearer than 1/2000 of the picture to one of their state are drawn as one.
    """
    check_trace(trace)
    shown, left_out = _chosen(trace, channels, check_most(most))
    ax = axes_for(ax, min(12.0, 1.1 + 0.27 * max(len(shown), 5)))
    row_of = np.full(len(trace.channels) + 1, -1)
    for row, (_, position) in enumerate(shown):
        if position is not None:
            row_of[position] = row
    points = _row_points(ax, len(shown))
    handles = _draw_bars(ax, channel_states(trace), row_of) + _draw_marks(ax, trace, row_of, points)
    _label(ax, trace, [name for name, _ in shown], left_out, points)
    legend_above(ax, handles, [str(handle.get_label()) for handle in handles])
    return ax


def _chosen(trace: Trace, channels: str | Iterable[str] | None, most: int) -> tuple[list[tuple[str, int | None]], int]:
    """The names to draw with their positions in the trace, None for one without rows; how many are left out."""
    names = trace.channels
    if channels is None:
        column = Rows(trace).channel
        rows = np.bincount(column[column >= 0], minlength=len(names))
        there = np.flatnonzero(rows)
        busiest = np.sort(there[np.argsort(-rows[there], kind="stable")][:most])
        return [(names[position], int(position)) for position in busiest], len(there) - len(busiest)
    wanted = list(dict.fromkeys([channels] if isinstance(channels, str) else channels))
    for name in wanted:
        if not isinstance(name, str):
            raise TypeError(f"channels has {name!r}; give names of channels as str")
    positions = {name: position for position, name in enumerate(names)}
    return [(name, positions.get(name)) for name in wanted[:most]], max(0, len(wanted) - most)


def _row_points(ax: Axes, rows: int) -> float:
    """The height of a row in points."""
    figure = ax.get_figure(root=True)
    height = ax.get_position().height * figure.get_figheight() if figure is not None else 2.5
    return float(height) * 72 / max(rows, 5)


def _draw_bars(ax: Axes, intervals: Intervals, row_of: Ints) -> list[Artist]:
    row = row_of[intervals.channel]
    handles: list[Artist] = []
    for state, (name, colour) in LOOKS.items():
        is_drawn = (row >= 0) & (intervals.state == state)
        rows, begin, end = row[is_drawn], intervals.begin[is_drawn], intervals.end[is_drawn]
        if len(rows) > MANY:
            near = (end.max() - begin.min()) / STEPS
            apart = np.ones(len(rows), dtype=bool)
            apart[1:] = (rows[1:] != rows[:-1]) | (begin[1:] - end[:-1] > near)
            rows, begin, end = rows[apart], begin[apart], end[np.append(apart[1:], True)]
        half = np.full(len(rows), 0.18 if state is ChannelState.IDLE else 0.36)
        corners = np.stack([begin, rows - half, begin, rows + half, end, rows + half, end, rows - half], axis=-1)
        bars = PolyCollection(
            list(corners.reshape(-1, 4, 2)),
            facecolors=colour,
            edgecolors=colour,
            linewidths=0.0 if state is ChannelState.IDLE else 0.4,
            label=name,
            zorder=2 + int(state) / 10,
        )
        ax.add_collection(bars)
        if len(rows):
            handles.append(Patch(color=colour, label=name))
    return handles


def _draw_marks(ax: Axes, trace: Trace, row_of: Ints, points: float) -> list[Artist]:
    size = min(6.0, 0.42 * points)
    end = Rows(trace).end
    handles: list[Artist] = []

    def draw(
        marks: Marks, label: str, marker: str, scale: float, face: str, edge: str, width: float, order: int
    ) -> None:
        row, time = row_of[marks.channel], marks.time
        is_drawn = row >= 0
        row, time = row[is_drawn], time[is_drawn]
        if len(row) > MANY and end > 0:
            _, kept = np.unique(row * (STEPS + 1) + (time / end * STEPS).astype(np.int64), return_index=True)
            row, time = row[kept], time[kept]
        if len(row):
            handles.extend(
                ax.plot(
                    time,
                    row,
                    linestyle="",
                    marker=marker,
                    markersize=size * scale,
                    markerfacecolor=face,
                    markeredgecolor=edge,
                    markeredgewidth=width,
                    label=label,
                    zorder=order,
                )
            )

    sent = batches(trace)
    if int((row_of[sent.channel] >= 0).sum()) <= CLEAR * int((row_of >= 0).sum()):
        draw(sent, "batch", "|", 1.7, style.INK, style.INK, 1.0, 4)
        draw(acknowledgements(trace), "acknowledged", "o", 0.7, style.PAPER, style.INK, 0.7, 5)
    for name, marks in failures(trace).items():
        label = name.lower().replace("_", " ")
        draw(marks, label, FAILURE_MARKERS[name], 1.3, style.INK, style.PAPER, 0.5, 6)
    return handles


def _label(ax: Axes, trace: Trace, names: list[str], left_out: int, points: float) -> None:
    dress(ax, grid="x")
    end = Rows(trace).end
    ax.set_xlim(*((-0.012 * end, 1.012 * end) if end > 0 else (-0.05, 1.0)))
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.yaxis.set_major_locator(FixedLocator(list(range(len(names)))))
    ax.set_yticklabels([style.plain(name) for name in names], fontsize=max(4.0, min(style.SMALL, 0.75 * points)))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    more = f"    (and {style.count(left_out, 'more channel')})" if left_out else ""
    ax.set_xlabel(f"seconds{more}")
    ax.set_ylabel("" if names else "channels")
    if not names:
        say_nothing_there(ax, "no channels in this trace")
