"""A running dispatcher in a notebook: its queues and rates, again and again, while other cells run.

from watchtree.live import LiveView

view = LiveView(dispatcher)
view                # shown below the cell, and brought up to date until view.stop(), or for view.seconds at most
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from itertools import pairwise
from typing import Any

from watchtree._core import Dispatcher
from watchtree.display import table
from watchtree.stats import DispatcherStats

SAMPLES = 60
"""How many of the last measurements a row draws."""

QUEUES = ("changed_holders", "ready_channels", "in_flight", "backing_off")
COUNTS = ("sent", "acknowledged", "resent", "coalesced")


class LiveView:
    """A view of a dispatcher that a notebook brings up to date by itself.

    A thread of its own reads `dispatcher.stats()` and sends the notebook a small table. Interrupting the kernel ends a cell,
    not the view. It ends after `seconds`, by `stop()`, when the dispatcher is gone, and when the notebook takes nothing any
    more. Shown again, it begins again.

    seconds: how long, more than 0. interval: between two measurements, in seconds, more than 0. Cost: one `stats()` and some
    kilobytes for each.
    """

    def __init__(self, dispatcher: Dispatcher, *, seconds: float = 60.0, interval: float = 0.5) -> None:
        for name, value in (("seconds", seconds), ("interval", interval)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value!r}; give a number of seconds greater than 0")
        self.seconds = seconds
        self.interval = interval
        self._dispatcher = weakref.ref(dispatcher)
        self._history: deque[tuple[float, DispatcherStats]] = deque(maxlen=SAMPLES + 1)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it is brought up to date."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Leave what is shown as it is now. Waits for the measurement that is being made."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        self.stop()
        self._stopping = threading.Event()
        self._measure()
        handle = display(HTML(self._repr_html_()), display_id=True)
        if handle is None:
            return  # no notebook: a terminal, which cannot show it again in the same place
        self._thread = threading.Thread(
            target=self._follow, args=(handle, HTML, self._stopping), name="watchtree.LiveView", daemon=True
        )
        self._thread.start()

    def _follow(self, handle: Any, html: type, stopping: threading.Event) -> None:
        until = time.monotonic() + self.seconds
        while not stopping.wait(min(self.interval, max(0.0, until - time.monotonic()))):
            over = time.monotonic() >= until or not self._measure()
            try:
                handle.update(html(self._repr_html_(over=over)))
            except Exception:
                return  # the notebook has gone; there is nobody to tell
            if over:
                return

    def _measure(self) -> bool:
        dispatcher = self._dispatcher()
        if dispatcher is None:
            return False
        self._history.append((time.monotonic(), dispatcher.stats()))
        return True

    def _repr_html_(self, *, over: bool = False) -> str:
        history = list(self._history)
        if not history:
            return "<p>nothing measured yet</p>"
        now = history[-1][1]
        rows = [
            (f"{now.channels:,} channels, {now.watches:,} watches", "", ""),
            *((name.replace("_", " "), *_sizes([getattr(stats, name) for _, stats in history])) for name in QUEUES),
            *((f"{name} a second", *_sizes(_rates(history, name))) for name in COUNTS),
        ]
        head = ("it stands still" if over else "live", "now", f"the last {len(history) - 1} measurements")
        return table(head, rows, len(rows))


def _rates(history: list[tuple[float, DispatcherStats]], name: str) -> list[float]:
    """What was counted between two measurements, a second."""
    return [
        (getattr(stats, name) - getattr(before, name)) / (at - earlier)
        for (earlier, before), (at, stats) in pairwise(history)
        if at > earlier
    ]


def _sizes(numbers: list[float]) -> tuple[str, str]:
    """The newest, and a line of bars of all, the largest of them in full height."""
    if not numbers:
        return "", ""
    bars = "▁▂▃▄▅▆▇█"
    most = max(numbers)
    line = "".join(bars[round(number / most * (len(bars) - 1))] if most > 0 else bars[0] for number in numbers)
    return f"{numbers[-1]:,.0f}", f"{line} <small>to {most:,.0f}</small>"
