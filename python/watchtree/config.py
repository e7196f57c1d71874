"""The limits and intervals of the contract, all of which a user can set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

OnError = Callable[[BaseException, str], None]
"""The type of `Config.on_error`: called with the error, and the channel or group that it belongs to, "" if it belongs to none."""


@dataclass(frozen=True)
class Config:
    """Limits and intervals (contract §1, §3 and §4). Immutable; `dataclasses.replace` makes a changed copy.

    Sizes are bytes, counts are items, times are seconds. A wrong type is a TypeError, a value out of range a ValueError.
    """

    max_key_bytes: int = 8192
    """Longest key, in bytes of UTF-8: 1 to 65,535. Read by `Tree`, `Dispatcher` and `Subscriber`."""
    max_value_bytes: int = 1 << 20
    """Longest value, in bytes: 0 to 2^30. Read by `Tree`."""
    max_batch_size: int = 100
    """Most items that each part of one `dispatch()` handles: 1 to 2^30."""
    max_batch_bytes: int = 80 * 1024
    """Most bytes of one batch, 24 + key + value for each notification: 1 to 2^30. One larger notification goes alone."""
    dispatch_interval: float = 0.5
    """Longest time a `Runner` sleeps between two steps, in seconds."""
    answer_timeout: float = 15.0
    """A batch, a `Subscriber`'s connection or request without an answer for this long has failed, in seconds."""
    channel_timeout: float = 120.0
    """A channel that did not sync, touch or acknowledge for this long is closed, in seconds."""
    heartbeat: float = 60.0
    """How often a `Subscriber` asks its server whether it forgot it, in seconds."""
    backoff: tuple[float, ...] = (1.0, 10.0, 30.0, 60.0)
    """Seconds to wait after the first, second, ... failure in a row; the last one repeats. One to 16 of them."""
    on_error: OnError | None = None
    """Called as `on_error(error, channel)` for an error of the transport or of an answer, or, with the group, for one of a
    `Subscriber`'s listener; None: the logger "watchtree"."""

    def __post_init__(self) -> None:
        _check_int("max_key_bytes", self.max_key_bytes, 1, 65_535)
        _check_int("max_value_bytes", self.max_value_bytes, 0, 1 << 30)
        _check_int("max_batch_size", self.max_batch_size, 1, 1 << 30)
        _check_int("max_batch_bytes", self.max_batch_bytes, 1, 1 << 30)
        for name in ("dispatch_interval", "answer_timeout", "channel_timeout", "heartbeat"):
            _check_seconds(name, getattr(self, name))
        if isinstance(self.backoff, str | bytes) or not hasattr(self.backoff, "__iter__"):
            raise TypeError(f"Config.backoff is {self.backoff!r}; give a sequence of seconds such as (1, 10, 30, 60)")
        object.__setattr__(self, "backoff", tuple(self.backoff))
        if not 1 <= len(self.backoff) <= 16:
            raise ValueError(f"Config.backoff has {len(self.backoff)} intervals; give 1 to 16")
        for seconds in self.backoff:
            _check_seconds("backoff", seconds)
        if self.on_error is not None and not callable(self.on_error):
            raise TypeError(f"Config.on_error is {self.on_error!r}; give a callable (error, channel) or None")


def _check_int(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"Config.{name} is {value!r}; give an int")
    if not low <= value <= high:
        raise ValueError(f"Config.{name} is {value}; give {low} to {high}")


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"Config.{name} is {value!r}; give seconds as a number")
    if not (math.isfinite(value) and 1e-6 <= value <= 1e8):
        raise ValueError(f"Config.{name} is {value}; give 0.000001 to 100,000,000 seconds")
