"""The native core of watchtree: tree, watches, dispatch and subscriber (cpp/CONTRACT.md, §1 to §4). Import it as `watchtree`."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import final

from watchtree.config import Config
from watchtree.records import Holder, Node, Notification, Operation, Synced
from watchtree.stats import ChannelStats, DispatcherStats, SubscriberStats
from watchtree.subscribing import Action, Event
from watchtree.trace.trace import Trace
from watchtree.words import Failure, RemoveAllWatches, Result

build_type: str
"""How the core was compiled: "release", or "checked" with its assertions on."""

def workloads() -> tuple[str, ...]:
    """The names of the native workloads of `watchtree bench`, in the order in which they are run."""

def measure(
    workload: str,
    rounds: int,
    tell: Callable[[str, str, float | None, str, float | None, float, float, int], object],
) -> None:
    """Run one of `workloads()`, without the GIL. Takes seconds to minutes; Ctrl-C ends it between two rounds.

    rounds: how many are timed, 1 or more, after one that is not, else ValueError. tell: called with each figure: workload,
    config, median rate, its unit, bytes for a watch, least and greatest rate, rounds. What it raises ends the run.
    """

@final
class ManualClock:
    """A clock that stands still until it is moved, for tests and simulations. Any thread.

    start_ns: the first reading, in nanoseconds, 0 or more.
    """

    def __init__(self, start_ns: int = 0) -> None: ...
    def __call__(self) -> int:
        """The time in nanoseconds."""

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        seconds: finite, not negative, and the time stays below 2^63 ns, else ValueError.
        """

@final
class Tree:
    """A hierarchical key-value tree, each change of which has an index (contract §1). Any thread.

    A key is `str`, parts joined by `.`; the root is `""`. Every change returns its index and takes `index=`: an int greater
    than the tree's (else StaleIndex), or None to count on by one. A failed change leaves everything as it was.

    config: its `max_key_bytes` and `max_value_bytes` are the tree's limits; None: the defaults.
    """

    def __init__(self, *, config: Config | None = None) -> None: ...
    @staticmethod
    def from_snapshot(image: bytes, *, config: Config | None = None) -> Tree:
        """A new tree from an image made by `snapshot`, with its id and index.

        Errors: InvalidSnapshot. Cost: O(nodes).
        """

    @property
    def id(self) -> uuid.UUID:
        """Made at random with the tree, kept by its snapshots (contract §2)."""

    @property
    def index(self) -> int:
        """The index of the last change, 0 before the first."""

    def put(self, key: str, value: bytes, *, parents: bool = False, index: int | None = None) -> int:
        """Set the value of a key, new or not; the index of the change.

        value: bytes or any object with a contiguous buffer, copied once. parents: make missing directories above.
        Errors: InvalidKey, KeyTooLong, ValueTooLong, StaleIndex, ParentNotFound, ParentNotDirectory, IsDirectory.
        Cost: one lookup and a step for each part of the key.
        """

    def mkdir(self, key: str, *, parents: bool = False, index: int | None = None) -> int:
        """Make a directory; the index of the change. parents: make missing directories above.

        Errors: InvalidKey, KeyTooLong, StaleIndex, ParentNotFound, ParentNotDirectory, DirectoryExists, ValueExists.
        """

    def remove(self, key: str, *, recursive: bool = False, index: int | None = None) -> int:
        """Remove a node; the index of the change. recursive: with everything below it, as one change.

        Errors: InvalidKey (also for the root), KeyTooLong, StaleIndex, NotFound, HasChildren. Cost: O(nodes removed).
        """

    def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes | None, *, index: int | None = None
    ) -> int:
        """Set a value only where the current one is the expected one; the index of the change.

        expected: None: the key is missing. value: None: remove the key.
        Errors: InvalidKey, KeyTooLong, ValueTooLong, StaleIndex, CompareFailed, IsDirectory, NotFound, ParentNotFound,
        ParentNotDirectory.
        """

    def batch(self, operations: Iterable[Operation], *, index: int | None = None) -> list[int | Exception]:
        """Do several changes under one index, seen together by watchers.

        operations: Put, Mkdir, Remove, CompareAndSet. Answers an entry for each: the index, or the exception that the
        operation alone would have raised. Errors of the whole: StaleIndex, TypeError for an item that is no operation.
        """

    def get(self, key: str) -> Node:
        """Read one node. Errors: InvalidKey, KeyTooLong, NotFound."""

    def get_many(self, keys: Iterable[str]) -> list[Node | None]:
        """Read several nodes at one moment, None for each that is missing. Errors: InvalidKey, KeyTooLong."""

    def list(self, key: str = "") -> list[Node]:
        """The children of a directory in key order, read at one moment.

        Errors: InvalidKey, KeyTooLong, NotFound, NotDirectory. Cost: O(children).
        """

    def snapshot(self) -> bytes:
        """A consistent image of the tree, for `restore` and `from_snapshot` (contract §1).

        Cost: O(nodes); the tree is locked while the nodes are listed, not while the image is written.
        """

    def restore(self, image: bytes) -> None:
        """Replace the tree by an image, whole or not at all; take its id and index; reset every dispatcher.

        Errors: InvalidSnapshot. Cost: O(nodes).
        """

    def verify(self) -> None:
        """Check the invariants of every structure below; for tests. Raises AssertionError naming the one that is broken."""

    def __len__(self) -> int:
        """Number of nodes below the root."""

    def __contains__(self, key: object) -> bool: ...
    def __iter__(self) -> Iterator[str]:
        """The keys below the root in key order, as they were at this moment."""

    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

@final
class Batch:
    """One sending: the newest states of what one channel watches (contract §3). Made by a dispatcher, for the transport.

    A sequence of Notification, made when looked at. It is to be answered once, now or later, from any thread, by
    `acknowledge`, `remove_all` or `fail`, or through `Dispatcher.answer(batch.ticket, ...)`. An answer that comes late or
    again changes nothing; it is counted in `stats().ignored_answers`, and the call returns False.
    """

    @property
    def channel(self) -> str:
        """The name of the channel that it is for."""

    @property
    def ticket(self) -> int:
        """Names this sending; counted from 1 in the dispatcher."""

    @property
    def epoch(self) -> int:
        """The dispatcher's epoch at the sending, from 1."""

    @property
    def more(self) -> bool:
        """True if `max_batch_bytes` cut it: the rest follows as soon as this one is acknowledged."""

    @property
    def size_bytes(self) -> int:
        """24 + key + value, in bytes, over all its notifications."""

    def acknowledge(self, results: Sequence[int] | None = None) -> bool:
        """Confirm this sending (contract §3, Answers). Any thread; safe to repeat. True if the answer counted.

        results: a `Result` for each notification, in the batch's order; None: all OK. A wrong number of them closes the
        channel and is reported to `Config.on_error`. Cost: O(len(self)).
        """

    def remove_all(self) -> bool:
        """Answer that the subscriber watches nothing any more: its channel is closed. True if the answer counted."""

    def fail(self, reason: Failure) -> bool:
        """Answer that the sending failed: it is repeated after a back-off, or the channel is closed (contract §3)."""

    def encode(self) -> bytes:
        """The batch as a `watchtree.v1.NotifyRequest` (protobuf), made without Python objects for its items."""

    def __len__(self) -> int: ...
    def __getitem__(self, position: int, /) -> Notification: ...
    def __iter__(self) -> Iterator[Notification]: ...
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

@final
class Dispatcher:
    """Brings every channel the newest state of what it watches, in bounded steps (contract §2 and §3). Any thread.

    tree: followed for as long as the dispatcher lives. A tree may have several dispatchers, each with its own channels.
    send: the transport, called with one Batch at a time while no lock is held; it may call anything back. An exception
    from it is a failed sending of that batch and goes to `Config.on_error`; one that is no Exception, such as
    KeyboardInterrupt, is raised from the call that was sending.
    config: limits and intervals; None: the defaults. clock: a callable that answers nanoseconds as an int, for instance a
    ManualClock, asked at the dispatcher's calls; None: `time.monotonic_ns`.
    """

    def __init__(
        self,
        tree: Tree,
        send: Callable[[Batch], object],
        *,
        config: Config | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None: ...
    @property
    def tree(self) -> Tree: ...
    @property
    def config(self) -> Config: ...
    @property
    def epoch(self) -> int:
        """Counted from 1, one more after each `reset` and each `Tree.restore`."""

    @property
    def on_work(self) -> Callable[[], object] | None:
        """Called with no lock held, from any thread, when `dispatch` has something to do after it had nothing, and when it
        will have sooner than `next_deadline` and `Config.dispatch_interval` said; or None."""

    @on_work.setter
    def on_work(self, callback: Callable[[], object] | None) -> None: ...
    def sync(self, channel: str, known: Mapping[str, int] | Iterable[tuple[str, int]], replace: bool = False) -> Synced:
        """Register what a channel watches (contract §2), making the channel if need be.

        known: for each key the index that the subscriber has: 0 nothing, -1 stop watching. replace: these are all its
        watches, drop the others. Answers the tree's id and index.
        Errors: InvalidKey, KeyTooLong, DuplicateKey, ValueError for an index out of range; nothing has changed then.
        Cost: O(len(known)), with replace also O(watches of the channel).
        """

    def dispatch(self) -> bool:
        """One bounded step, then the batches go to the transport (contract §3).

        False: a limit cut something short, call again at once. True: call again after `Config.dispatch_interval`, or when
        something changes. Cost: at most `max_batch_size` items for each of five parts.
        """

    def answer(
        self,
        ticket: int,
        results: Sequence[int] | RemoveAllWatches | None = None,
        *,
        failure: Failure | None = None,
    ) -> bool:
        """Answer a sending by its ticket, as `Batch.acknowledge`, `remove_all` and `fail` do. True if the answer counted.

        results: as in `Batch.acknowledge`, or REMOVE_ALL_WATCHES. failure: the reason, with results None (else ValueError).
        """

    def touch(self, channel: str) -> int:
        """A heartbeat: the channel's number of watches, 0 if it is unknown."""

    def close(self, channel: str) -> bool:
        """Close a channel and drop its watches; whether it was there. Cost: O(watches of the channel)."""

    def reset(self) -> None:
        """Start a new epoch with no channels (contract §3)."""

    def stats(self) -> DispatcherStats:
        """The sizes of everything, and what was counted. Cost: constant."""

    def channel(self, name: str) -> ChannelStats:
        """The same for one channel. Errors: UnknownChannel. Cost: constant."""

    def channels(self) -> list[str]:
        """The names of all channels, sorted. Cost: O(n log n)."""

    def watches(self, channel: str) -> dict[str, int]:
        """What a channel watches: the key and its notified index, -1 if never notified, in key order.

        Errors: UnknownChannel. Cost: O(watches of the channel), sorted.
        """

    def holders(self) -> list[Holder]:
        """Where watches hang (contract §2): on nodes and on missing keys, in key order. Cost: O(n log n), a copy of each key."""

    def next_deadline(self) -> float | None:
        """Seconds until `dispatch` has something to do: 0.0 now, None never unless something changes."""

    def memory(self) -> dict[str, int]:
        """Bytes held by each structure: watches, holders, keys, channels, queues, batches; "total" is their sum."""

    def verify(self) -> None:
        """Check the invariants of every structure; for tests. Raises AssertionError naming the one that is broken."""

    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

@final
class Subscriber:
    """Follows keys of one or more trees, each through one of its servers at a time (contract §4). Any thread.

    It opens no connection and reads no socket: it is told what happened, and `actions()` says what to do. Nothing is lost
    and nothing told twice, however servers and answers fail.

    servers: the names of the servers that show the tree, or a mapping from the names of several groups, each with a tree of
    its own, to such names; the first form is the group "". config: heartbeat, answer_timeout, backoff, max_key_bytes and
    on_error are read; None: the defaults. clock: as that of Dispatcher.
    Errors: ValueError if there is no server, or one is named twice in a group.
    """

    def __init__(
        self,
        servers: Iterable[str] | Mapping[str, Iterable[str]],
        *,
        config: Config | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None: ...
    @property
    def config(self) -> Config: ...
    @property
    def listener(self) -> Callable[[Event], object] | None:
        """Called with one event at a time, in their order, from `notified`, with no lock held; or None: then `take` them.

        An exception from it goes to `Config.on_error`, with the group; the event has been told. One that is no Exception,
        such as KeyboardInterrupt, is raised from the call.
        """

    @listener.setter
    def listener(self, callback: Callable[[Event], object] | None) -> None: ...
    def add(self, keys: Iterable[str], group: str = "") -> None:
        """Follow keys, existing or not. One that is followed already is passed over.

        Errors: InvalidKey, KeyTooLong, UnknownGroup; nothing has changed then. Cost: O(keys).
        """

    def remove(self, keys: Iterable[str], group: str = "") -> None:
        """Stop following keys; events of theirs that wait are dropped. One that is not followed is passed over.

        Errors: InvalidKey, KeyTooLong, UnknownGroup; nothing has changed then. Cost: O(keys).
        """

    def actions(self) -> list[Action]:
        """What to do now, each once, in this order. Handles the deadlines that have come.

        Call it after every other call, and when `next_deadline` has passed. Cost: O(groups + servers + keys to be named).
        """

    def next_deadline(self) -> float | None:
        """Seconds until `actions` has something to say: 0.0 now, None never unless something happens."""

    def connected(self, server: str) -> None:
        """A connection asked for by `Connect` is open. Errors: UnknownServer."""

    def connect_failed(self, server: str) -> None:
        """A connection asked for by `Connect` could not be opened. Errors: UnknownServer."""

    def disconnected(self, server: str) -> None:
        """A connection broke. Errors: UnknownServer."""

    def synced(self, request: int, tree_id: uuid.UUID, index: int) -> None:
        """A sync was answered with this tree id and index. Cost: O(1), for another tree than before O(keys)."""

    def touched(self, request: int, watches: int) -> None:
        """A touch was answered with this number of watches."""

    def request_failed(self, request: int, reason: Failure) -> None:
        """A sync or touch failed. NETWORK and TIMEOUT give up the connection, other reasons the server for this group."""

    def notified(
        self, server: str, notifications: Iterable[tuple[str, int, int, bytes | None]], group: str = ""
    ) -> list[Result] | RemoveAllWatches:
        """A batch came. Answers what to answer: a Result for each notification, or REMOVE_ALL_WATCHES.

        notifications: (key, state, index, value), such as the Notifications of a Batch.
        Errors: UnknownServer, UnknownGroup, ValueError for a state or index that cannot be. Cost: O(notifications).
        """

    def take(self) -> Event | None:
        """The next event: the newest state of the key that changed first; None if nothing is new."""

    def known(self, group: str = "") -> dict[str, int]:
        """The keys that are followed, in the order they were added, and the index of each, 0 for nothing."""

    def server(self, group: str = "") -> str | None:
        """The server that the group is with, or is connecting to."""

    def tree(self, group: str = "") -> Synced | None:
        """The answer to the group's last sync."""

    def stats(self) -> SubscriberStats:
        """The sizes of everything, and what was counted. Cost: O(groups + servers)."""

    def verify(self) -> None:
        """Check the invariants of every structure; for tests. Raises AssertionError naming the one that is broken."""

@final
class Recorder:
    """Records the calls of a dispatcher and its tree, and what follows from each, until it is stopped. Any thread.

    dispatcher: recorded by one Recorder at a time, else ValueError. max_bytes: 65,536 to 2^36, all that it keeps of the calls,
    taken as it fills; the oldest calls then make room. for_replay: keep values and an image of the tree too, so that a
    trace from the dispatcher's first call on can be replayed; else only their sizes are kept.
    Used as `with Recorder(dispatcher) as recorder: ...`, or until `stop` or its own end.
    Cost: some 0.1 µs a call and 20 to 30 ns a notification in its batch (`watchtree bench record --end python`); O(nodes) once,
    with for_replay.
    """

    def __init__(self, dispatcher: Dispatcher, *, max_bytes: int = 1 << 26, for_replay: bool = True) -> None: ...
    def stop(self) -> None:
        """Record no more. What was recorded stays. Safe to repeat."""

    def trace(self) -> Trace:
        """What was recorded so far, as a Trace of its own. Cost: a copy, during which the tree is locked."""

    @property
    def is_recording(self) -> bool:
        """False once it was stopped, or the dispatcher is gone."""

    def __enter__(self) -> Recorder: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

@final
class Log:
    """The calls of a recording as bytes, which never change: what a `watchtree.trace.Trace` is made of."""

    @staticmethod
    def from_bytes(data: bytes) -> Log | None:
        """From `to_bytes`; None for any other bytes. Cost: O(bytes), all of which are checked."""

    def to_bytes(self) -> bytes:
        """A file's content, not compressed."""

    def columns(self) -> tuple[dict[str, Column], list[str], list[str]]:
        """The columns by name, the names of channels and those of keys. Cost: O(bytes), 89 bytes a row."""

    def cut(self, begin: int, end: int) -> Log:
        """The calls from the number `begin` up to `end`, which is not in it."""

    def replay(self, dispatcher: Dispatcher, clock: ManualClock, calls: int) -> tuple[int, bool]:
        """Make the first calls again, on a new dispatcher of a tree of `image`, with a clock of its own at 0.

        Answers how many were made, and whether the last one ended otherwise than recorded. Errors: ValueError for a dispatcher
        that was used before, or is being recorded.
        """

    @property
    def config(self) -> Config: ...
    @property
    def tree_limits(self) -> tuple[int, int]:
        """The tree's `max_key_bytes` and `max_value_bytes`, which need not be the dispatcher's."""

    @property
    def image(self) -> bytes:
        """The tree when the recording began, as of `Tree.snapshot`; empty if it was not kept."""

    @property
    def replayable(self) -> bool:
        """Whether it holds every call since the dispatcher was made, with all values."""

    @property
    def first_call(self) -> int:
        """The number of the first call in it, from 0; those before it were dropped, or cut away."""

    @property
    def size_bytes(self) -> int:
        """Bytes of calls and image."""

@final
class Column:
    """One column of a Log, as a read-only buffer: `numpy.asarray` and `memoryview` see its memory, and keep it alive."""
