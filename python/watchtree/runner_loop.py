"""LoopDrive: makes the steps of a Runner in an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable

from watchtree.report import logger


class LoopDrive:
    """Calls `step` as a callback of a loop, again after the seconds it answers, or sooner when `wake` is called.

    A chain of callbacks and no task: nobody can cancel it by accident, and stopping has nothing to wait for. Each runs
    in a copy of the start's context, whoever wakes it. What `step` raises ends the chain and is kept in `error`, except
    for KeyboardInterrupt and SystemExit, which go through the loop.
    """

    def __init__(self, step: Callable[[], float], loop: asyncio.AbstractEventLoop) -> None:
        self._step = step
        self._loop = loop
        self.place: object = loop
        self._context = contextvars.copy_context()
        self._next: asyncio.Handle | None = None  # touched by the loop's thread alone
        self._woken = False  # a step that has not begun yet will see what happened
        self._stepping = threading.Lock()  # held during a step, for a stop from another thread
        self._stepper: int | None = None  # the thread that is in a step
        self._once_more = False
        self._stopping = False
        self.error: BaseException | None = None

    @property
    def running(self) -> bool:
        return not self._stopping and not self._loop.is_closed()

    def is_current(self) -> bool:
        """Whether the caller is inside a step."""
        return self._stepper == threading.get_ident()

    def wake(self) -> None:
        """Make a step as soon as the loop comes to it. From any thread, from signal handlers too."""
        if self._woken:
            return
        self._woken = True
        self._call_in_loop(self._run_now)

    def start(self) -> None:
        self._next = self._loop.call_soon(self._run, context=self._context.copy())

    def request_stop(self) -> None:
        self._stopping = True

    def stop(self) -> None:
        """End the chain and wait for a step that is running in another thread. Not from inside a step."""
        self._stopping = True
        with self._stepping:
            pass
        self._call_in_loop(self._cancel_next)  # would do nothing, but would keep the dispatcher alive until its time

    def _run_now(self) -> None:
        self._cancel_next()
        self._run()

    def _cancel_next(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _run(self) -> None:
        self._next = None
        self._woken = False  # before the step: what happens from here on asks for another one
        if self.is_current():  # the transport runs this loop inside a step (Jupyter's nested loops)
            self._once_more = True
            return
        with self._stepping:
            if self._stopping:
                return
            self._stepper = threading.get_ident()
            try:
                seconds = self._step()
            except (KeyboardInterrupt, SystemExit):
                self._stopping = True
                raise
            except BaseException as error:
                self._stopping = True
                self.error = error
                logger.critical("a Runner was stopped by %s; its dispatcher stands still", type(error).__name__)
                return
            finally:
                self._stepper = None
        if self._stopping:
            return
        if seconds > 0.0 and not self._once_more:
            self._next = self._loop.call_later(seconds, self._run, context=self._context.copy())
        else:
            self._once_more = False
            self._next = self._loop.call_soon(self._run, context=self._context.copy())

    def _call_in_loop(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, context=self._context.copy())
        except RuntimeError:
            return  # the loop is closed: nothing of it will run again
