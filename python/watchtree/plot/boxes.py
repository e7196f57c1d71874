"""The drawing of a tree with its holders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch

from watchtree._core import Dispatcher
from watchtree.plot import style
from watchtree.plot.axes import WIDTH, axes_for, check_most, legend_above
from watchtree.plot.places import Place, places
from watchtree.words import State

LARGEST, LEAST = 9.0, 4.0
"""Points of the text."""
CHARACTER = 0.602
"""The width of a character of the font, of its size."""
GAP = 8
"""Characters between two columns."""
HIGH = 2.1
"""The height of a row, of the size of the text."""

WATCHED = {"facecolor": "#cfe6f5", "edgecolor": style.IN_FLIGHT, "linestyle": "-", "linewidth": 1.1}
BARE = {"facecolor": style.PAPER, "edgecolor": style.IN_FLIGHT, "linestyle": ":", "linewidth": 1.1}
MISSING = {"facecolor": "#fbe3d3", "edgecolor": style.BACKING_OFF, "linestyle": "--", "linewidth": 1.1}
BARE_MISSING = {"facecolor": style.PAPER, "edgecolor": style.BACKING_OFF, "linestyle": ":", "linewidth": 1.1}
PLAIN = {"facecolor": style.PAPER, "edgecolor": "#b0b0b0", "linestyle": "-", "linewidth": 0.8}
QUEUED = {"edgecolor": style.CHANGED, "linewidth": 2.2}
LEGEND: dict[str, dict[str, Any]] = {
    "watched (× watches)": WATCHED,
    "missing, watched": MISSING,
    "no watch, holds those below": BARE,
    "no holder": PLAIN,
    "changed": {**PLAIN, **QUEUED},
}


def tree(
    dispatcher: Dispatcher, *, root: str = "", most: int = 60, keep: Iterable[str] = (), ax: Axes | None = None
) -> Axes:
    """The tree from left to right, and where watches hang (contract §2): a box for each key, filled if it is watched.

    "×3": three watches. Bold: a directory. Dashed: a missing key with watches, which hangs at the place under its parent that
    it will have. Dotted: a holder without watches, which is there for those below it. A strong edge: the holder is in
    the queue of changed holders. Keys stand in key order, a directory beside its first child.

    root: the key to begin with, existing or not. most: how many keys are drawn at most, 1 or more: those with watches and all
    above them first; each directory says how many more it has. keep: keys that keep their place while they are neither there
    nor watched, so that drawings of several steps can be compared. ax: None: a new figure, as high as it must be.
    Answers the axes, whose units are characters and rows. Errors: TypeError, ValueError, InvalidKey, KeyTooLong.
    Cost: O(holders log holders + children of the directories drawn).
    """
    if not isinstance(dispatcher, Dispatcher):
        raise TypeError(f"dispatcher is {dispatcher!r}; give a watchtree.Dispatcher")
    drawn = places(dispatcher, root, check_most(most), [keep] if isinstance(keep, str) else keep)
    rows = drawn[-1].row + 1
    left = _columns(drawn)
    room = None if ax is None else _room(axes_for(ax))
    high = max(rows, 3) * LARGEST * HIGH
    ax = axes_for(ax, 0.5 + high / 72)  # the legend is above the rows
    size = _set_units(ax, room or (WIDTH * 72 * 0.97, high), left[-1], rows)
    _draw_lines(ax, drawn, left)
    for each in drawn:
        _draw_box(ax, each, left[each.column], size)
    handles: list[Artist] = [Patch(label=label, **looks) for label, looks in LEGEND.items()]
    handles.append(Patch(facecolor="none", edgecolor="none", label="bold: directory"))
    legend_above(ax, handles, [str(handle.get_label()) for handle in handles])
    return ax


def _columns(drawn: Sequence[Place]) -> list[int]:
    """Where each column begins, in characters; at the end how wide all of them are."""
    widest = [0] * (1 + max(each.column for each in drawn))
    for each in drawn:
        widest[each.column] = max(widest[each.column], len(each.label))
    left = [0]
    for width in widest:
        left.append(left[-1] + width + GAP)
    return left


def _room(ax: Axes) -> tuple[float, float]:
    """The size of axes in points."""
    box = ax.get_window_extent()
    figure = ax.get_figure(root=True)
    points = 72 / (figure.get_dpi() if figure is not None else 100)
    return box.width * points, box.height * points


def _set_units(ax: Axes, room: tuple[float, float], characters: int, rows: int) -> float:
    """Make a character and a row the units of axes of this size. Answers the size of the text in points."""
    wide, high = room
    size = max(LEAST, min(LARGEST, wide / (characters * CHARACTER), high / rows / 1.6))
    ax.set_xlim(-1.5, max(characters, wide / (size * CHARACTER)) - 1.5)
    ax.set_ylim(max(rows, high / (size * HIGH)) - 0.4, -0.6)
    ax.axis("off")
    return size


def _draw_lines(ax: Axes, drawn: Sequence[Place], left: Sequence[int]) -> None:
    """From each parent to the column of its children, and down to each of them."""
    lines: dict[str, list[list[tuple[float, float]]]] = {"-": [], "--": []}
    for each in drawn:
        if each.parent < 0 or (each.state is None and not each.more):
            continue
        parent = drawn[each.parent]
        bend = left[each.column] - 2.2
        corners = [(left[parent.column] + len(parent.label), parent.row), (bend, parent.row), (bend, each.row)]
        is_missing = each.state is State.MISSING
        lines["--" if is_missing else "-"].append([*corners, (left[each.column], each.row)])
    for kind, some in lines.items():
        ax.add_collection(LineCollection(some, colors=style.FAINT, linewidths=0.8, linestyles=kind, zorder=1))


def _draw_box(ax: Axes, each: Place, left: float, size: float) -> None:
    if each.state is None:
        if each.more:
            ax.text(left, each.row, each.label, size=size * 0.9, color=style.FAINT, va="center", clip_on=True)
        return
    ax.text(
        left,
        each.row,
        each.label,
        size=size,
        family="monospace",
        weight="bold" if each.state is State.DIRECTORY else "normal",
        color=style.INK,
        va="center",
        clip_on=True,
        zorder=3,
        bbox={"boxstyle": "round,pad=0.25", **_looks(each)},
    )


def _looks(each: Place) -> dict[str, Any]:
    """How the box of a key looks."""
    looks: dict[str, Any] = PLAIN
    if each.holder is not None:
        has_watches = each.holder.watches > 0
        if each.state is State.MISSING:
            looks = MISSING if has_watches else BARE_MISSING
        else:
            looks = WATCHED if has_watches else BARE
        if each.holder.queued:
            looks = {**looks, **QUEUED}
    return looks
