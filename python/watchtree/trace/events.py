"""What the rows of a trace are."""

from __future__ import annotations

import enum


class Event(enum.IntEnum):
    """What happened: the column `event` of a `Trace`. The other columns of a row hold:

    - all rows: `time` (nanoseconds, by the dispatcher's clock), `call` (the number of the call that it belongs to), and the
      sizes at the end of the call, `changed_holders`, `ready_channels`, `backing_off` and `in_flight`;
    - rows of calls (up to LOST): `index`, the tree's after the call; `coalesced`, how many changes it made that need no
      notification of their own (contract §3); and what the member says below.

    `channel` and `key` are positions in `Trace.channels` and `Trace.keys`, -1 for none. `ticket` is 0 for none. A trace that does
    not begin with the first call knows nothing of what was before: an answer that comes too late for a batch that is not in it
    has no channel, and results for one have no rows.
    """

    PUT = 1
    """A change of the tree: `key`, `outcome` (0, or why it was refused, by the order of the contract's errors), `bytes`."""
    MKDIR = 2
    REMOVE = 3
    COMPARE_AND_SET = 4
    CHANGES = 5
    """`Tree.batch`: `count` of its operations, each of which is a row after it; `outcome` 0, or why all of them were refused."""
    RESTORE = 6
    """`bytes` of the image."""
    SYNC = 7
    """`channel`, `count` of keys, each of which is a row WATCH or UNWATCH; `outcome` as of a change."""
    TOUCH = 8
    """`channel`; `outcome`: its watches."""
    CLOSE = 9
    """`channel`; `outcome`: 1 if it was there."""
    RESET = 10
    DISPATCH = 11
    """A step: `outcome` 1, or 0 if a limit cut something short; `count` items in the busiest of its parts, each of which handles
    `max_batch_size` at most; `duration` without the transport."""
    HAND_OVER = 12
    """A batch goes to the transport: `ticket`, `channel`."""
    ACKNOWLEDGE = 13
    """An answer: `ticket`, `channel`; `outcome`: 1 if it counted, 2 if its number of results was wrong, else 0."""
    RESULTS = 14
    """The same, with `count` results; if it counted, each that is not OK is a row RESULT."""
    REMOVE_ALL = 15
    FAIL = 16
    """A sending failed: `ticket`, `channel`; `outcome`: the Failure, `count`: 1 if it counted."""
    RAISED = 17
    """The same, because the transport raised."""
    LOST = 18
    """A call that was too large for the recording; or one that ended for want of memory, whose other columns are then those of the
    call before."""

    READY = 32
    """`channel` has something to send, and waits for its turn."""
    BATCH = 33
    """A batch was built, and `channel` is in flight: `ticket`, `count` notifications, `bytes` as `Batch.size_bytes`,
    `outcome`: 1 if it was cut. Each notification is a row after it."""
    NOTIFICATION = 34
    """`channel`, `ticket`, `key`, `index`, `outcome`: its State, `bytes` of its value."""
    IDLE = 35
    """`channel` has nothing to send any more, and waited or backed off until now."""
    OVERDUE = 36
    """No answer came in time: `ticket`, `channel`, `outcome`: Failure.TIMEOUT."""
    BACK_OFF = 37
    """`channel` waits after a failure, for `duration` nanoseconds at most."""
    CLOSED = 38
    """`channel` is gone, whatever closed it."""

    WATCH = 64
    """A key of a sync: `channel`, `key`, `index`: the one that the subscriber has."""
    UNWATCH = 65
    RESULT = 66
    """`channel`, `key`, `ticket`, `outcome`: a result that counted and was not OK."""
