"""The picture of how long the queues were."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from watchtree.plot import style
from watchtree.plot.axes import axes_for, check_trace, dress, legend_above, say_nothing_there
from watchtree.plot.states import Floats, Ints, Rows
from watchtree.trace import Trace

LINES = {
    "changed_holders": ("changed holders", style.CHANGED, 1.2),
    "ready_channels": ("ready channels", style.WAITING, 1.6),
    "in_flight": ("in flight", style.IN_FLIGHT, 1.2),
    "backing_off": ("backing off", style.BACKING_OFF, 1.2),
}
"""By column: its name, colour and width."""

MANY = 20_000
"""From so many calls on, a line has one value for each step of the picture."""
STEPS = 600
"""How many steps those are."""


def queue_lengths(trace: Trace, *, ax: Axes | None = None) -> Axes:
    """How long the queues were: changed holders, ready channels, batches in flight, channels and watches backing off.

    One line for each, with a value for each call, which holds from the end of that call on: that of `stats()` then.

    trace: whole, cut or filtered. ax: None: a new figure. The time axis has the seconds since the first row. Answers the axes.
    Errors: TypeError. Cost: O(rows). From 20,000 calls on, a line has the mean over each 1/600 of the time, and an area about it
    goes from the least to the greatest length in that time, so that no peak is lost.
    """
    rows = Rows(check_trace(trace))
    ax = axes_for(ax)
    columns = trace.columns()
    # The sizes are those at the end of the call, in all rows of it.
    is_last = np.append(rows.call[1:] != rows.call[:-1], True)[: len(rows)]
    time = rows.seconds[is_last]
    is_thinned = len(time) > MANY and bool(time[-1] > time[0])
    handles: list[Artist] = []
    names = []
    for column, (name, colour, width) in LINES.items():
        length = columns[column][is_last].astype(np.int64)
        if is_thinned:
            edges, mean, least, greatest = thinned(time, length)
            area = ax.fill_between(edges[:-1], least, greatest, step="post", color=colour, alpha=0.16, linewidth=0)
            area.set_zorder(1.5)
            handles += ax.plot(edges[:-1], mean, drawstyle="steps-post", color=colour, linewidth=width, label=name)
        else:
            handles += ax.plot(time, length, drawstyle="steps-post", color=colour, linewidth=width, label=name)
        names.append(name)
    dress(ax)
    ax.set_xlabel("seconds")
    ax.set_ylabel("queue length")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if is_thinned:
        handles.append(Patch(color=style.FAINT, alpha=0.3))
        names.append("least to greatest")
    if len(time):
        ax.margins(x=0.01)
        ax.set_ylim(bottom=0)
        legend_above(ax, handles, names)
    else:
        ax.set(xlim=(0, 1), ylim=(0, 1))
        say_nothing_there(ax, "no calls in this trace")
    return ax


def thinned(time: Floats, length: Ints) -> tuple[Floats, Floats, Ints, Ints]:
    """The edges of STEPS equal parts of the time, and for each part the mean over its time, the least and the greatest length.

    A length holds up to the next one. Requires: times ascending, the last after the first.
    """
    edges = np.linspace(time[0], time[-1], STEPS + 1)
    sums = np.append(0.0, np.cumsum(length[:-1] * np.diff(time)))
    mean = np.diff(np.interp(edges, time, sums)) / np.diff(edges)
    # A part begins with the length that held before it, and goes up to what came before its end; the last takes all.
    begin = np.maximum(np.searchsorted(time, edges[:-1], side="left") - 1, 0)
    end = np.append(np.searchsorted(time, edges[1:-1], side="left"), len(time))
    pairs = np.stack([begin, np.maximum(end, begin + 1)], axis=-1).ravel()
    # reduceat has no way to end at the end.
    padded = np.append(length, length[-1])
    return edges, mean, np.minimum.reduceat(padded, pairs)[::2], np.maximum.reduceat(padded, pairs)[::2]
