"""ThreadDrive: makes the steps of a Runner in a thread of its own."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable

from watchtree.report import logger


class ThreadDrive:
    """Calls `step` in a thread, again after the seconds it answers, or sooner when `wake` is called.

    Whatever `step` raises ends the thread and is kept in `error`.
    """

    place: object = "a thread of its own"

    def __init__(self, step: Callable[[], float]) -> None:
        self._step = step
        self._signal = _Signal()
        self._stopping = False
        self._process = os.getpid()
        # A daemon, so that a forgotten stop() does not keep the program from ending; and stopped before the interpreter
        # is taken down (see start), since no thread may be inside the core then.
        self._thread = threading.Thread(target=self._run, name="watchtree-runner", daemon=True)
        self.error: BaseException | None = None

    @property
    def running(self) -> bool:
        return self._thread.is_alive() and not self._stopping

    def is_current(self) -> bool:
        """Whether the caller is this thread."""
        return threading.current_thread() is self._thread

    def wake(self) -> None:
        """Make a step now, or one more after the one that is running. From any thread, from signal handlers too."""
        self._signal.set()

    def start(self) -> None:
        self._thread.start()
        atexit.register(self._stop_at_exit)

    def request_stop(self) -> None:
        self._stopping = True
        self._signal.set()

    def stop(self) -> None:
        """End the thread and wait until it has ended. Not from the thread itself."""
        self.request_stop()
        self._thread.join()
        atexit.unregister(self._stop_at_exit)

    def _run(self) -> None:
        try:
            while not self._stopping:
                seconds = self._step()
                if seconds > 0.0:
                    self._signal.wait(seconds)
        except BaseException as error:
            self.error = error
            logger.critical("a Runner was stopped by %s; its dispatcher stands still", type(error).__name__)

    def _stop_at_exit(self) -> None:
        if os.getpid() == self._process:  # a forked child has the handler but not the thread
            self.stop()


class _Signal:
    """A flag that one thread waits for and any code may set, at any moment.

    A plain lock, held while the flag is down, instead of threading.Event: setting it is one atomic act. A signal
    handler or a finalizer that changes the tree may interrupt a thread in the middle of `set`; inside Event.set it
    would wait for ever for the lock that its own thread holds.
    """

    def __init__(self) -> None:
        self._down = threading.Lock()
        self._down.acquire()

    def set(self) -> None:
        try:
            self._down.release()
        except RuntimeError:
            return  # it is up already

    def wait(self, seconds: float) -> None:
        """Until the flag is up, which takes it down, or until the time is over."""
        self._down.acquire(timeout=seconds)
