"""How the pictures look: colours that colour-blind readers can tell apart, and how numbers and names are written.

The colours are those of Okabe and Ito, in which no two that meet here have the same lightness.
"""

from __future__ import annotations

from typing import Final

IDLE: Final = "#dcdcdc"
WAITING: Final = "#56b4e9"
IN_FLIGHT: Final = "#0072b2"
BACKING_OFF: Final = "#d55e00"
CHANGED: Final = "#e69f00"
"""Holders that changed."""
OTHER: Final = "#009e73"
INK: Final = "#222222"
FAINT: Final = "#8c8c8c"
PAPER: Final = "#ffffff"

SERIES: Final = (IN_FLIGHT, BACKING_OFF, OTHER, CHANGED, "#cc79a7", WAITING)
"""For several lines of one kind, in turn."""

SMALL: Final = 8.0
"""Points of the text beside and in a picture."""


def plain(text: str, most: int = 24) -> str:
    """A name as matplotlib is to write it: at most so many characters, no formula, no control character, not hidden."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    text = "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in text)
    # A legend leaves out what begins with a line.
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def duration(seconds: float) -> str:
    """A duration with three digits and the unit that fits."""
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit * 0.9995:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


def count(number: int, one: str, many: str = "") -> str:
    """A number and what it counts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share of 0.0 to 1.0 as per cent."""
    return f"{share * 100:.6g} %"
