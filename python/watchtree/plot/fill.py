"""The picture of how near batches and steps came to their limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, PercentFormatter

from watchtree.plot import style
from watchtree.plot.axes import axes_for, check_trace, dress, legend_above, say_nothing_there
from watchtree.plot.states import Bools, Floats, Rows
from watchtree.trace import Event, Trace

BARS = 10
"""How many equal parts of the limit are told apart, beside what is above it."""


@dataclass(frozen=True)
class Fill:
    """How full things were."""

    share: Floats
    """Of the limit, for each: 1.0 is full."""
    cut: Bools
    """Whether a limit cut it short, for each."""


def batch_fill(trace: Trace, *, ax: Axes | None = None) -> Axes:
    """How near batches and steps came to their limits: for each tenth of the limit, the share of all that came so far.

    Batches: their bytes against `max_batch_bytes`; a single large notification may be above it. Hatched: those that were cut,
    so that the rest had to follow. Steps (those that had anything to do): the items in their busiest part against
    `max_batch_size`. Hatched: those that were unfinished.

    trace: whole, cut or filtered. ax: None: a new figure. Answers the axes. Errors: TypeError. Cost: O(rows log rows).
    """
    batches, steps = batch_fills(check_trace(trace)), step_fills(trace)
    ax = axes_for(ax)
    handles: list[Artist] = []
    for fill, colour, side, one, many, cut in (
        (batches, style.IN_FLIGHT, -1, "batch", "batches", "cut"),
        (steps, style.CHANGED, 0, "step", "steps", "unfinished"),
    ):
        if not len(fill.share):
            continue
        # A limit that is just reached is in the bar below it.
        bar = np.clip(np.ceil(fill.share * BARS - 1e-9).astype(np.int64) - 1, 0, BARS)
        whole, hatched = (np.bincount(bar[which], minlength=BARS + 1) / len(bar) for which in (~fill.cut, fill.cut))
        left = np.arange(BARS + 1) + (0.06 if side else 0.5) + (np.arange(BARS + 1) == BARS) * 0.3
        ax.bar(left, whole, 0.44, align="edge", color=colour, label=many)
        ax.bar(
            left, hatched, 0.44, whole, align="edge", color=style.PAPER, edgecolor=colour, hatch="//////", linewidth=0.8,
            label=f"{many} {cut}",
        )  # fmt: skip
        handles.append(Patch(facecolor=colour, label=style.count(len(bar), one, many)))
        label = f"of them {int(fill.cut.sum()):,} {cut}"
        handles.append(Patch(facecolor=style.PAPER, edgecolor=colour, hatch="//////", label=label))
    dress(ax)
    ax.set_xlim(-0.1, BARS + 1.4)
    ax.xaxis.set_major_locator(FixedLocator([*range(0, BARS + 1, 2), BARS + 0.8]))
    ax.xaxis.set_major_formatter(
        FixedFormatter([*(style.percent(part / BARS) for part in range(0, BARS + 1, 2)), "above"])
    )
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel(
        f"of the limit ({trace.config.max_batch_bytes:,} bytes a batch, "
        f"{style.count(trace.config.max_batch_size, 'item', 'items')} a part of a step)"
    )
    ax.set_ylabel("share of all")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    if handles:
        legend_above(ax, handles, [str(handle.get_label()) for handle in handles])
    else:
        ax.set_ylim(0, 1)
        say_nothing_there(ax, "no batches in this trace")
    return ax


def batch_fills(trace: Trace) -> Fill:
    """The bytes of each batch, as a share of `max_batch_bytes`, and whether it was cut."""
    rows = Rows(trace)
    is_batch = rows.are(Event.BATCH)
    return Fill(rows.bytes[is_batch] / trace.config.max_batch_bytes, rows.outcome[is_batch] == 1)


def step_fills(trace: Trace) -> Fill:
    """The items in the busiest part of each step that had any, as a share of `max_batch_size`; whether it was unfinished."""
    rows = Rows(trace)
    steps = rows.are(Event.DISPATCH) & (rows.count > 0)
    return Fill(rows.count[steps] / trace.config.max_batch_size, rows.outcome[steps] == 0)
