"""The end of a demonstration: what every subscriber holds, compared with the tree, and the table of figures."""

from __future__ import annotations

from collections.abc import Sequence

from watchtree import Dispatcher, Tree
from watchtree.cli.connections import Connections
from watchtree.cli.faults import Fault, Faults
from watchtree.cli.network import Network
from watchtree.cli.subscribers import Held, Subscriber, truth

MAX_DETAILS = 10
KEYS_AT_ONCE = 500
"""Keys read from the tree in one call: their values are copied."""


class Outcome:
    """Compares when it is made. The tree and the dispatcher must be quiet then."""

    def __init__(
        self,
        tree: Tree,
        dispatcher: Dispatcher,
        subscribers: Sequence[Subscriber],
        faults: Faults,
        network: Network,
        connections: Connections,
        errors: Sequence[str],
    ) -> None:
        truths = _truths(tree, subscribers)
        self.lost = [line for subscriber in subscribers for line in subscriber.differences(truths)]
        self.duplicates = [line for subscriber in subscribers for line in subscriber.duplicates]
        self.errors = list(errors)
        self._stats = dispatcher.stats()
        self._memory = dispatcher.memory()["total"]
        self._subscribers = subscribers
        self._faults = faults
        self._sendings = network.sendings
        self._dropped_connections = connections.dropped

    @property
    def failed(self) -> bool:
        """Whether anything was lost or repeated, or an error came up that nobody had planned."""
        return bool(self.lost or self.duplicates or self.errors)

    def rows(self, changes: int) -> list[tuple[str, str, str]]:
        """The table: name, figure, meaning."""
        stats = self._stats
        delivered = sum(subscriber.delivered for subscriber in self._subscribers)
        dropped = sum(subscriber.dropped for subscriber in self._subscribers)
        rows = [
            ("subscribers", f"{len(self._subscribers):,}", f"with {stats.watches:,} watches"),
            ("changes", f"{changes:,}", "of the tree"),
            ("sendings", f"{self._sendings:,}", "batches given to the transport"),
            ("connections dropped", f"{self._dropped_connections:,}", "and resumed"),
        ]
        rows += [(f"fault: {fault.name.lower()}", f"{self._faults.counts[fault]:,}", fault.value) for fault in Fault]
        rows += [
            ("delivered", f"{delivered:,}", "notifications that told something new"),
            ("coalesced", f"{stats.coalesced:,}", "changes that needed none of their own, per watch"),
            ("resent", f"{stats.resent:,}", "notifications not acknowledged the first time"),
            ("dropped as old", f"{dropped:,}", "notifications that arrived again"),
            ("duplicates", f"{len(self.duplicates):,}", "sent though acknowledged; must be 0"),
            ("lost", f"{len(self.lost):,}", "watches that differ from the tree; must be 0"),
            ("errors", f"{len(self.errors):,}", "not made on purpose; must be 0"),
            (
                "p50 latency",
                _milliseconds(stats.latency.percentile(50)),
                "change to acknowledgement, half within this",
            ),
            ("p99 latency", _milliseconds(stats.latency.percentile(99)), "99 of 100 within this"),
            (
                "memory per watch",
                f"{self._memory / max(stats.watches, 1):,.0f} B",
                "of the dispatcher, without the tree",
            ),
        ]
        return rows

    def details(self) -> list[str]:
        """What went wrong, the first few of each kind; or that nothing did."""
        if not self.failed:
            return ["nothing was lost and nothing repeated"]
        lines = []
        for name, found in (("duplicate", self.duplicates), ("lost", self.lost), ("error", self.errors)):
            lines += [f"{name}: {line}" for line in found[:MAX_DETAILS]]
            if len(found) > MAX_DETAILS:
                lines.append(f"{name}: and {len(found) - MAX_DETAILS:,} more")
        return lines


def _truths(tree: Tree, subscribers: Sequence[Subscriber]) -> dict[str, Held]:
    keys = list({key: None for subscriber in subscribers for key in subscriber.keys})
    return {
        key: truth(node)
        for start in range(0, len(keys), KEYS_AT_ONCE)
        for some in [keys[start : start + KEYS_AT_ONCE]]
        for key, node in zip(some, tree.get_many(some), strict=True)
    }


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"
