"""Situations in which an engine of watches goes wrong, each as a test of its own.

They are known from other engines and from the design of this one; what must happen is what the contract says.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

import pytest
from rig import Rig
from watchtree import Config, Dispatcher, Failure, InvalidSnapshot, Result, State, Tree

OK, REMOVE_WATCH, ERROR = Result.OK, Result.REMOVE_WATCH, Result.ERROR

ANSWERS = {
    "acknowledged": lambda batch: batch.acknowledge(),
    "results": lambda batch: batch.acknowledge([OK] * len(batch)),
    "errors": lambda batch: batch.acknowledge([ERROR] * len(batch)),
    "removals": lambda batch: batch.acknowledge([REMOVE_WATCH] * len(batch)),
    "too few results": lambda batch: batch.acknowledge([]),
    "too many results": lambda batch: batch.acknowledge([OK] * (len(batch) + 1)),
    "remove all": lambda batch: batch.remove_all(),
    **{reason.name: lambda batch, reason=reason: batch.fail(reason) for reason in Failure},
}
answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)


def nothing_left(rig):
    """Whether no channel, watch, holder or queue entry is left."""
    stats = rig.dispatcher.stats()
    sizes = stats.channels, stats.watches, stats.holders, stats.changed_holders, stats.ready_channels
    rig.verify()
    return (*sizes, stats.backing_off, stats.in_flight) == (0,) * 7 and rig.dispatcher.next_deadline() is None


def test_the_first_notification_of_a_missing_key_on_an_empty_tree_is_sent_once(rig):
    """Index 0 is no sign of "already notified": the watch was never notified, so it is due."""
    rig.sync("alice", {"a": 0})
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.MISSING, 0, None)])]
    assert rig.dispatcher.watches("alice") == {"a": 0}
    assert rig.sent_by(rig.settle) == []


def test_a_key_synced_with_0_twice_in_a_row_and_then_unwatched_leaves_nothing(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": -1})
    assert nothing_left(rig)
    assert rig.sent_by(rig.dispatch) == []


def test_a_key_synced_with_0_in_flight_and_then_unwatched_leaves_nothing(rig):
    rig.sync("alice", {"a.b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a.b": 0})
    rig.sync("alice", {"a.b": 0})
    rig.sync("alice", {"a.b": -1})
    assert nothing_left(rig)
    assert not batch.acknowledge()
    assert nothing_left(rig)


def test_a_key_synced_with_0_in_its_back_off_and_then_unwatched_leaves_nothing(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([ERROR])
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": -1})
    assert nothing_left(rig)
    rig.advance(100)
    assert rig.sent_by(rig.dispatch) == []


@answer
def test_a_late_answer_of_a_closed_registration_does_not_touch_the_new_one(rig, answer):
    rig.sync("alice", {"a": 0, "b": 0})
    late = rig.send_one()
    rig.dispatcher.close("alice")
    rig.sync("alice", {"a": 0, "b": 0})
    assert not answer(late)
    assert rig.dispatcher.watches("alice") == {"a": -1, "b": -1}
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"])]
    assert not answer(late)
    assert rig.state("alice") == "in_flight"
    assert rig.errors == []


@answer
def test_a_late_answer_of_a_registration_that_was_unwatched_does_not_touch_the_new_one(rig, answer):
    rig.sync("alice", {"a": 0})
    late = rig.send_one()
    rig.sync("alice", {}, replace=True)
    rig.sync("alice", {"a": 0})
    assert not answer(late)
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


@answer
def test_a_late_answer_of_an_earlier_epoch_does_not_touch_the_new_one(rig, answer):
    rig.sync("alice", {"a": 0})
    late = rig.send_one()
    rig.dispatcher.reset()
    rig.sync("alice", {"a": 0})
    following = rig.send_one()
    assert not answer(late)
    assert following.acknowledge()


def test_a_removal_answered_for_a_key_that_was_registered_again_meanwhile_is_ignored(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0})
    assert batch.acknowledge([REMOVE_WATCH])
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_an_error_answered_for_a_key_that_was_registered_again_meanwhile_does_not_delay_it(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0})
    assert batch.acknowledge([ERROR])
    assert rig.dispatcher.stats().backing_off == 0
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


LEFT_WITH_NOTHING = {
    "a sync with an index": lambda rig: rig.sync("alice", {"a": 3}),
    "an unwatch": lambda rig: rig.sync("alice", {"a": -1}),
    "a replace": lambda rig: rig.sync("alice", {"b": rig.tree.index}, replace=True),
    "an unwatch and a sync with an index": lambda rig: (
        rig.sync("alice", {"a": -1}),
        rig.sync("alice", {"a": rig.tree.index}),
    ),
}


@pytest.mark.parametrize("act", LEFT_WITH_NOTHING.values(), ids=LEFT_WITH_NOTHING)
@pytest.mark.parametrize("change_before_the_retry", [True, False])
def test_a_channel_whose_retry_has_nothing_to_send_is_not_muted(rig, act, change_before_the_retry):
    rig.put("other")
    rig.watch("alice", "b")
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    act(rig)
    if not change_before_the_retry:
        rig.advance(1)
        assert rig.sent_by(rig.dispatch) == []
    rig.tree.put("b", b"news", index=10)
    rig.dispatch()
    rig.advance(1)
    rig.settle()
    assert [(n.key, n.index) for n in rig.batches[-1]] == [("b", 10)]


def test_a_watch_whose_retry_has_nothing_to_send_is_not_muted(rig):
    rig.put("a")
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([ERROR])
    rig.sync("alice", {"a": 1})
    rig.advance(1)
    assert rig.sent_by(rig.dispatch) == []
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_a_transport_that_raises_in_the_middle_of_a_step_does_not_stop_the_others(rig):
    rig.during_send = lambda batch: 1 / 0 if batch.channel == "bob" else None
    for channel in ("alice", "bob", "carol"):
        rig.sync(channel, {"a": 0})
    assert [channel for channel, _ in rig.sent_by(rig.dispatch)] == ["alice", "bob", "carol"]
    assert [rig.state(channel) for channel in ("alice", "bob", "carol")] == ["in_flight", "backing_off", "in_flight"]
    assert [(type(error), channel) for error, channel in rig.errors] == [(ZeroDivisionError, "bob")]


def test_a_transport_that_answers_and_then_raises_has_answered(rig):
    def acknowledge_and_raise(batch):
        batch.acknowledge()
        raise OSError("too late")

    rig.during_send = acknowledge_and_raise
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    assert rig.state("alice") == "idle"
    assert rig.dispatcher.stats().failures["RAISED"] == 0
    assert len(rig.errors) == 1


@pytest.mark.parametrize("results", [[], [OK], [OK, OK, OK]], ids=["none", "short", "long"])
def test_a_wrong_number_of_results_closes_the_channel_and_no_other(rig, results):
    rig.watch("bob", "a", "b")
    rig.sync("alice", {"a": 0, "b": 0})
    assert rig.send_one().acknowledge(results)
    assert rig.dispatcher.channels() == ["bob"]
    assert len(rig.errors) == 1
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("bob", ["a"])]


def test_an_empty_list_of_results_is_no_acknowledgement(rig):
    """`[]` is false, as None is, but it is not None: it has a wrong length."""
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([])
    assert rig.dispatcher.channels() == []


def test_a_snapshot_is_not_disturbed_by_watches_and_later_changes(rig):
    rig.put("a.b", b"then")
    image = rig.tree.snapshot()
    rig.tree.remove("a", recursive=True)
    rig.watch("alice", "a.b")
    rig.put("a.b", b"now")
    rig.sync("alice", {"a.b": -1})
    rig.sync("alice", {"a.b": 0})
    rig.tree.restore(image)
    rig.sync("alice", {"a.b": 0})
    assert rig.sent_by(rig.settle) == [("alice", [("a.b", State.VALUE, 1, b"then")])]
    assert nothing_left(Rig(tree=rig.tree))


def test_a_thousand_cycles_of_a_directory_with_watched_children_grow_nothing(rig):
    def cycle():
        for leaf in ("dir.a.x", "dir.a.y", "dir.b"):
            rig.put(leaf)
        rig.settle()
        rig.tree.remove("dir", recursive=True)
        rig.settle()
        rig.batches.clear()  # a batch that is kept is memory

    rig.watch("alice", "dir.a.x", "dir.b", "dir.never")
    rig.watch("bob", "dir.a", "dir.a.y")
    cycle()
    holders, memory = rig.dispatcher.stats().holders, rig.dispatcher.memory()
    for _ in range(1000):
        cycle()
    assert rig.dispatcher.stats().holders == holders
    assert rig.dispatcher.memory() == memory


def test_a_thousand_keys_watched_and_unwatched_one_after_the_other_grow_nothing(rig):
    def cycle(number):
        rig.sync("alice", {f"dir{number}.key": 0})
        rig.settle()
        rig.sync("alice", {f"dir{number}.key": -1})
        rig.batches.clear()

    for number in range(1000):
        cycle(number)
    memory = rig.dispatcher.memory()["total"]
    for number in range(1000, 2000):
        cycle(number)
    assert nothing_left(rig)
    assert rig.dispatcher.memory()["total"] <= memory


def test_a_thousand_channels_opened_and_closed_one_after_the_other_grow_nothing(rig):
    def cycle(number):
        rig.sync(f"channel {number:04}", {"a": 0, "b.c": 0})
        rig.settle()
        rig.put("a")
        rig.dispatch()
        rig.dispatcher.close(f"channel {number:04}")
        rig.batches.clear()

    for number in range(1000):
        cycle(number)
    memory = rig.dispatcher.memory()["total"]
    for number in range(1000, 2000):
        cycle(number)
    assert nothing_left(rig)
    assert rig.dispatcher.memory()["total"] <= memory


@pytest.mark.parametrize("active", ["syncs", "acknowledges", "touches"])
@pytest.mark.parametrize("order", [("busy", "idle", "other"), ("idle", "busy", "other"), ("other", "busy", "idle")])
def test_a_channel_that_is_active_stays_and_an_idle_one_in_any_place_behind_it_is_closed(rig, active, order):
    for channel in order:
        rig.watch(channel, "of " + channel)
    acts = {
        "syncs": lambda: rig.sync("busy", {"of busy": rig.tree.index + 1}),
        "acknowledges": lambda: (rig.tree.put("of busy", b""), rig.settle()),
        "touches": lambda: rig.dispatcher.touch("busy"),
    }
    for _ in range(12):
        rig.advance(10)
        acts[active]()
        rig.dispatcher.touch("other")
        rig.dispatch()
    assert rig.dispatcher.channels() == ["busy", "other"]


def test_a_value_larger_than_a_batch_may_be_is_sent_alone_and_does_not_stop_the_rest():
    rig = Rig(max_batch_bytes=1000)
    for key in ("before", "large", "after"):
        rig.put(key, bytes(5000) if key == "large" else b"v")
    rig.sync("alice", {"before": 0, "large": 0, "after": 0})
    assert rig.keys_by(rig.settle) == [("alice", [key]) for key in ("before", "large", "after")]
    rig.put("large", bytes(6000))
    assert rig.keys_by(rig.settle) == [("alice", ["large"])]


def test_one_failing_watch_among_many_good_ones_delays_none_of_them(rig):
    good = [f"good{number}" for number in range(50)]
    rig.watch("alice", *good)
    rig.sync("alice", {"bad": 0})
    for seconds in (1, 10, 30, 60, 60):
        for batch in rig.batches_by(rig.dispatch):
            batch.acknowledge([ERROR if n.key == "bad" else OK for n in batch])
        for key in good:
            rig.put(key)
        assert rig.keys_by(rig.settle) == [("alice", good)]
        rig.advance(seconds)
    assert rig.keys_by(rig.settle) == [("alice", ["bad"])]


def test_ten_thousand_channels_on_one_key_need_a_hundred_steps_and_not_more():
    """Each step makes a hundred of them ready and serves them, so the hundredth is the last and is complete."""
    rig = Rig()
    for number in range(10_000):
        rig.dispatcher.sync(f"channel {number}", {"a": 1})
    rig.put("a")
    rig.tree.put("a", b"news", index=5)
    done = [rig.dispatcher.dispatch() for _ in range(100)]
    assert done == [False] * 99 + [True]
    assert [batch.channel for batch in rig.batches] == [f"channel {number}" for number in range(10_000)]
    assert {(n.key, n.index, n.value) for batch in rig.batches for n in batch} == {("a", 5, b"news")}
    rig.verify()


def test_ten_thousand_ready_channels_need_a_hundred_steps_and_not_more():
    rig = Rig()
    for number in range(10_000):
        rig.dispatcher.sync(f"channel {number}", {"a": 0})
    done = [rig.dispatcher.dispatch() for _ in range(100)]
    assert done == [False] * 99 + [True]
    assert len(rig.batches) == 10_000


def test_a_channel_that_always_has_news_does_not_starve_the_others():
    """G8: with n ready channels each is served within ceil(n / max_batch_size) steps."""
    rig = Rig(max_batch_size=3)
    rig.during_send = lambda batch: batch.acknowledge() if batch.channel == "busy" else None
    rig.watch("busy", "news")
    for number in range(10):
        rig.sync(f"channel {number}", {"a": 0})
    served = set()
    for _ in range(4):
        rig.put("news")
        served |= {channel for channel, _ in rig.sent_by(rig.dispatch)}
    assert served >= {f"channel {number}" for number in range(10)}


def test_a_channel_closed_from_the_transport_of_its_own_batch_leaves_nothing(rig):
    rig.during_send = lambda batch: rig.dispatcher.close(batch.channel)
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    assert nothing_left(rig)


def test_a_channel_that_moves_all_its_watches_while_a_cut_batch_is_in_flight_gets_the_new_ones(rig):
    rig = Rig(max_batch_bytes=30)
    rig.sync("alice", dict.fromkeys("abc", 0))
    batch = rig.send_one()
    assert batch.more
    rig.sync("alice", dict.fromkeys("xyz", 0), replace=True)
    rig.batches_by(batch.acknowledge)
    rig.settle()
    assert [n.key for sent in rig.batches[1:] for n in sent] == ["x", "y", "z"]


def test_a_watch_on_the_root_is_told_of_every_change_and_of_restoring_nothing_is_left(rig):
    rig.watch("alice", "")
    for change in (lambda: rig.put("a.b"), lambda: rig.tree.remove("a.b"), lambda: rig.tree.remove("a")):
        index = change()
        assert rig.sent_by(rig.settle) == [("alice", [("", State.DIRECTORY, index, None)])]
    rig.tree.restore(rig.tree.snapshot())
    assert nothing_left(rig)


def test_resuming_with_the_notified_indexes_repeats_nothing_and_misses_nothing(rig):
    """G5: what a subscriber was acknowledged, given back as known, is not sent again; what changed meanwhile is."""
    for key in ("kept", "changed", "removed"):
        rig.put(key)
    rig.watch("alice", "kept", "changed", "removed", "made", "never")
    known = {key: max(index, 1) for key, index in rig.dispatcher.watches("alice").items()}
    rig.dispatcher.close("alice")
    changed, _, made = rig.put("changed", b"2"), rig.tree.remove("removed"), rig.put("made")
    rig.sync("alice", known | {"never": rig.tree.index})
    [(_, told)] = rig.sent_by(rig.settle)
    assert sorted(told) == [
        ("changed", State.VALUE, changed, b"2"),
        ("made", State.VALUE, made, b"v"),
        ("removed", State.MISSING, rig.tree.index, None),  # nobody watched it at its removal
    ]


def test_a_large_sync_gives_its_memory_back(rig):
    before = rig.dispatcher.memory()
    rig.sync("alice", {f"key{i}": 0 for i in range(20_000)})
    rig.sync("alice", {"a": 0}, replace=True)
    rig.dispatcher.close("alice")
    after = rig.dispatcher.memory()
    assert after["total"] < before["total"] + 500_000


def test_unwatching_many_unknown_keys_takes_no_memory(rig):
    rig.sync("alice", {"a": 0})
    before = rig.dispatcher.memory()
    rig.sync("alice", {f"key{i}": -1 for i in range(20_000)})
    assert rig.dispatcher.memory()["total"] < before["total"] + 500_000


def test_an_image_that_changes_while_it_is_restored_does_no_harm():
    source = Tree()
    for i in range(20_000):
        source.put(f"d{i % 100}.k{i}", b"v", parents=True)
    image = bytearray(source.snapshot())
    whole = bytes(image)
    stop = threading.Event()

    def scribble():
        while not stop.is_set():
            image[44:] = bytes(len(image) - 44)
            image[44:] = whole[44:]

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        tree = Tree()
        for _ in range(20):
            with contextlib.suppress(InvalidSnapshot):
                tree.restore(image)
            tree.verify()
    finally:
        stop.set()
        writer.join()


def test_a_config_whose_checks_were_left_out_is_refused():
    @dataclass(frozen=True)
    class Careless(Config):
        def __post_init__(self):
            pass

    for bad in ({"backoff": ()}, {"backoff": (1.0,) * 17}, {"max_batch_size": 0}, {"answer_timeout": float("nan")}):
        with pytest.raises(ValueError, match="Config"):
            Dispatcher(Tree(), print, config=Careless(**bad))


def test_making_a_key_below_queued_holders_that_nobody_watches_any_more_keeps_the_queue_whole(rig):
    """The queue has room for what the change will queue, also where holders go while it is made."""
    way = [".".join("a" * depth) for depth in range(1, 16)]
    long_key = "l" * 70
    for key in ("x", long_key):
        rig.tree.put(key, b"1")
    rig.tree.mkdir(way[-1], parents=True)
    rig.watch("c", "x", *way)
    rig.tree.put("x", b"2")  # stays in front
    rig.tree.put(long_key, b"2")  # needs a large queue
    rig.tree.remove("a", recursive=True)
    rig.sync("c", {f"{way[-1]}.leaf": rig.tree.index})
    rig.sync("c", dict.fromkeys(way, -1))  # leaves vacant places behind
    rig.tree.put(f"{way[-1]}.leaf", b"3", parents=True)
    rig.verify()
    assert rig.keys_by(rig.settle) == [("c", ["x", f"{way[-1]}.leaf"])]
