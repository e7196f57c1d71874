"""The readable side of a benchmark: a table of figures, beside their limits or beside those of an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from watchtree.bench.figure import Figure
from watchtree.bench.limits import multiple


def number(value: float, unit: str) -> str:
    """1234567 notifications/s: 1.23 M; bytes and times as they are."""
    if unit == "bytes/watch":
        return f"{value:.1f} B"
    if unit == "ns":
        for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
            if value >= size:
                return f"{value / size:.3g} {name}"
        return f"{value:.3g} ns"
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


HEAD = ("figure", "of", "measured", "least - greatest", "unit", "")


def row(end: str, figure: Figure, limits: Iterable[Figure]) -> Sequence[str]:
    """A line of the table."""
    bound = multiple(end, figure, limits)
    remark = "" if bound is None else f"{bound[0]:.1f} x {bound[1]}"
    if figure.rate is not None and figure.bytes_per_watch is not None:
        remark += f", {figure.bytes_per_watch:.1f} B a watch"
    spread = f"{number(figure.min, figure.unit)} - {number(figure.max, figure.unit)}"
    return (figure.workload, figure.config, number(figure.number, figure.unit), spread, figure.unit, remark)


def line(cells: Sequence[str]) -> str:
    """The cells in their columns."""
    return f"{cells[0]:22} {cells[2]:>9}  {cells[3]:>19}  {cells[4]:15}  {cells[5]:28}  {cells[1]}".rstrip()


def comparison(old: Iterable[Figure], new: Iterable[Figure]) -> Iterator[str]:
    """Line by line: how many times better each figure is than the same one of an earlier run, beyond the spread of both."""
    before = {(figure.workload, figure.config): figure for figure in old}
    yield f"{'figure':22} {'before':>9}  {'now':>9}  {'better':>8}  of"
    for figure in new:
        earlier = before.pop((figure.workload, figure.config), None)
        if earlier is None:
            yield f"{figure.workload:22} {'-':>9}  {number(figure.number, figure.unit):>9}  {'new':>8}  {figure.config}"
            continue
        ratio = figure.number / earlier.number
        if figure.smaller_is_better:
            ratio = 1 / ratio
        apart = figure.min > earlier.max or figure.max < earlier.min
        verdict = f"{ratio:.2f} x" if apart else f"({ratio:.2f} x)"
        yield (
            f"{figure.workload:22} {number(earlier.number, figure.unit):>9}  "
            f"{number(figure.number, figure.unit):>9}  {verdict:>8}  {figure.config}"
        )
    for figure in before.values():
        yield f"{figure.workload:22} {number(figure.number, figure.unit):>9}  {'-':>9}  {'gone':>8}  {figure.config}"
    yield "In brackets: the rounds of both overlap, so that it may be chance."
