"""Pictures of what a dispatcher does and did, drawn with matplotlib.

    from watchtree import plot

    plot.timeline(trace)                     # when each channel waited, was in flight, backed off
    plot.queue_lengths(trace)                # how long each queue was
    plot.latency(trace)                      # or dispatcher.stats().latency, or several by name
    plot.coalescing(trace)                   # how many changes needed no notification of their own
    plot.batch_fill(trace)                   # how near batches and steps came to their limits
    plot.tree(dispatcher)                    # the tree, and where watches hang

Each draws on the axes that it is given, or on those of a new figure, and returns them. Nothing is shown and no setting of
matplotlib is changed: `ax.figure.savefig("run.png")` keeps a picture. matplotlib is an extra: `pip install 'watchtree[plot]'`.
"""

try:
    import matplotlib as _matplotlib  # noqa: F401  # here first, so that the error below says what to do
except ImportError as error:
    raise ImportError(
        "watchtree.plot draws with matplotlib, which is not installed; pip install 'watchtree[plot]'"
    ) from error

from watchtree.plot.boxes import tree
from watchtree.plot.channels import timeline
from watchtree.plot.fill import batch_fill
from watchtree.plot.latencies import latency
from watchtree.plot.queues import queue_lengths
from watchtree.plot.windows import coalescing

__all__ = ["batch_fill", "coalescing", "latency", "queue_lengths", "timeline", "tree"]
