"""Where errors go that have no caller to be raised to: `Config.on_error`, or the logger "watchtree".

The logger has no handler of its own, not even a NullHandler: in a program that never set up logging, an error of the
transport still reaches stderr, as an exception in a thread does. Whoever wants silence adds a NullHandler.
"""

from __future__ import annotations

import logging

from watchtree.config import OnError

logger = logging.getLogger("watchtree")


def report(on_error: OnError | None, error: BaseException, channel: str) -> None:
    """Tell the user of an error that came from outside. The native core calls it, and so does `Runner`.

    on_error: as in `Config`; None: the logger. error: what was raised, or the WrongResultCount for a wrong answer.
    channel: whose sending or answer it was, "" if it belongs to none. An Exception that on_error raises is logged and
    goes no further; one that is no Exception, such as KeyboardInterrupt, is raised.
    """
    if on_error is None:
        logger.error("%s; set Config.on_error to handle it", _what(error, channel), exc_info=error)
        return
    try:
        on_error(error, channel)
    except Exception:
        logger.exception("Config.on_error raised an exception when it was told of this: %s", _what(error, channel))


def _what(error: BaseException, channel: str) -> str:
    where = f"channel {channel!r}" if channel else "dispatch"
    return f"{where}: {type(error).__name__}: {error}"
