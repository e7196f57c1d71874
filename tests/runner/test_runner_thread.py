"""Runner with a thread of its own (contract §3): it steps when there is something to do, and starts and stops cleanly."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from watchtree import Batch, Failure, ManualClock, Runner

StageMaker = Callable[..., Any]


def test_a_change_is_sent_at_once(stage: StageMaker) -> None:
    s = stage()
    with Runner(s.dispatcher):
        s.dispatcher.sync("alice", {"app": 0})
        s.wait_for_batches(1)
        s.tree.put("app", b"v1")
        batches = s.wait_for_batches(2)
    assert [n.value for n in batches[1]] == [b"v1"]


def test_what_was_there_before_the_start_is_sent(stage: StageMaker) -> None:
    s = stage()
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)


def test_the_transport_is_called_in_the_runners_thread(stage: StageMaker) -> None:
    names: list[str] = []
    s = stage(lambda batch: names.append(threading.current_thread().name))
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)
    assert names == ["watchtree-runner"]


def test_a_step_that_a_limit_cut_short_is_repeated_at_once(stage: StageMaker) -> None:
    s = stage(max_batch_size=1)
    for number in range(20):
        s.dispatcher.sync(f"channel-{number}", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(20)


def test_no_wake_up_is_lost_among_many(stage: StageMaker) -> None:
    s = stage()
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)
        for count in range(2, 1000):
            s.tree.put("app", b"")
            s.wait_for_batches(count)


def test_a_change_by_the_transport_is_sent(stage: StageMaker) -> None:
    s = stage()

    def behave(batch: Batch) -> None:
        batch.acknowledge()
        if len(s.batches) < 5:
            s.tree.put("app", b"again")

    s.behave = behave
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(5)


def test_an_overdue_answer_and_its_retry_need_no_interval(stage: StageMaker) -> None:
    s = stage(lambda batch: None, answer_timeout=0.01, backoff=(0.01,))
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(3)
    assert s.dispatcher.stats().failures["TIMEOUT"] >= 2


def test_a_retry_that_another_thread_brought_about_needs_no_interval(stage: StageMaker) -> None:
    s = stage(lambda batch: None, backoff=(0.01,))
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)[0].fail(Failure.NETWORK)
        s.wait_for_batches(2)


def test_a_clock_that_is_moved_is_noticed_within_the_interval(stage: StageMaker) -> None:
    clock = ManualClock()
    s = stage(lambda batch: None, clock=clock, dispatch_interval=0.01, answer_timeout=15.0, backoff=(1.0,))
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)
        clock.advance(15.0)
        while not s.dispatcher.stats().backing_off:
            time.sleep(0.001)
        clock.advance(1.0)
        s.wait_for_batches(2)


def test_a_clock_that_stands_still_just_before_a_deadline_does_not_make_it_spin(stage: StageMaker) -> None:
    clock = ManualClock()
    s = stage(lambda batch: None, clock=clock, answer_timeout=1.0)
    s.dispatcher.sync("alice", {"app": 0})
    s.dispatcher.dispatch()
    clock.advance(0.999_999_999)
    before = time.monotonic()
    with Runner(s.dispatcher):
        time.sleep(0.2)
    assert s.dispatcher.stats().steps < 10 + 1000 * (time.monotonic() - before)


def test_an_idle_runner_sleeps(stage: StageMaker) -> None:
    s = stage()
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(1)
        time.sleep(0.2)
    assert s.dispatcher.stats().steps <= 5


def test_start_and_stop_can_be_repeated(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)
    runner.stop()
    runner.start()
    runner.start()
    assert runner.running
    assert sum(thread.name == "watchtree-runner" for thread in threading.enumerate()) == 1
    runner.stop()
    runner.stop()
    assert not runner.running
    assert s.dispatcher.on_work is None
    with runner:
        s.dispatcher.sync("alice", {"app": 0})
        s.wait_for_batches(1)


def test_stop_waits_for_the_step_that_is_running(stage: StageMaker) -> None:
    release = threading.Event()
    s = stage(lambda batch: release.wait(60))
    runner = Runner(s.dispatcher)
    runner.start()
    s.dispatcher.sync("alice", {"app": 0})
    s.wait_for_batches(1)
    stopper = threading.Thread(target=runner.stop)
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive()
    release.set()
    stopper.join(60)
    assert not stopper.is_alive()
    assert not runner.running


def test_stop_by_the_transport_makes_its_step_the_last(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)

    def behave(batch: Batch) -> None:
        runner.stop()
        batch.acknowledge()

    s.behave = behave
    s.dispatcher.sync("alice", {"app": 0})
    runner.start()
    s.wait_for_batches(1)
    runner.stop()
    s.tree.put("app", b"v1")
    assert not runner.running
    assert len(s.batches) == 1


def test_a_runner_that_the_transport_stopped_starts_again(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)

    def behave(batch: Batch) -> None:
        runner.stop()
        batch.acknowledge()

    s.behave = behave
    s.dispatcher.sync("alice", {"app": 0})
    runner.start()
    s.wait_for_batches(1)
    while runner.running:
        time.sleep(0.001)
    s.tree.put("app", b"v1")
    runner.start()
    s.wait_for_batches(2)
    runner.stop()


def test_a_dispatcher_has_one_runner_at_a_time(stage: StageMaker) -> None:
    s = stage()
    with Runner(s.dispatcher), pytest.raises(RuntimeError, match="on_work is taken"):
        Runner(s.dispatcher).start()
    with Runner(s.dispatcher):
        pass


def test_a_callback_of_the_user_is_not_replaced(stage: StageMaker) -> None:
    s = stage()
    calls: list[int] = []
    s.dispatcher.on_work = lambda: calls.append(1)
    with pytest.raises(RuntimeError, match=r"set dispatcher\.on_work = None"):
        Runner(s.dispatcher).start()
    s.dispatcher.sync("alice", {"app": 0})
    assert calls


def test_a_callback_that_the_user_set_meanwhile_stays_after_stop(stage: StageMaker) -> None:
    s = stage()

    def callback() -> None:
        return

    with Runner(s.dispatcher):
        s.dispatcher.on_work = callback
    assert s.dispatcher.on_work is callback


def test_a_raising_transport_is_reported_and_survived(stage: StageMaker) -> None:
    s = stage(backoff=(0.01,))

    def behave(batch: Batch) -> None:
        if len(s.batches) == 1:
            raise ConnectionError("cut")
        batch.acknowledge()

    s.behave = behave
    s.dispatcher.sync("alice", {"app": 0})
    with Runner(s.dispatcher):
        s.wait_for_batches(2)
    assert [(type(error), channel) for error, channel in s.errors] == [(ConnectionError, "alice")]


def test_what_is_no_exception_stops_the_runner_and_is_raised_by_stop(
    stage: StageMaker, caplog: pytest.LogCaptureFixture
) -> None:
    def behave(batch: Batch) -> None:
        raise SystemExit(3)

    s = stage(behave)
    runner = Runner(s.dispatcher)
    runner.start()
    s.dispatcher.sync("alice", {"app": 0})
    while runner.running:
        time.sleep(0.001)
    with pytest.raises(RuntimeError, match=r"call stop\(\)"):
        runner.start()
    with pytest.raises(SystemExit, match="3"):
        runner.stop()
    assert "stopped by SystemExit" in caplog.text
    assert s.dispatcher.on_work is None
    runner.stop()


def test_the_end_of_the_with_raises_it_too(stage: StageMaker) -> None:
    def behave(batch: Batch) -> None:
        raise SystemExit(3)

    s = stage(behave)
    s.dispatcher.sync("alice", {"app": 0})
    with pytest.raises(SystemExit), Runner(s.dispatcher):
        s.wait_for_batches(1)


def test_a_clock_that_raises_is_reported_and_the_runner_goes_on(stage: StageMaker) -> None:
    broken = threading.Event()

    def clock() -> int:
        if broken.is_set():
            raise OSError("no clock")
        return time.monotonic_ns()

    s = stage(clock=clock, dispatch_interval=0.01)
    with Runner(s.dispatcher):
        broken.set()
        while not s.errors:
            time.sleep(0.001)
        broken.clear()
        s.dispatcher.sync("alice", {"app": 0})
        s.wait_for_batches(1)
    error, channel = s.errors[0]
    assert (str(error), channel) == ("no clock", "")


def test_a_forgotten_stop_does_not_keep_a_program_from_ending() -> None:
    program = """
import watchtree as wt
tree = wt.Tree()
dispatcher = wt.Dispatcher(tree, lambda batch: (batch.acknowledge(), print("sent", flush=True)))
dispatcher.sync("alice", {"app": 0})
wt.Runner(dispatcher).start()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_many_threads_start_and_stop_one_runner(stage: StageMaker) -> None:
    s = stage()
    runner = Runner(s.dispatcher)

    def toggle() -> None:
        for _ in range(100):
            runner.start()
            runner.stop()

    threads = [threading.Thread(target=toggle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert s.dispatcher.on_work is None
    with runner:
        s.dispatcher.sync("alice", {"app": 0})
        s.wait_for_batches(1)
