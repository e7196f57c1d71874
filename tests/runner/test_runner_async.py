"""Runner in an event loop (contract §3): the transport is called in the loop's thread, between other callbacks."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest
from watchtree import Batch, Runner
from watchtree.runner_loop import LoopDrive

StageMaker = Callable[..., Any]
NEVER = 1e6


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until a condition holds."""
    while not condition():
        await asyncio.sleep(0.001)


def test_a_change_is_sent_at_once_in_the_loops_thread(stage: StageMaker) -> None:
    threads: list[int] = []

    def behave(batch: Batch) -> None:
        threads.append(threading.get_ident())
        batch.acknowledge()

    s = stage(behave)

    async def main() -> None:
        async with Runner(s.dispatcher):
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: len(s.batches) == 1)
            s.tree.put("app", b"v1")
            await until(lambda: len(s.batches) == 2)

    asyncio.run(main())
    assert set(threads) == {threading.get_ident()}


def test_a_change_by_another_thread_wakes_the_loop(stage: StageMaker) -> None:
    s = stage()

    def change() -> None:
        for count in range(2, 300):
            s.tree.put("app", b"")
            s.wait_for_batches(count)

    async def main() -> None:
        async with Runner(s.dispatcher):
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: s.batches)
            await asyncio.to_thread(change)

    asyncio.run(main())


def test_other_callbacks_run_between_steps_that_were_cut_short(stage: StageMaker) -> None:
    s = stage(max_batch_size=1)
    for number in range(20):
        s.dispatcher.sync(f"channel-{number}", {"app": 0})
    seen: list[int] = []

    async def main() -> None:
        async with Runner(s.dispatcher):
            while len(s.batches) < 20:
                seen.append(len(s.batches))
                await asyncio.sleep(0)

    asyncio.run(main())
    assert len(set(seen)) > 10


def test_overdue_answers_and_retries_need_no_interval(stage: StageMaker) -> None:
    s = stage(lambda batch: None, answer_timeout=0.01, backoff=(0.01,))

    async def main() -> None:
        s.dispatcher.sync("alice", {"app": 0})
        async with Runner(s.dispatcher):
            await until(lambda: len(s.batches) == 3)

    asyncio.run(main())


def test_after_the_end_nothing_is_sent_and_a_closed_loop_is_no_trouble(stage: StageMaker) -> None:
    s = stage()

    async def main() -> Runner:
        async with Runner(s.dispatcher) as runner:
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: s.batches)
        assert s.dispatcher.on_work is None
        s.tree.put("app", b"v1")
        await asyncio.sleep(0.01)
        return runner

    runner = asyncio.run(main())
    s.tree.put("app", b"v2")
    assert len(s.batches) == 1
    assert not runner.running


def test_a_loop_that_was_closed_with_the_runner_in_it_sets_it_free(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)

    async def enter() -> None:
        await runner.__aenter__()
        s.dispatcher.sync("alice", {"app": 0})
        await until(lambda: s.batches)

    asyncio.run(enter())
    s.tree.put("app", b"v1")
    assert not runner.running

    async def enter_again() -> None:
        async with runner:
            await until(lambda: len(s.batches) == 2)

    asyncio.run(enter_again())
    assert s.dispatcher.on_work is None


def test_thread_and_loop_exclude_each_other(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)

    async def main() -> None:
        async with runner:
            with pytest.raises(RuntimeError, match="another place"):
                runner.start()
        with runner, pytest.raises(RuntimeError, match="another place"):
            await runner.__aenter__()

    asyncio.run(main())
    assert s.dispatcher.on_work is None


def test_entering_twice_is_entering_once(stage: StageMaker) -> None:
    s = stage()

    async def main() -> None:
        runner = Runner(s.dispatcher)
        async with runner, runner:
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: s.batches)
        assert not runner.running

    asyncio.run(main())


@pytest.mark.parametrize("raised", [asyncio.CancelledError, GeneratorExit])
def test_what_is_no_exception_stops_the_runner_and_is_raised_at_the_end(
    stage: StageMaker, raised: type[BaseException]
) -> None:
    def behave(batch: Batch) -> None:
        raise raised("by the transport")

    s = stage(behave)
    s.dispatcher.sync("alice", {"app": 0})

    async def drive() -> None:
        async with Runner(s.dispatcher) as runner:
            await until(lambda: not runner.running)

    async def main() -> None:
        with pytest.raises(raised, match="by the transport"):
            await drive()

    asyncio.run(main())
    assert s.dispatcher.on_work is None


def test_an_interrupt_passes_through_the_loop(stage: StageMaker) -> None:
    def behave(batch: Batch) -> None:
        raise KeyboardInterrupt

    s = stage(behave)

    async def main() -> None:
        async with Runner(s.dispatcher):
            s.dispatcher.sync("alice", {"app": 0})
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert s.dispatcher.on_work is None


def test_every_step_runs_in_the_context_of_the_start(stage: StageMaker) -> None:
    variable = contextvars.ContextVar("variable", default="default")
    seen: list[str] = []

    def behave(batch: Batch) -> None:
        seen.append(variable.get())
        batch.acknowledge()

    s = stage(behave)

    async def main() -> None:
        variable.set("start")
        async with Runner(s.dispatcher):
            variable.set("later")
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: len(s.batches) == 1)
            await asyncio.to_thread(s.tree.put, "app", b"v1")
            await until(lambda: len(s.batches) == 2)

    asyncio.run(main())
    assert seen == ["start", "start"]


def test_stop_from_another_thread_waits_for_the_step(stage: StageMaker) -> None:
    release = threading.Event()
    s = stage(lambda batch: release.wait(60))
    runner = Runner(s.dispatcher)
    was_waiting: list[bool] = []

    def stop() -> None:
        s.wait_for_batches(1)
        stopper = threading.Thread(target=runner.stop)
        stopper.start()
        stopper.join(0.1)
        was_waiting.append(stopper.is_alive())
        release.set()
        stopper.join(60)

    async def main() -> None:
        async with runner:
            s.dispatcher.sync("alice", {"app": 0})
            await asyncio.to_thread(stop)
            assert not runner.running

    asyncio.run(main())
    assert was_waiting == [True]


def test_stop_by_the_transport_makes_its_step_the_last(stage: StageMaker) -> None:
    s = stage()

    async def main() -> None:
        runner = Runner(s.dispatcher)

        def behave(batch: Batch) -> None:
            runner.stop()
            batch.acknowledge()

        s.behave = behave
        async with runner:
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: s.batches)
            s.tree.put("app", b"v1")
            await asyncio.sleep(0.01)
        assert len(s.batches) == 1

    asyncio.run(main())


def test_an_idle_runner_sleeps(stage: StageMaker) -> None:
    s = stage()

    async def main() -> None:
        async with Runner(s.dispatcher):
            s.dispatcher.sync("alice", {"app": 0})
            await until(lambda: s.batches)
            await asyncio.sleep(0.2)

    asyncio.run(main())
    assert s.dispatcher.stats().steps <= 5


class NestedLoop:
    """Runs what is called from another thread at once, as a loop does that the transport runs inside a step (Jupyter)."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None], context: object) -> asyncio.Handle | None:
        self.soon.append(callback)
        return None

    def call_later(self, seconds: float, callback: Callable[[], None], context: object) -> asyncio.Handle | None:
        return None

    def call_soon_threadsafe(self, callback: Callable[[], None], context: object) -> None:
        callback()


def test_a_wake_up_that_comes_up_inside_its_own_step_makes_one_more() -> None:
    loop: Any = NestedLoop()
    steps: list[int] = []

    def step() -> float:
        steps.append(len(steps))
        if len(steps) == 1:
            drive.wake()
        return NEVER

    drive = LoopDrive(step, loop)
    drive.start()
    while loop.soon:
        loop.soon.pop()()
    assert steps == [0, 1]
