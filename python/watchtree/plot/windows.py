"""The picture of how many changes needed no notification of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from watchtree.plot import style
from watchtree.plot.axes import axes_for, check_trace, dress, say_nothing_there
from watchtree.plot.states import Floats, Ints, Rows
from watchtree.trace import Event, Trace


@dataclass(frozen=True)
class Windows:
    """What was counted in windows of equal length, of those in which something was changed and told. Columns of one length."""

    begin: Floats
    """Seconds since the first row of the trace."""
    changes: Ints
    """Changes that were made: rows of PUT, MKDIR, REMOVE and COMPARE_AND_SET with outcome 0, those of a `Tree.batch` too."""
    coalesced: Ints
    """The sum of the column `coalesced`."""
    notifications: Ints
    """Rows of NOTIFICATION, those that were sent again too."""

    @property
    def ratio(self) -> Floats:
        """coalesced / (coalesced + notifications): 0.0 if each change was told by itself, near 1.0 if nearly none was."""
        ratio: Floats = self.coalesced / (self.coalesced + self.notifications)
        return ratio


def coalescing(trace: Trace, *, window: float = 1.0, ax: Axes | None = None) -> Axes:
    """How many changes needed no notification of their own, against how many were made: a point for each window of time.

    To the right: changes a second (rows of PUT, MKDIR, REMOVE and COMPARE_AND_SET with outcome 0), on an axis of logarithms.
    Up: coalesced / (coalesced + notifications), the sum of the column `coalesced` against the rows of NOTIFICATION; both
    count each watch. Windows without a change, or with neither of the two, have no point.

    trace: whole or cut. window: its length in seconds, finite and more than 0; the last one may be shorter and counts as whole.
    ax: None: a new figure. Answers the axes. Errors: TypeError, ValueError. Cost: O(rows).
    """
    counted = windows(check_trace(trace), _check_window(window))
    ax = axes_for(ax)
    rate = counted.changes / window
    ax.plot(
        rate,
        counted.ratio,
        linestyle="",
        marker="o",
        markersize=5,
        color=style.IN_FLIGHT,
        alpha=0.55 if len(rate) < 2000 else 0.2,
        markeredgewidth=0,
        rasterized=len(rate) > 10_000,
    )
    dress(ax, grid="both")
    ax.set_xscale("log")
    ax.set_ylim(-0.03, 1.03)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    ax.set_xlabel(f"changes a second, in windows of {style.duration(window)}")
    ax.set_ylabel("coalesced")
    if len(rate):
        least, most = float(rate.min()), float(rate.max())
        ax.set_xlim(least / 1.3, most * 1.3)
    else:
        least, most = 1.0, 1000.0
        ax.set_xlim(least, most)
        say_nothing_there(ax, "nothing was changed and told in this trace")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if most / least > 300 else (1.0, 2.0, 5.0), numticks=20))
    ax.xaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=20))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.6g}"))
    return ax


def windows(trace: Trace, window: float) -> Windows:
    """What was counted in each window of so many seconds. Cost: O(rows)."""
    rows = Rows(trace)
    number = np.floor(rows.seconds / window).astype(np.int64)
    there, number = np.unique(number, return_inverse=True)
    changes = np.bincount(number, rows.changes(), len(there)).astype(np.int64)
    notifications = np.bincount(number, rows.are(Event.NOTIFICATION), len(there)).astype(np.int64)
    coalesced = np.bincount(number, rows.coalesced, len(there)).astype(np.int64)
    kept = (changes > 0) & (coalesced + notifications > 0)
    begin = (there[kept] * window).astype(np.float64)
    return Windows(begin, changes[kept], coalesced[kept], notifications[kept])


def _check_window(window: float) -> float:
    if isinstance(window, bool) or not isinstance(window, int | float):
        raise TypeError(f"window is {window!r}; give seconds as a number")
    if not (math.isfinite(window) and window > 0):
        raise ValueError(f"window is {window}; give a finite number of seconds greater than 0")
    return window
