"""A recorded rig, and the rows of its trace as tuples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rig import Rig
from watchtree.trace import Event, Recorder, Trace


class RecordedRig(Rig):
    """A rig whose dispatcher is recorded from its first call on."""

    def __init__(self, *, recording: dict[str, Any] | None = None, **limits: Any) -> None:
        super().__init__(**limits)
        self.recorder = Recorder(self.dispatcher, **(recording or {}))

    def trace(self) -> Trace:
        """What was recorded so far."""
        return self.recorder.trace()

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """The rows: the name of each event, and these columns, channels and keys by name."""
        return rows_of(self.trace(), *columns)


def rows_of(trace: Trace, *columns: str) -> list[tuple[Any, ...]]:
    values = trace.columns()
    names = {"channel": trace.channels, "key": trace.keys}

    def shown(column: str, row: int) -> Any:
        value = int(values[column][row])
        if column in names:
            return names[column][value] if value >= 0 else None
        return value

    return [
        (Event(values["event"][row]).name, *(shown(column, row) for column in columns)) for row in range(len(trace))
    ]


@pytest.fixture
def recorded() -> Iterator[RecordedRig]:
    """An empty tree and a dispatcher, recorded."""
    rig = RecordedRig()
    yield rig
    rig.verify()


@pytest.fixture
def make_recorded() -> Callable[..., RecordedRig]:
    """Makes one with other limits; recording: arguments of its Recorder."""
    return RecordedRig
