"""When `dispatch` has something to do (`next_deadline`, `on_work`; contract §3)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Failure, Result

OK, ERROR = Result.OK, Result.ERROR


def test_without_a_channel_there_is_no_deadline(rig):
    rig.put("a")
    assert rig.dispatcher.next_deadline() is None


def test_a_ready_channel_is_work_now(rig):
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.next_deadline() == 0.0


def test_a_changed_holder_is_work_now(rig):
    rig.watch("alice", "a")
    rig.put("a")
    assert rig.dispatcher.next_deadline() == 0.0


def test_a_changed_holder_without_a_due_watch_is_work_now(rig):
    rig.sync("alice", {"a": 100})
    rig.put("a")
    assert rig.dispatcher.next_deadline() == 0.0
    rig.dispatch()
    assert rig.dispatcher.next_deadline() == 120.0


def test_a_step_cut_short_leaves_work_for_now():
    rig = Rig(max_batch_size=1)
    for name in ("alice", "bob"):
        rig.watch(name, "a")
    rig.put("a")
    rig.dispatch()
    assert rig.dispatcher.next_deadline() == 0.0
    rig.dispatch()
    assert rig.dispatcher.next_deadline() == 15.0


def test_a_quiet_channel_waits_for_its_silence(rig):
    rig.watch("alice", "a")
    assert rig.dispatcher.next_deadline() == 120.0
    rig.advance(100)
    assert rig.dispatcher.next_deadline() == 20.0


@pytest.mark.parametrize("act", [lambda rig: rig.dispatcher.touch("alice"), lambda rig: rig.sync("alice", {})])
def test_activity_puts_the_silence_off(rig, act):
    rig.watch("alice", "a")
    rig.advance(100)
    act(rig)
    assert rig.dispatcher.next_deadline() == 120.0


def test_the_earliest_silence_counts(rig):
    rig.watch("alice", "a")
    rig.advance(1)
    rig.watch("bob", "a")
    assert rig.dispatcher.next_deadline() == 119.0
    rig.dispatcher.touch("alice")
    assert rig.dispatcher.next_deadline() == 120.0
    rig.advance(1)
    rig.dispatcher.touch("alice")
    assert rig.dispatcher.next_deadline() == 119.0


def test_a_batch_in_flight_waits_for_its_answer(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    assert rig.dispatcher.next_deadline() == 15.0
    rig.advance(14.5)
    assert rig.dispatcher.next_deadline() == 0.5


def test_an_answered_batch_waits_for_nothing(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge()
    assert rig.dispatcher.next_deadline() == 120.0


def test_a_channel_in_its_back_off_waits_for_its_retry(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    assert rig.dispatcher.next_deadline() == 1.0
    rig.advance(0.25)
    assert rig.dispatcher.next_deadline() == 0.75


def test_a_watch_in_its_back_off_waits_for_its_retry(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([OK, ERROR])
    assert rig.dispatcher.next_deadline() == 1.0


def test_a_retry_that_no_longer_counts_waits_for_nothing(rig):
    rig.watch("bob", "a")
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([OK, ERROR])
    rig.sync("alice", {"b": -1})
    assert rig.dispatcher.next_deadline() == 120.0
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.dispatcher.close("alice")
    assert rig.dispatcher.next_deadline() == 120.0


def test_watches_ready_behind_a_batch_in_flight_are_no_work_yet(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.sync("alice", {"b": 0})
    assert rig.dispatcher.next_deadline() == 15.0


def test_a_deadline_that_has_come_is_work_now(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.advance(15)
    assert rig.dispatcher.next_deadline() == 0.0
    rig.advance(100)
    assert rig.dispatcher.next_deadline() == 0.0


def test_a_step_at_the_deadline_does_what_it_promised(rig):
    """Moving the clock by next_deadline and stepping, again and again, ends with the channel closed as silent."""
    rig.sync("alice", {"a": 0})
    moved = 0.0
    for _ in range(100):
        seconds = rig.dispatcher.next_deadline()
        if seconds is None:
            break
        rig.advance(seconds)
        moved += seconds
        rig.dispatch()
    assert moved == pytest.approx(120)
    assert rig.dispatcher.channels() == []


def test_the_last_channel_takes_the_last_deadline_with_it(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatcher.close("alice")
    assert rig.dispatcher.next_deadline() is None


# on_work.


@pytest.fixture
def calls(rig):
    """The calls of on_work, each as the number of batches sent before it."""
    calls = []
    rig.dispatcher.on_work = lambda: calls.append(len(rig.batches))
    return calls


def test_on_work_is_none_until_it_is_set(rig):
    assert rig.dispatcher.on_work is None

    def callback():
        return None

    rig.dispatcher.on_work = callback
    assert rig.dispatcher.on_work is callback
    rig.dispatcher.on_work = None
    assert rig.dispatcher.on_work is None


def test_on_work_tells_of_a_sync_that_makes_a_channel_ready(rig, calls):
    rig.sync("alice", {"a": 0})
    assert len(calls) == 1


def test_on_work_tells_of_a_change_of_a_watched_key(rig, calls):
    rig.watch("alice", "a")
    calls.clear()
    rig.put("a")
    assert len(calls) == 1


def test_on_work_tells_of_an_acknowledgement_that_leaves_something_to_send(rig, calls):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"b": 0})
    calls.clear()
    batch.acknowledge()
    assert len(calls) == 1


def test_on_work_does_not_tell_of_a_change_that_nobody_watches(rig, calls):
    rig.watch("alice", "a")
    calls.clear()
    rig.put("b")
    assert calls == []


def test_on_work_does_not_tell_of_a_sync_without_news(rig, calls):
    rig.sync("alice", {"a": 100})
    assert calls == []


def test_on_work_tells_once_until_the_work_is_done(rig, calls):
    rig.watch("alice", "a", "b")
    calls.clear()
    rig.put("a")
    rig.put("b")
    rig.sync("bob", {"a": 0})
    assert len(calls) == 1
    rig.settle()
    calls.clear()
    rig.put("a")
    assert len(calls) == 1


def test_on_work_may_dispatch(rig):
    rig.dispatcher.on_work = rig.dispatcher.dispatch
    assert rig.keys_by(rig.sync, "alice", {"a": 0}) == [("alice", ["a"])]


def test_on_work_is_not_called_once_it_is_none(rig, calls):
    rig.dispatcher.on_work = None
    rig.sync("alice", {"a": 0})
    assert calls == []
