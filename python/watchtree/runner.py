"""Runner: calls `Dispatcher.dispatch` whenever there is something to do (contract §3)."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

from watchtree.report import report
from watchtree.runner_thread import ThreadDrive

if TYPE_CHECKING:
    from watchtree._core import Dispatcher
    from watchtree.runner_loop import LoopDrive

    Drive = ThreadDrive | LoopDrive

# A deadline that is nanoseconds away, or a clock that stands still just before one, must not make a Runner spin. Work
# that comes meanwhile wakes it through on_work, so this delays time-outs and retries only.
_SHORTEST_SLEEP = 0.001

# Timers of the platform end somewhere between 49 days and 292 years; waking once an hour costs nothing.
_LONGEST_SLEEP = 3600.0

# Makes "is on_work free? then take it" one act, for two Runners that are started on one dispatcher at the same moment.
_attaching = threading.Lock()


class Runner:
    """Drives one dispatcher, from a thread of its own or from an event loop.

        with Runner(dispatcher): ...        # a thread "watchtree-runner" calls the transport; start and stop do the same
        async with Runner(dispatcher): ...  # the running event loop calls the transport, between its other callbacks

    dispatcher: one whose `on_work` is None. The Runner sets it, and sets it back when it stops. A dispatcher can
    have one Runner at a time; a Runner can be started again after it was stopped.

    A step is made at once when there is something to do, when a deadline comes, and when a limit cut the last step
    short (in an event loop, other callbacks run in between); else after `Config.dispatch_interval`. An idle Runner
    sleeps. If the dispatcher's clock does not run in real time, as a ManualClock, a move of it is noticed within
    that interval.

    Errors: the transport's go to `Config.on_error`. An Exception from `dispatch` itself (a clock that raises) goes
    there as well, with channel "", and the next step is made after `dispatch_interval`. One that is no Exception,
    such as SystemExit raised by the transport, stops the Runner, is logged, and is raised from `stop` or the end of
    the `with`. In an event loop KeyboardInterrupt and SystemExit pass through the loop instead, as they do for any
    callback.

    Fork: a child process has no copy of the thread, and the core's lock may be held in it for ever. Fork before a
    Runner is started, or use nothing of this tree, its dispatchers and the Runner in the child.

    Threads: `start` and `stop` from any. Cost: `dispatch` and one wait for each step; one thread, or no task at all.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._changing = threading.Lock()  # one start or stop at a time
        self._drive: Drive | None = None

    @property
    def running(self) -> bool:
        """Whether steps are being made: started, not stopped, and not ended by an exception."""
        drive = self._drive
        return drive is not None and drive.running

    def start(self) -> None:
        """Start the thread, which goes on until `stop` or the end of the program. Nothing happens if it runs already.

        Errors: RuntimeError if the dispatcher's `on_work` is taken (by another Runner or by a callback of yours), if an
        event loop drives this Runner, or if an exception stopped it and `stop` was not called since.
        """
        self._start(ThreadDrive(self._step))

    def stop(self) -> None:
        """Stop making steps, after the one that is running. Nothing happens if it is not started.

        Called by the transport, in the Runner's own step, it cannot wait for that step: the step is the last one, and a
        `stop` from elsewhere completes it. Errors: the exception that stopped the Runner, if there was one.
        """
        drive = self._drive
        if drive is not None and drive.is_current():
            drive.request_stop()
            return
        with self._changing:
            drive = self._drive
            if drive is None:
                return
            drive.stop()
            self._detach(drive)
        if drive.error is not None:
            raise drive.error

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Runner:
        """Start in the running event loop. Errors: as `start`; RuntimeError too if a thread or another loop drives it."""
        import asyncio  # half of what importing watchtree would take, so only for those who use it

        from watchtree.runner_loop import LoopDrive

        self._start(LoopDrive(self._step, asyncio.get_running_loop()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, new: Drive) -> None:
        old = self._drive
        if old is not None and old.is_current():
            return  # from its own step: started already, and the lock may be held by a stop that waits for that step
        with self._changing:
            if self._drive is not None and self._is_driven_by(self._drive, new):
                return
            self._attach(new)
            try:
                new.start()
            except BaseException:
                self._detach(new)
                raise

    def _is_driven_by(self, old: Drive, new: Drive) -> bool:
        """Whether the old drive does what the new one would; clears it away if it has ended."""
        if old.error is not None:
            raise RuntimeError("an exception stopped this Runner; call stop(), which raises it, first") from old.error
        if old.running:
            if old.place is not new.place:
                raise RuntimeError("this Runner is driven from another place, a thread or a loop; stop it there first")
            return True
        old.stop()  # its own step asked it to stop, or its loop was closed
        self._detach(old)
        return False

    def _attach(self, drive: Drive) -> None:
        with _attaching:
            if self._dispatcher.on_work is not None:
                raise RuntimeError(
                    "this dispatcher's on_work is taken, by another Runner or by a callback of yours; "
                    "stop that Runner, or set dispatcher.on_work = None, before a Runner is started"
                )
            self._dispatcher.on_work = drive.wake
        self._drive = drive

    def _detach(self, drive: Drive) -> None:
        with _attaching:
            if self._dispatcher.on_work == drive.wake:  # else somebody set a callback of their own since
                self._dispatcher.on_work = None
        self._drive = None

    def _step(self) -> float:
        """Make one step; the seconds until the next, 0.0 for at once."""
        interval = self._dispatcher.config.dispatch_interval
        try:
            if not self._dispatcher.dispatch():
                return 0.0
            deadline = self._dispatcher.next_deadline()
        except Exception as error:
            report(self._dispatcher.config.on_error, error, "")
            deadline = None
        sleep = interval if deadline is None else min(deadline, interval)
        return min(max(sleep, _SHORTEST_SLEEP), _LONGEST_SLEEP)
