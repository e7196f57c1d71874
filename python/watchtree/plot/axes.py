"""The axes that a picture is drawn on: given or new, and what all of them have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from watchtree.plot.style import FAINT, SMALL
from watchtree.trace import Trace

WIDTH = 8.0
HEIGHT = 3.2
"""Inches of a new figure, as wide as a README shows it."""


def axes_for(ax: Axes | None, height: float = HEIGHT) -> Axes:
    """The axes that were given, or those of a new figure of this height in inches. Errors: TypeError."""
    if ax is None:
        from matplotlib import pyplot

        made: Axes = pyplot.subplots(figsize=(WIDTH, height), layout="constrained")[1]
        return made
    if not isinstance(ax, Axes):
        raise TypeError(f"ax is {ax!r}; give matplotlib axes, or None for a new figure")
    return ax


def check_trace(trace: object) -> Trace:
    """Errors: TypeError for what is no trace."""
    if not isinstance(trace, Trace):
        raise TypeError(f"trace is {trace!r}; give a watchtree.trace.Trace, such as Recorder.trace() makes")
    return trace


def check_most(most: object) -> int:
    """Errors: TypeError, ValueError for what is no number of things to draw."""
    if isinstance(most, bool) or not isinstance(most, int):
        raise TypeError(f"most is {most!r}; give an int")
    if most < 1:
        raise ValueError(f"most is {most}; give 1 or more")
    return most


def dress(ax: Axes, *, grid: str = "y") -> None:
    """Take away lines that say nothing, and draw a faint grid below the data. grid: "x", "y", "both" or ""."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if grid:
        ax.grid(visible=True, axis=grid, color=FAINT, alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(SMALL + 1)


def legend_above(ax: Axes, handles: Sequence[Artist], labels: Sequence[str], columns: int = 6) -> None:
    """A legend above the axes, where it covers nothing, in as many columns as they are wide for; none for no handles."""
    if handles:
        ax.legend(
            list(handles),
            list(labels),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.3,
            ncols=_fitting(labels, min(columns, len(handles)), _points_wide(ax)),
            frameon=False,
            fontsize=SMALL,
            handlelength=1.4,
            handletextpad=0.5,
            columnspacing=1.3,
        )


def _points_wide(ax: Axes) -> float:
    """About how wide the axes are with what stands beside them."""
    figure = ax.get_figure(root=True)
    inches = WIDTH if figure is None else figure.get_figwidth()
    return ax.get_position().width / 0.775 * 0.97 * inches * 72  # 0.775 of a figure are axes before they are laid out


def _fitting(labels: Sequence[str], most: int, points: float) -> int:
    """The most columns in which a legend with these labels is not wider."""
    for columns in range(most, 1, -1):
        widest = [max(map(len, column)) for column in np.array_split(np.array(labels, dtype=object), columns)]
        if sum(widest) * 0.525 * SMALL + len(widest) * 3.2 * SMALL <= points:
            return columns
    return 1


def say_nothing_there(ax: Axes, text: str) -> None:
    """Write in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=FAINT, fontsize=SMALL + 1)
