"""The words of the contract that are numbers on the wire: states, results, failures (cpp/CONTRACT.md, §2 and §3)."""

from __future__ import annotations

import enum
from typing import Final


class State(enum.IntEnum):
    """What a key is (§2)."""

    VALUE = 0
    DIRECTORY = 1
    MISSING = 2


class Result(enum.IntEnum):
    """The answer to one notification of a batch (§3). Any other integer counts as `ERROR`."""

    OK = 0
    REMOVE_WATCH = 1
    ERROR = 2


class Failure(enum.IntEnum):
    """Why a whole batch failed (§3). `CLIENT_ERROR`, `STOPPING` and `COMMAND_NOT_SUPPORTED` close the channel."""

    NETWORK = 0
    TIMEOUT = 1
    CLIENT_ERROR = 2
    STOPPING = 3
    COMMAND_NOT_SUPPORTED = 4
    RAISED = 5


class RemoveAllWatches(enum.Enum):
    """The type of `REMOVE_ALL_WATCHES`, its only value."""

    REMOVE_ALL_WATCHES = "REMOVE_ALL_WATCHES"

    def __repr__(self) -> str:
        return "REMOVE_ALL_WATCHES"


REMOVE_ALL_WATCHES: Final = RemoveAllWatches.REMOVE_ALL_WATCHES
"""An answer in place of results: the subscriber watches nothing any more, close the channel (§3)."""
