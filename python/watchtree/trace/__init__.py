"""Traces: every call of a dispatcher and its tree, and what followed, to look at, keep, cut, filter and replay exactly.

    from watchtree.trace import Recorder, Trace

    with Recorder(dispatcher) as recorder:
        ...                                  # whatever the program does
    trace = recorder.trace()
    trace.columns()                          # numpy arrays, which pandas, polars and pyarrow take without a copy
    trace.save("run.wtt")                    # Trace.load("run.wtt")
    trace.replay()                           # a tree and a dispatcher in the same state, or an error where they differ

A recording keeps the newest calls, in memory that is bounded. numpy is needed for columns, cuts and filters alone.
"""

from watchtree._core import Recorder
from watchtree.trace.events import Event
from watchtree.trace.replaying import InvalidTrace, ReplayDiffers, Replayed
from watchtree.trace.trace import Trace

__all__ = ["Event", "InvalidTrace", "Recorder", "ReplayDiffers", "Replayed", "Trace"]
