"""The workloads of the Python end: every batch is one call of a Python function, which acknowledges it.

Those of the native end (cpp/bench), of fewer rounds or subscribers where Python would take minutes, two on what is done with a
batch, and one on what it costs to be recorded.
"""

from __future__ import annotations

from watchtree.bench.callbacks import batches, changes, connections, cores, latency, record, sizes
from watchtree.bench.rounds import Measured, timed

WORKLOADS: dict[str, Measured] = {
    "fanout": timed(changes.fanout),
    "spread": timed(changes.spread),
    "spread_batch": timed(changes.spread_batch),
    "coalesce": timed(changes.coalesce),
    "directory": timed(changes.directory),
    "register": timed(connections.register),
    "memory": sizes.memory,
    "churn": timed(connections.churn),
    "failures": timed(connections.failures),
    "latency": timed(latency.of_one, latency.of_many),
    "cores": cores.cores,
    "scale": sizes.scale,
    "python_read": timed(batches.python_read),
    "python_encode": timed(batches.python_encode),
    "record": timed(record.of_puts, record.of_notifications),
}
"""What can be measured, each with a number of rounds."""
