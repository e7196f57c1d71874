"""watchtree: reliable, resumable watches on a hierarchical key-value tree, inside your program.

A `Tree` holds values under dotted keys; every change has an index. A `Dispatcher` brings each of its channels the
newest state of the keys and directories that the channel watches, acknowledged, without loss or repetition, through
a transport that you give it. A `Runner` drives the dispatcher from a thread or an event loop. A `Subscriber` is the
other end: it follows keys through whichever server answers, and says what to send.

    import watchtree as wt

    tree = wt.Tree()
    dispatcher = wt.Dispatcher(tree, transport)     # transport(batch): sends it, and later batch.acknowledge()
    dispatcher.sync("alice", {"app.db": 0})         # alice watches app.db and has nothing yet
    with wt.Runner(dispatcher):
        tree.put("app.db", b"v1", parents=True)     # transport gets a batch with app.db = b"v1" at index 1

What is promised is written in cpp/CONTRACT.md of the source; docstrings name its sections (§).
"""

from typing import TYPE_CHECKING

from watchtree._core import Batch, Dispatcher, ManualClock, Subscriber, Tree
from watchtree.config import Config, OnError
from watchtree.errors import (
    CompareFailed,
    DirectoryExists,
    DuplicateKey,
    HasChildren,
    InvalidKey,
    InvalidSnapshot,
    IsDirectory,
    KeyTooLong,
    NotDirectory,
    NotFound,
    ParentNotDirectory,
    ParentNotFound,
    StaleIndex,
    UnknownChannel,
    UnknownGroup,
    UnknownServer,
    ValueExists,
    ValueTooLong,
    WatchTreeError,
    WrongResultCount,
)
from watchtree.records import CompareAndSet, Holder, Mkdir, Node, Notification, Operation, Put, Remove, Synced
from watchtree.runner import Runner
from watchtree.stats import ChannelStats, Counters, DispatcherStats, Histogram, SubscriberStats
from watchtree.subscribing import Action, Connect, Disconnect, Event, Sync, Touch
from watchtree.words import REMOVE_ALL_WATCHES, Failure, RemoveAllWatches, Result, State

__all__ = [
    "REMOVE_ALL_WATCHES",
    "Action",
    "Batch",
    "ChannelStats",
    "CompareAndSet",
    "CompareFailed",
    "Config",
    "Connect",
    "Counters",
    "DirectoryExists",
    "Disconnect",
    "Dispatcher",
    "DispatcherStats",
    "DuplicateKey",
    "Event",
    "Failure",
    "HasChildren",
    "Histogram",
    "Holder",
    "InvalidKey",
    "InvalidSnapshot",
    "IsDirectory",
    "KeyTooLong",
    "ManualClock",
    "Mkdir",
    "Node",
    "NotDirectory",
    "NotFound",
    "Notification",
    "OnError",
    "Operation",
    "ParentNotDirectory",
    "ParentNotFound",
    "Put",
    "Remove",
    "RemoveAllWatches",
    "Result",
    "Runner",
    "StaleIndex",
    "State",
    "Subscriber",
    "SubscriberStats",
    "Sync",
    "Synced",
    "Touch",
    "Tree",
    "UnknownChannel",
    "UnknownGroup",
    "UnknownServer",
    "ValueExists",
    "ValueTooLong",
    "WatchTreeError",
    "WrongResultCount",
    "__version__",
]

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name):
        # importlib.metadata takes longer to import than all of watchtree, so it waits until somebody asks.
        if name == "__version__":
            from importlib.metadata import version

            return version("watchtree")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
