"""Shows progress on one line of a terminal, or as plain lines elsewhere; and a table at the end."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from typing import TextIO

BAR_WIDTH = 24


class Screen:
    """Writes ASCII and carriage returns only, so that every terminal and every log file can take it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"
        self._seconds_between = 0.1 if self._live else 1.0
        self._shown_at = time.monotonic()
        self._width = 0

    def line(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        self._out.write(_ascii(text) + "\n")
        self._out.flush()

    def progress(self, share: float | None, describe: Callable[[], str]) -> None:
        """How far it is, shown from time to time. share: 0.0 to 1.0, None if there is no end. describe: makes the text."""
        now = time.monotonic()
        if now - self._shown_at < self._seconds_between:
            return
        self._shown_at = now
        text = describe()
        if not self._live:
            self.line(text)
            return
        if share is not None:
            done = round(min(share, 1.0) * BAR_WIDTH)
            text = f"[{'#' * done}{'-' * (BAR_WIDTH - done)}] {text}"
        text = _ascii(text)[: shutil.get_terminal_size().columns - 1]
        self._out.write("\r" + text.ljust(self._width))
        self._out.flush()
        self._width = len(text)

    def table(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Rows of a name, a figure and what it means."""
        names = max(len(name) for name, _, _ in rows)
        figures = max(len(figure) for _, figure, _ in rows)
        for name, figure, meaning in rows:
            self.line(f"{name:<{names}}  {figure:>{figures}}  {meaning}".rstrip())

    def _clear(self) -> None:
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._width = 0


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
