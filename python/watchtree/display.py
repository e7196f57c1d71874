"""What a notebook shows of the public objects: small HTML, escaped, bounded however large the object is.

The `_repr_html_` methods, those of the native classes too, call these functions. No colours, so that both light and
dark themes work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from watchtree.errors import WatchTreeError
from watchtree.records import Node
from watchtree.stats import ChannelStats, Counters, DispatcherStats, Histogram, SubscriberStats
from watchtree.words import State

if TYPE_CHECKING:
    from watchtree._core import Batch, Dispatcher, Tree
    from watchtree.trace import Trace

MAX_TREE_NODES = 200
MAX_ROWS = 50
MAX_TEXT = 80
"""Most characters shown of one key or value."""


class NodeList(list[Node]):
    """The answer of `Tree.list`: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return nodes_html(self)


def tree_html(tree: Tree) -> str:
    """A tree that folds, with at most MAX_TREE_NODES nodes. Cost: one `list` for each directory shown."""
    lines, shown = [], 0

    def show(directory: str) -> None:
        nonlocal shown
        try:
            children = tree.list(directory)
        except WatchTreeError:
            return  # removed, or made a value, by another thread since its parent was listed
        for position, child in enumerate(children):
            if shown == MAX_TREE_NODES:
                lines.append(f"<li>… {len(children) - position:,} more here</li>")
                return
            shown += 1
            name = _text(child.key.rpartition(".")[2])
            if child.is_directory:
                lines.append(f"<li><details><summary>{name}</summary><ul>")
                show(child.key)
                lines.append("</ul></details></li>")
            else:
                lines.append(f"<li>{name} = {_value(child.value)} <small>@{child.update_index}</small></li>")

    show("")
    head = f"Tree {tree.id}: {len(tree):,} nodes, index {tree.index:,}"
    return f"<details open><summary>{escape(head)}</summary><ul>{''.join(lines)}</ul></details>"


def nodes_html(nodes: Sequence[Node]) -> str:
    """A table of nodes, MAX_ROWS of them."""
    rows = [
        (
            _text(node.key),
            "directory" if node.is_directory else _value(node.value),
            str(node.create_index),
            str(node.update_index),
        )
        for node in nodes[:MAX_ROWS]
    ]
    return table(("key", "value", "create_index", "update_index"), rows, len(nodes))


def batch_html(batch: Batch) -> str:
    """A batch and its notifications, MAX_ROWS of them."""
    head = f"batch {batch.ticket} of epoch {batch.epoch} for channel {batch.channel!r}: {len(batch)} notifications, "
    head += f"{batch.size_bytes:,} bytes" + (", more to come" if batch.more else "")
    rows = []
    for position in range(min(len(batch), MAX_ROWS)):
        note = batch[position]
        state = State(note.state)
        shown = _value(note.value) if state is State.VALUE else ""
        rows.append((_text(note.key), state.name, str(note.index), shown))
    return f"<p>{escape(head)}</p>{table(('key', 'state', 'index', 'value'), rows, len(batch))}"


def dispatcher_html(dispatcher: Dispatcher) -> str:
    """A dispatcher's `stats`, under a line that names its tree."""
    return f"<p>{escape(f'Dispatcher of tree {dispatcher.tree.id}')}</p>{stats_html(dispatcher.stats())}"


def stats_html(stats: Counters) -> str:
    """A table of everything that `Dispatcher.stats` or `Dispatcher.channel` counted."""
    return table(("", ""), [(escape(name), escape(text)) for name, text in _figures(stats)], 0)


def subscriber_html(stats: SubscriberStats) -> str:
    """A table of everything that `Subscriber.stats` counted."""
    figures = [(each.name.replace("_", " "), f"{getattr(stats, each.name):,}") for each in dataclasses.fields(stats)]
    return table(("", ""), figures, 0)


def trace_html(trace: Trace) -> str:
    """A table of how many rows a trace has of each event; without numpy, what it is as text."""
    try:
        counts = trace.counts()
    except ImportError:
        return escape(repr(trace))
    rows = [(name.lower().replace("_", " "), f"{count:,}") for name, count in counts.items()]
    return f"<p>{escape(repr(trace))}</p>{table(('event', 'rows'), rows, 0)}"


def _figures(stats: Counters) -> Iterable[tuple[str, str]]:
    if isinstance(stats, DispatcherStats):
        yield "epoch", str(stats.epoch)
        yield "channels, watches, holders", f"{stats.channels:,}, {stats.watches:,}, {stats.holders:,}"
        yield (
            "changed holders, ready channels, backing off, in flight",
            f"{stats.changed_holders:,}, {stats.ready_channels:,}, {stats.backing_off:,}, {stats.in_flight:,}",
        )
        yield "steps, unfinished", f"{stats.steps:,}, {stats.unfinished_steps:,}"
        yield "step time", _durations(stats.step_time)
        yield "ignored answers", f"{stats.ignored_answers:,}"
        yield "silent channels closed", f"{stats.silent_channels:,}"
    elif isinstance(stats, ChannelStats):
        yield "channel", _short(stats.name)
        yield "state", stats.state + (f", ticket {stats.ticket}" if stats.ticket is not None else "")
        yield "watches, ready", f"{stats.watches:,}, {stats.ready_watches:,}"
        yield "backing off, notifications in flight", f"{stats.backing_off:,}, {stats.in_flight:,}"
        yield "failures in a row", f"{stats.failure_count:,}"
    yield "batches sent, acknowledged", f"{stats.batches_sent:,}, {stats.batches_acknowledged:,}"
    yield "notifications sent, acknowledged", f"{stats.sent:,}, {stats.acknowledged:,}"
    yield "resent, coalesced, watch errors", f"{stats.resent:,}, {stats.coalesced:,}, {stats.watch_errors:,}"
    yield "failures", ", ".join(f"{name} {count:,}" for name, count in stats.failures.items() if count) or "none"
    yield "success rate", f"{stats.success_rate:.2%}"
    yield "latency, change to acknowledgement", _durations(stats.latency)


def _durations(histogram: Histogram) -> str:
    if not histogram.total:
        return "none"
    points = ", ".join(f"p{percent} {_seconds(histogram.percentile(percent))}" for percent in (50, 99))
    return f"{points} of {histogram.total:,}"


def _seconds(seconds: float) -> str:
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e6:.3g} µs"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> str:
    """rows: cells that are HTML already. total: of how many rows these are the first ones."""
    lines = ["<table>"]
    if any(head):
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    if total > len(rows):
        lines.append(f'<tr><td colspan="{len(head)}">… {total - len(rows):,} more</td></tr>')
    return "".join(lines) + "</table>"


def _value(value: bytes | None) -> str:
    """A value as text where it is printable UTF-8, else as Python writes bytes; with its size where it is cut."""
    if value is None:
        return ""
    start = value[: 4 * MAX_TEXT]
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        cut_inside_a_character = len(start) < len(value) and error.start > len(start) - 4
        text = start[: error.start].decode() if cut_inside_a_character else ascii(start)
    if not text or not text.isprintable():
        text = ascii(start)
    if len(value) <= len(start) and len(text) <= MAX_TEXT:
        return f"<code>{escape(text)}</code>"
    return f"<code>{escape(text[:MAX_TEXT])}…</code> <small>{len(value):,} bytes</small>"


def _text(text: str) -> str:
    return escape(_short(text))


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
