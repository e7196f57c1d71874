"""The exceptions of watchtree, named as in the contract (cpp/CONTRACT.md, §1 to §4).

Each derives from `WatchTreeError` and from the builtin that fits, so that `except KeyError` and `except ValueError` work as
a Python user expects. A message says what was asked, what stands against it and what to do. The fields hold the same as
data: `key` (the key asked for), `limit` (bytes), `index` (the tree's index), `channel`.
"""

from __future__ import annotations


class WatchTreeError(Exception):
    """Base of every error that watchtree raises on purpose."""

    def __init__(
        self,
        message: str = "",
        *,
        key: str | None = None,
        limit: int | None = None,
        index: int | None = None,
        channel: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.key = key
        self.limit = limit
        self.index = index
        self.channel = channel

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), self.__dict__)


class InvalidKey(WatchTreeError, ValueError):
    """The key has an empty part or a character that no key may have, or the operation is not for the root (§1)."""


class KeyTooLong(WatchTreeError, ValueError):
    """The key has more UTF-8 bytes than `Config.max_key_bytes` (§1)."""


class ValueTooLong(WatchTreeError, ValueError):
    """The value has more bytes than `Config.max_value_bytes` (§1)."""


class StaleIndex(WatchTreeError, ValueError):
    """The index given for a change is not greater than the tree's (§1)."""


class NotFound(WatchTreeError, KeyError):
    """There is no node with that key (§1)."""


class ParentNotFound(WatchTreeError, KeyError):
    """The directory that would hold the key does not exist; `parents=True` would make it (§1)."""


class ParentNotDirectory(WatchTreeError, ValueError):
    """A node above the key is a value and cannot have children (§1)."""


class IsDirectory(WatchTreeError, ValueError):
    """The key is a directory and cannot hold a value (§1)."""


class NotDirectory(WatchTreeError, ValueError):
    """The key is a value and has no children to list (§1)."""


class DirectoryExists(WatchTreeError, ValueError):
    """`mkdir` of a key that is a directory already (§1)."""


class ValueExists(WatchTreeError, ValueError):
    """`mkdir` of a key that holds a value (§1)."""


class HasChildren(WatchTreeError, ValueError):
    """`remove` without `recursive=True` of a directory that is not empty (§1)."""


class CompareFailed(WatchTreeError, ValueError):
    """`compare_and_set` found another value than the expected one (§1)."""


class InvalidSnapshot(WatchTreeError, ValueError):
    """The image is not one of watchtree, is of an unknown version, or is damaged (§1)."""


class DuplicateKey(WatchTreeError, ValueError):
    """A key is named twice in one `sync` (§2)."""


class UnknownChannel(WatchTreeError, KeyError):
    """`Dispatcher.channel` was asked for a channel that does not exist (§3)."""


class UnknownGroup(WatchTreeError, KeyError):
    """A `Subscriber` was made without a group of that name (§4)."""


class UnknownServer(WatchTreeError, KeyError):
    """A `Subscriber` was made without a server of that name (§4)."""


class WrongResultCount(WatchTreeError, ValueError):
    """An answer had not one result for each notification of its batch, so its channel was closed (§3).

    Never raised: it came from outside, so it is reported to `Config.on_error`.
    """
