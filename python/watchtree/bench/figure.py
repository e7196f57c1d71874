"""What a benchmark measured: one number, read and written as a line of JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number, as both ends, the peers and the reference write it."""

    workload: str
    config: str
    rate: float | None
    """The median of the rounds; None where only memory is measured."""
    unit: str
    bytes_per_watch: float | None
    min: float
    max: float
    rounds: int

    @property
    def number(self) -> float:
        """The rate, or the bytes for a watch where there is none."""
        number = self.bytes_per_watch if self.rate is None else self.rate
        assert number is not None, f"{self.workload} has neither a rate nor bytes"
        return number

    @property
    def smaller_is_better(self) -> bool:
        """For bytes and times."""
        return self.unit in ("bytes/watch", "ns")

    @classmethod
    def from_json(cls, line: str) -> Figure:
        """The figure of one line; what other programs say beside it is passed over. ValueError where something is missing."""
        found = json.loads(line)
        try:
            return cls(*(found[key] for key in cls._fields))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it needs the keys {', '.join(cls._fields)}") from error

    def to_json(self) -> str:
        """One line."""
        return json.dumps(self._asdict())


def figure_of(workload: str, config: str, unit: str, rates: list[float]) -> Figure:
    """The figure of these rounds."""
    return Figure(workload, config, statistics.median(rates), unit, None, min(rates), max(rates), len(rates))


def read_figures(path: Path) -> Iterator[Figure]:
    """The figures in a file of JSON lines. ValueError for any other file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield Figure.from_json(line)
        except ValueError as error:
            raise ValueError(
                f"line {number} of {path} is no figure ({error}); give what `watchtree bench --json` wrote"
            ) from None
