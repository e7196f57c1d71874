"""The picture of how long notifications took."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from watchtree.plot import style
from watchtree.plot.axes import axes_for, dress, legend_above, say_nothing_there
from watchtree.plot.states import Bools, Floats, Ints, Rows
from watchtree.stats import Histogram
from watchtree.trace import Event, Trace

MARKED = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
LEVELS = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
"""Shares that the axis names: each further one is ten times rarer."""


def latency(what: Trace | Histogram | Mapping[str, Trace | Histogram], *, ax: Axes | None = None) -> Axes:
    """How long notifications took: the share (up) that was acknowledged within a time (to the right).

    The axis of shares goes by their nines, so that the slowest ones are seen: 99.9 % is as far from 99 % as 99 % from 90 %.
    p50, p99 and p99.9 are marked, with their values.

    what: a trace (see `latencies` for what is measured), a histogram such as `dispatcher.stats().latency`, of which each
    duration is known to the upper edge of its bucket, or several of them by name. ax: None: a new figure. Answers the axes.
    Errors: TypeError. Cost: O(rows log rows) of a trace.
    """
    several = _check(what)
    ax = axes_for(ax)
    curves = {name: _curve(each) for name, each in several.items()}
    curves = {name: curve for name, curve in curves.items() if len(curve[0])}
    is_alone = not isinstance(what, Mapping)
    handles, labels = [], []
    for number, (name, (seconds, slower)) in enumerate(curves.items()):
        colour = style.SERIES[number % len(style.SERIES)]
        # Each share holds up to the next time at which something was acknowledged.
        handles += ax.plot(
            seconds, slower, drawstyle="steps-post", color=colour, linewidth=1.6, label=style.plain(name)
        )
        points = {mark: _quantile(seconds, slower, share) for mark, share in MARKED.items()}
        ax.plot(
            list(points.values()),
            [1 - share for share in MARKED.values()],
            linestyle="",
            marker="o",
            markersize=5,
            color=colour,
            markeredgecolor=style.PAPER,
            zorder=4,
        )
        known = "≤ " if isinstance(several[name], Histogram) else ""
        told = [f"{mark} {known}{style.duration(value)}" for mark, value in points.items()]
        if is_alone:
            for text, value, share in zip(told, points.values(), MARKED.values(), strict=True):
                ax.annotate(
                    text,
                    (value, 1 - share),
                    (7, -3),
                    textcoords="offset points",
                    ha="left",
                    va="top",
                    fontsize=style.SMALL,
                )
        labels.append(f"{style.plain(name)}: {', '.join(told)}")
    _label(ax, curves)
    if not is_alone:
        legend_above(ax, handles, labels, 1)
    return ax


def latencies(trace: Trace) -> Floats:
    """Seconds from a change to the acknowledgement of the notification that told of it, for each one, in no order.

    From the change that made the notification's index, the newest it tells of, to the answer to its batch that counted, if its
    own result was OK. Left out are notifications of changes that are not in the trace, or older than the sync that began the
    watch: nobody waited for those. (`stats().latency` differs: it counts from the first change that a notification tells of.)
    Cost: O(rows log rows).
    """
    rows = Rows(trace)
    told = np.flatnonzero(rows.are(Event.NOTIFICATION))
    told = told[~_had_a_bad_result(rows, told)]
    change = _newest_before(rows.index, np.flatnonzero(rows.changes()), told)
    watch = _newest_before(_pairs(rows), np.flatnonzero(rows.are(Event.WATCH)), told)
    answer = _answers(rows, told)
    counts = (change >= 0) & (change > watch) & (answer >= 0)
    seconds: Floats = rows.seconds[answer[counts]] - rows.seconds[change[counts]]
    return seconds


def _pairs(rows: Rows) -> Ints:
    """A number for each pair of channel and key."""
    return rows.channel * (int(rows.key.max(initial=0)) + 1) + rows.key


def _newest_before(column: Ints, among: Ints, of: Ints) -> Ints:
    """For each row of `of`, the last one before it of those `among` with the same value in a column, or -1.

    Requires: both ascending.
    """
    if not len(among) or not len(of):
        return np.full(len(of), -1)
    _, value = np.unique(np.concatenate([column[among], column[of]]), return_inverse=True)
    # Values are below the number of rows, so that value and row fit into one number.
    size = len(column) + 1
    place = value[: len(among)] * size + among
    order = np.argsort(place)
    asked = value[len(among) :] * size + of
    found = np.searchsorted(place[order], asked) - 1
    row = among[order[np.maximum(found, 0)]]
    return np.where((found >= 0) & (column[row] == column[of]), row, -1)


def _answers(rows: Rows, told: Ints) -> Ints:
    """For each notification the row of the answer that counted, or -1."""
    answers = np.flatnonzero(rows.answers())
    answers = answers[np.argsort(rows.ticket[answers], kind="stable")]
    if not len(answers):
        return np.full(len(told), -1)
    found = np.minimum(np.searchsorted(rows.ticket[answers], rows.ticket[told]), len(answers) - 1)
    return np.where(rows.ticket[answers[found]] == rows.ticket[told], answers[found], -1)


def _had_a_bad_result(rows: Rows, told: Ints) -> Bools:
    results = np.flatnonzero(rows.are(Event.RESULT))
    keys = int(rows.key.max(initial=0)) + 1
    return np.isin(rows.ticket[told] * keys + rows.key[told], rows.ticket[results] * keys + rows.key[results])


def _check(what: object) -> dict[str, Trace | Histogram]:
    several: dict[str, Trace | Histogram] = {}
    for name, each in what.items() if isinstance(what, Mapping) else [("", what)]:
        if not isinstance(each, Trace | Histogram):
            raise TypeError(f"{each!r} has no latencies; give a Trace, a Histogram or a mapping from names to them")
        if not isinstance(name, str):
            raise TypeError(f"the name {name!r} is no str")
        several[name] = each
    return several


def _curve(what: Trace | Histogram) -> tuple[Floats, Floats]:
    """Times, ascending, and the share of notifications that took longer than each. Empty if nothing was measured."""
    if isinstance(what, Histogram):
        counts = np.array(what.counts, dtype=np.int64)
        seconds = np.exp2(np.arange(len(counts))) * 1e-6
    else:
        seconds, counts = np.unique(latencies(what), return_counts=True)
    kept = counts > 0
    seconds, counts = seconds[kept], counts[kept]
    if not len(seconds):
        return seconds, seconds
    # An axis of logarithms has no place for no time.
    return np.maximum(seconds, 1e-9), 1 - np.cumsum(counts) / counts.sum()


def _quantile(seconds: Floats, slower: Floats, share: float) -> float:
    """The time within which at least this share was acknowledged."""
    return float(seconds[np.argmax(slower <= 1 - share + 1e-12)])


def _label(ax: Axes, curves: Mapping[str, tuple[Floats, Floats]]) -> None:
    dress(ax, grid="both")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1.15, 0.0004)
    ax.yaxis.set_major_locator(FixedLocator([1 - level for level in LEVELS]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda slower, _: style.percent(round(1 - slower, 9))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: style.duration(seconds)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("from the change to its acknowledgement")
    ax.set_ylabel("notifications acknowledged")
    if not curves:
        ax.set_xlim(1e-6, 1.0)
        say_nothing_there(ax, "nothing was acknowledged")
        return
    least = min(float(seconds[0]) for seconds, _ in curves.values())
    most = max(float(seconds[-1]) for seconds, _ in curves.values())
    wide = max(most / least, 10.0)
    ax.set_xlim(least / wide**0.04, most * wide**0.16)
    subs = (1.0,) if wide > 300 else (1.0, 2.0, 5.0)
    ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    ax.xaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=20))
