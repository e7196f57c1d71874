"""The workloads of the Python end: every batch is one call of a Python function, which acknowledges it.

Those of the native end (cpp/bench), of fewer rounds or subscribers where Python would take minutes, and two on what is done with
a batch.
"""

from __future__ import annotations

from watchtree.bench.callbacks import batches, changes, connections, cores, latency, sizes
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
}
"""What can be measured, each with a number of rounds."""
