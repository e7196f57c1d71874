"""A trace, to be looked at, kept and replayed."""

from __future__ import annotations

import contextlib
import math
import os
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from watchtree._core import Batch, Log
from watchtree.config import Config
from watchtree.trace.events import Event
from watchtree.trace.replaying import InvalidTrace, Replayed, replay

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Columns = dict[str, npt.NDArray[np.generic]]

MAGIC: Final = b"WTTR"
VERSION: Final = 1


class Trace:
    """What a `Recorder` recorded, one row for each event (see `Event`), oldest first. Never changes.

    log: from a Recorder. Columns are made when they are first asked for.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._columns: Columns | None = None
        self._channels: list[str] = []
        self._keys: list[str] = []
        self._is_filtered = False

    # Files.

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """A trace from a file made by `save`. Errors: OSError, InvalidTrace."""
        with open(path, "rb") as file:
            data = file.read()
        name = repr(os.fspath(path))
        if data[:4] != MAGIC:
            raise InvalidTrace(f"{name} is no trace; give a file that Trace.save wrote")
        if data[4:5] != bytes([VERSION]):
            version = data[4:5].hex() or "none"
            raise InvalidTrace(f"{name} is a trace of version {version}; this watchtree reads version {VERSION}")
        try:
            log = Log.from_bytes(_unpack(data[5:]))
            if log is not None:
                _ = log.config  # made of limits that a Config may have, or a ValueError
                return cls(log)
        except (ValueError, zlib.error):
            pass
        raise InvalidTrace(f"{name} is damaged; save the trace again")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, compressed: some 10 bytes a call. A file that is there is replaced once the new one is whole.

        Errors: OSError, InvalidTrace for one that was filtered.
        """
        if self._is_filtered:
            raise InvalidTrace("a filtered trace has rows without their calls; save the whole one, and filter it again")
        data = MAGIC + bytes([VERSION]) + _pack(self._log.to_bytes())
        part = f"{os.fspath(path)}.part"
        try:
            with open(part, "wb") as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(part)
            raise

    # Rows.

    def columns(self) -> Columns:
        """The columns by name: numpy arrays of the same length, which cannot be written to. See `Event` for what they hold.

        `pandas.DataFrame(trace.columns())`, `polars.DataFrame(...)` and `pyarrow.table(...)` take them without a copy.
        Cost: O(bytes) the first time, 89 bytes a row. Errors: ImportError without numpy.
        """
        return dict(self._all_columns())

    @property
    def channels(self) -> list[str]:
        """The names that the column `channel` has positions of."""
        self._all_columns()
        return self._channels

    @property
    def keys(self) -> list[str]:
        """The keys that the column `key` has positions of."""
        self._all_columns()
        return self._keys

    def __len__(self) -> int:
        return len(self._all_columns()["time"])

    def _all_columns(self) -> Columns:
        if self._columns is None:
            import numpy as np

            columns, self._channels, self._keys = self._log.columns()
            self._columns = {name: np.asarray(column) for name, column in columns.items()}
        return self._columns

    def _with(self, rows: Any, log: Log, is_filtered: bool) -> Trace:
        part = Trace(log)
        part._columns = {name: column[rows] for name, column in self._all_columns().items()}
        for column in part._columns.values():
            column.flags.writeable = False
        part._channels, part._keys = self._channels, self._keys
        part._is_filtered = is_filtered
        return part

    # Parts.

    def cut(self, begin: float | None = None, end: float | None = None) -> Trace:
        """The calls from `begin` up to `end`, with what followed from them: views, no copies.

        begin, end: seconds since the first row of this trace; None: its own. A cut that starts where this trace starts can
        still be replayed. Errors: InvalidTrace for a trace that was filtered.
        """
        if self._is_filtered:
            raise InvalidTrace("a filtered trace has rows without their calls; cut the whole one, then filter")
        import numpy as np

        columns = self._all_columns()
        time, call = columns["time"], columns["call"]
        if len(time) == 0:
            return self
        sides = [None if at is None else _moment(int(time[0]), at) for at in (begin, end)]
        rows = [
            default if at is None else int(np.searchsorted(time, at))
            for at, default in zip(sides, (0, len(time)), strict=True)
        ]
        start, stop = rows[0], max(rows)
        calls = [int(call[row]) if row < len(call) else int(call[-1]) + 1 for row in (start, stop)]
        return self._with(slice(start, stop), self._log.cut(*calls), False)

    def filter(
        self,
        *,
        channel: str | Iterable[str] | None = None,
        key: str | Iterable[str] | None = None,
        event: Event | Iterable[Event] | None = None,
        below: str | None = None,
    ) -> Trace:
        """The rows that fit all of these, each one or several; copies. A filtered trace is for looking at alone.

        channel: names of channels. key: keys. event: what happened. below: this key and all below it.
        Names that do not occur in the trace fit nothing.
        """
        import numpy as np

        columns = self._all_columns()
        fits = np.ones(len(self), dtype=bool)
        if channel is not None:
            fits &= np.isin(columns["channel"], _positions(self._channels, channel))
        if key is not None:
            fits &= np.isin(columns["key"], _positions(self._keys, key))
        if event is not None:
            fits &= np.isin(columns["event"], _events(event))
        if below is not None:
            inside = [
                position for position, name in enumerate(self._keys) if not below or f"{name}.".startswith(f"{below}.")
            ]
            fits &= np.isin(columns["key"], inside)
        return self._with(fits, self._log, True)

    # What it is.

    @property
    def config(self) -> Config:
        """The dispatcher's limits and intervals; without its `on_error`."""
        return self._log.config

    @property
    def dropped(self) -> int:
        """Calls that are not in it any more: the recording needed their room, or they were cut away."""
        return self._log.first_call

    @property
    def replayable(self) -> bool:
        """Whether it holds every call since the dispatcher was made, with all values."""
        return self._log.replayable and not self._is_filtered

    def replay(self, *, calls: int | None = None, send: Callable[[Batch], object] | None = None) -> Replayed:
        """Make its calls again, on a new tree and a new dispatcher, and compare all that follows with what was recorded.

        calls: only the first ones, 0 or more; None: all. send: a transport for the new dispatcher, which is not called for
        what the trace handed over, but for all that is sent after it; None: one that never answers.
        Errors: InvalidTrace if it cannot be replayed, ReplayDiffers if something else follows. Cost: as of the calls.
        """
        if not self.replayable:
            raise InvalidTrace(
                "this trace cannot be replayed: it lacks calls or values. Record from before the dispatcher's first call on, with "
                "for_replay=True and a larger max_bytes, and do not filter"
            )
        if calls is not None and (isinstance(calls, bool) or not isinstance(calls, int) or calls < 0):
            raise ValueError(f"calls is {calls!r}; give how many calls to make, 0 or more, or None")
        return replay(self._log, calls, send)

    def counts(self) -> dict[str, int]:
        """How many rows there are of each event, by its name; of those that occur."""
        import numpy as np

        events, counts = np.unique(self._all_columns()["event"], return_counts=True)
        return {Event(event).name: int(count) for event, count in zip(events, counts, strict=True)}

    def __repr__(self) -> str:
        parts = [f"{self._log.size_bytes} bytes", f"{self.dropped} calls dropped" if self.dropped else ""]
        parts += ["filtered" if self._is_filtered else "replayable" if self.replayable else "not replayable"]
        return f"<watchtree.trace.Trace {', '.join(part for part in parts if part)}>"

    def _repr_html_(self) -> str:
        from watchtree.display import trace_html

        return trace_html(self)


def _positions(names: list[str], wanted: str | Iterable[str]) -> list[int]:
    chosen = {wanted} if isinstance(wanted, str) else set(wanted)
    return [position for position, name in enumerate(names) if name in chosen]


def _events(wanted: Event | Iterable[Event]) -> list[int]:
    if isinstance(wanted, str):
        raise TypeError(f"event is {wanted!r}; give an Event, such as Event.{wanted.upper() or 'PUT'}, or several")
    return [int(each) for each in wanted] if isinstance(wanted, Iterable) else [int(wanted)]


def _moment(start: int, seconds: float) -> int:
    """Nanoseconds by the dispatcher's clock, which has none below 0 nor beyond 2^63."""
    if math.isnan(seconds):
        raise ValueError("a cut begins and ends at seconds; nan is no time")
    last = (1 << 63) - 1
    if abs(seconds) >= last / 1e9:
        return last if seconds > 0 else 0
    return min(max(start + round(seconds * 1e9), 0), last)


# In a file: how many bytes there are, so that one that was cut or padded is no other trace, then the bytes, compressed.


def _pack(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + zlib.compress(data)


def _unpack(data: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size >= 1 << 62:
        raise ValueError("nobody wrote that size")
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(data[8:], size + 1)
    if len(content) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError("it has another size")
    return content
