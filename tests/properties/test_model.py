"""The model by itself: each rule of the contract's §1 to §3 on an example worked out by hand.

An oracle is believed, so it is tested without the engine that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from watchtree.config import Config
from watchtree.errors import (
    CompareFailed,
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
    ValueTooLong,
    WrongResultCount,
)
from watchtree.records import CompareAndSet, Mkdir, Node, Notification, Put, Remove
from watchtree.testing import ModelBatch, ModelDispatcher, ModelTree
from watchtree.words import REMOVE_ALL_WATCHES, Failure, Result, State

pytestmark = pytest.mark.pure

SECOND = 10**9
Sent = list[tuple[str, list[Notification]]]


class Bench:
    """A model tree and dispatcher, a clock that is moved, and a transport that remembers."""

    def __init__(self, **limits: Any) -> None:
        self.errors: list[tuple[str, str]] = []
        self.batches: list[ModelBatch] = []
        self.now = 0
        self.config = Config(
            on_error=lambda error, channel: self.errors.append((type(error).__name__, channel)), **limits
        )
        self.tree = ModelTree(config=self.config)
        self.dispatcher = ModelDispatcher(self.tree, self.send, config=self.config, clock=lambda: self.now)

    def send(self, batch: ModelBatch) -> None:
        self.batches.append(batch)

    def put(self, key: str, value: bytes = b"v") -> int:
        return self.tree.put(key, value, parents=True)

    def sync(self, channel: str, known: Mapping[str, int], replace: bool = False) -> None:
        self.dispatcher.sync(channel, known, replace)
        self.dispatcher.verify()

    def sent_by_dispatch(self, *, after: float = 0) -> Sent:
        """What the next step sends, when so many seconds have passed."""
        self.now += round(after * SECOND)
        del self.batches[:]
        self.dispatcher.dispatch()
        self.dispatcher.verify()
        return self.sent()

    def sent(self) -> Sent:
        return [(batch.channel, list(batch)) for batch in self.batches]

    def acknowledge(self, results: list[int] | None = None) -> None:
        for batch in list(self.batches):
            assert batch.acknowledge(results)
        self.dispatcher.verify()

    def watch(self, channel: str, *keys: str) -> None:
        """Watch keys and acknowledge their first notifications."""
        self.sync(channel, dict.fromkeys(keys, 0))
        while self.sent_by_dispatch():
            self.acknowledge()


@pytest.fixture
def bench() -> Bench:
    return Bench()


# §1, the tree


@pytest.mark.parametrize("key", [".", "a.", ".a", "a..b", "a\n", "\x00", "a.\x7f", "\x85", "\ud800", "a.\udfff"])
def test_a_key_with_an_empty_part_a_control_character_or_a_surrogate_is_invalid(key: str) -> None:
    tree = ModelTree()
    with pytest.raises(InvalidKey):
        tree.put(key, b"")
    assert key not in tree


def test_limits_count_bytes_of_utf8() -> None:
    tree = ModelTree(config=Config(max_key_bytes=4, max_value_bytes=2))
    assert tree.put("éé", b"12") == 1
    with pytest.raises(KeyTooLong):
        tree.get("ééa")
    with pytest.raises(ValueTooLong):
        tree.put("a", b"123")


def test_keys_are_ordered_by_parts_and_parents_stand_before_their_children() -> None:
    tree = ModelTree()
    for key in ("é", "a!", "b", "a.b"):
        tree.mkdir(key, parents=True)
    assert list(tree) == ["a", "a.b", "a!", "b", "é"]
    assert len(tree) == 5


def test_a_change_moves_the_update_index_of_every_ancestor() -> None:
    tree = ModelTree()
    tree.put("a.b.c", b"1", parents=True)
    tree.put("d", b"2")
    tree.put("a.b.c", b"3", index=9)
    assert tree.get_many(["", "a", "a.b", "a.b.c", "d", "e"]) == [
        Node("", None, True, 0, 9),
        Node("a", None, True, 1, 9),
        Node("a.b", None, True, 1, 9),
        Node("a.b.c", b"3", False, 1, 9),
        Node("d", b"2", False, 2, 2),
        None,
    ]


def test_a_failed_operation_uses_no_index() -> None:
    tree = ModelTree()
    tree.put("value", b"")
    tree.put("directory.value", b"", parents=True)
    failures: list[tuple[type[Exception], Callable[[], object]]] = [
        (ParentNotFound, lambda: tree.put("x.y", b"")),
        (ParentNotFound, lambda: tree.put("value.x.y", b"")),
        (ParentNotDirectory, lambda: tree.put("value.x", b"")),
        (ParentNotDirectory, lambda: tree.put("value.x.y", b"", parents=True)),
        (IsDirectory, lambda: tree.put("directory", b"")),
        (IsDirectory, lambda: tree.put("", b"")),
        (HasChildren, lambda: tree.remove("directory")),
        (NotFound, lambda: tree.remove("x")),
        (InvalidKey, lambda: tree.remove("", recursive=True)),
        (CompareFailed, lambda: tree.compare_and_set("value", None, b"")),
        (CompareFailed, lambda: tree.compare_and_set("x", b"", None)),
        (NotFound, lambda: tree.compare_and_set("x", None, None)),
        (IsDirectory, lambda: tree.compare_and_set("directory", None, None)),
        (StaleIndex, lambda: tree.put("value", b"", index=2)),
        (ValueError, lambda: tree.put("value", b"", index=2**63)),
    ]
    for error, fail in failures:
        with pytest.raises(error):
            fail()
    assert (tree.index, len(tree)) == (2, 3)
    with pytest.raises(NotDirectory):
        tree.list("value")


def test_the_form_of_an_argument_is_looked_at_before_the_index_and_the_index_before_the_tree() -> None:
    tree = ModelTree()
    with pytest.raises(TypeError):
        tree.put(".", b"", index="0")  # type: ignore[arg-type]
    with pytest.raises(InvalidKey):
        tree.put(".", b"", index=0)
    with pytest.raises(InvalidKey):
        tree.remove("", index=0)
    with pytest.raises(StaleIndex):
        tree.put("", b"", index=0)


def test_a_batch_has_one_index_and_its_items_see_what_earlier_ones_did() -> None:
    tree = ModelTree()
    answers = tree.batch(
        [Put("a.b", b""), Mkdir("a"), Put("a.b", b"x"), CompareAndSet("a.b", b"x", b"y"), Remove("a"), Put(".", b"")],
        index=5,
    )
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [
        ParentNotFound,
        5,
        5,
        5,
        HasChildren,
        InvalidKey,
    ]
    assert (tree.index, tree.get("a.b").value) == (5, b"y")
    assert [type(answer) for answer in tree.batch([Remove("x")])] == [NotFound]
    assert tree.index == 5
    with pytest.raises(StaleIndex):
        tree.batch([], index=5)
    with pytest.raises(TypeError):
        tree.batch([Put("c", b""), "d"])  # type: ignore[list-item]
    assert "c" not in tree


def test_a_snapshot_is_not_disturbed_by_later_changes_and_a_damaged_one_is_refused() -> None:
    tree = ModelTree()
    tree.put("a.b", b"\x00\xff", parents=True)
    nodes, image = tree.get_many(["", "a", "a.b"]), tree.snapshot()
    tree.remove("a", recursive=True)
    other = ModelTree.from_snapshot(image)
    assert (other.get_many(["", "a", "a.b"]), other.id, other.index) == (nodes, tree.id, 1)
    for damaged in (b"", image[:-1], image + b"\x00", bytes([image[0] ^ 1]) + image[1:]):
        with pytest.raises(InvalidSnapshot):
            tree.restore(damaged)
    assert tree.index == 2


# §2, watches


def test_a_sync_with_nothing_known_brings_each_state_once(bench: Bench) -> None:
    bench.put("a.b", b"v")
    bench.sync("x", {"a.b": 0, "a": 0, "a.c": 0})
    assert bench.sent_by_dispatch() == [
        ("x", [("a.b", State.VALUE, 1, b"v"), ("a", State.DIRECTORY, 1, None), ("a.c", State.MISSING, 1, None)])
    ]
    bench.acknowledge()
    assert bench.sent_by_dispatch() == []
    assert bench.dispatcher.watches("x") == {"a": 1, "a.b": 1, "a.c": 1}


def test_a_missing_key_on_an_empty_tree_is_notified_at_index_0(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    assert bench.sent_by_dispatch() == [("x", [("a", State.MISSING, 0, None)])]


def test_a_known_index_is_notified_only_of_what_is_newer(bench: Bench) -> None:
    bench.put("a")
    bench.sync("x", {"a": 1})
    assert bench.sent_by_dispatch() == []
    bench.put("a", b"w")
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 2, b"w")])]


def test_an_index_beyond_the_tree_waits(bench: Bench) -> None:
    bench.sync("x", {"a": 2})
    bench.put("a")
    bench.put("a")
    assert bench.sent_by_dispatch() == []
    bench.put("a", b"w")
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 3, b"w")])]


def test_a_missing_key_keeps_its_index_while_directories_above_it_come_and_go(bench: Bench) -> None:
    bench.put("other")
    bench.watch("x", "a.b.c")
    assert bench.dispatcher.watches("x") == {"a.b.c": 1}
    bench.tree.mkdir("a.b", parents=True)
    bench.tree.remove("a", recursive=True)
    assert bench.sent_by_dispatch() == []
    bench.sync("y", {"a.b.c": 0})
    assert bench.sent_by_dispatch() == [("y", [("a.b.c", State.MISSING, 1, None)])]


def test_a_removed_key_has_the_index_of_its_removal(bench: Bench) -> None:
    bench.put("a.b.c")
    bench.watch("x", "a.b.c")
    bench.tree.remove("a", recursive=True)
    bench.put("other")
    assert bench.sent_by_dispatch() == [("x", [("a.b.c", State.MISSING, 2, None)])]
    bench.sync("y", {"a.b": 0})
    assert bench.sent_by_dispatch() == [("y", [("a.b", State.MISSING, 2, None)])]


def test_a_holder_made_after_the_removal_takes_the_index_of_the_nearest_ancestor(bench: Bench) -> None:
    bench.put("a")
    bench.tree.remove("a")
    bench.put("b")
    bench.sync("x", {"a.b": 0})
    assert bench.sent_by_dispatch() == [("x", [("a.b", State.MISSING, 3, None)])]


def test_holders_are_counted_and_freed(bench: Bench) -> None:
    bench.put("a.b")
    bench.watch("x", "a.b.c.d", "a")
    assert bench.dispatcher.stats().holders == 4  # a.b.c.d, a.b.c, a.b and a
    bench.put("z")
    bench.tree.remove("a", recursive=True)
    assert bench.dispatcher.stats().holders == 5  # a.b.c.d, a.b.c, a.b, a and the root
    bench.sync("x", {"a.b.c.d": -1})
    assert bench.dispatcher.stats().holders == 2
    bench.dispatcher.close("x")
    assert bench.dispatcher.stats().holders == 0


def test_an_item_of_a_batch_moves_a_missing_key_that_was_made_and_removed(bench: Bench) -> None:
    bench.watch("x", "a")
    bench.tree.batch([Put("a", b""), Remove("a")])
    assert bench.sent_by_dispatch() == [("x", [("a", State.MISSING, 1, None)])]


def test_replace_drops_what_is_not_named_after_the_named_keys_were_registered(bench: Bench) -> None:
    bench.put("other")
    bench.watch("x", "a.b")
    bench.put("other")
    bench.sync("x", {"a.c": 0}, replace=True)
    assert bench.dispatcher.watches("x") == {"a.c": -1}
    bench.sync("x", {"a": 0})
    assert bench.sent_by_dispatch() == [("x", [("a.c", State.MISSING, 2, None), ("a", State.MISSING, 1, None)])]


def test_a_channel_without_watches_is_closed_or_not_made(bench: Bench) -> None:
    bench.sync("x", {}, replace=True)
    bench.sync("x", {"a": -1})
    assert bench.dispatcher.channels() == []
    bench.sync("x", {"a": 0, "b": 0})
    bench.sync("x", {"a": -1, "b": -1})
    assert bench.dispatcher.channels() == []
    bench.sync("x", {"a": 0})
    bench.sync("x", {}, replace=True)
    assert bench.dispatcher.channels() == []


def test_a_bad_entry_refuses_the_whole_sync(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    for error, known in (
        (InvalidKey, [("b", 0), (".", 0)]),
        (ValueError, [("b", 0), ("c", -2)]),
        (ValueError, [("b", 0), ("c", 2**63)]),
        (DuplicateKey, [("b", 0), ("b", 1)]),
        (TypeError, [("b", 0), ("c", "1")]),
    ):
        with pytest.raises(error):
            bench.dispatcher.sync("x", known, replace=True)  # type: ignore[arg-type]
    assert bench.dispatcher.watches("x") == {"a": -1}


def test_a_new_registration_forgets_what_is_in_flight(bench: Bench) -> None:
    bench.put("a")
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    bench.sync("x", {"a": 0})
    bench.acknowledge()
    assert bench.dispatcher.watches("x") == {"a": -1}
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 1, b"v")])]
    assert bench.dispatcher.stats().acknowledged == 0
    assert bench.dispatcher.stats().resent == 0


def test_a_lower_index_is_taken_and_an_acknowledgement_lowers_nothing(bench: Bench) -> None:
    bench.put("a")
    bench.put("a", b"w")
    bench.watch("x", "a")
    bench.sync("x", {"a": 1})
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 2, b"w")])]
    bench.sync("x", {"a": 7})
    bench.acknowledge()
    assert bench.dispatcher.watches("x") == {"a": 7}


# §3, the step


def test_many_changes_become_one_notification_with_the_newest_state(bench: Bench) -> None:
    bench.watch("x", "a", "")
    for value in (b"1", b"2", b"3"):
        bench.put("a", value)
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 3, b"3"), ("", State.DIRECTORY, 3, None)])]
    assert bench.dispatcher.stats().coalesced == 4
    assert bench.dispatcher.channel("x").coalesced == 0


def test_a_recursive_removal_tells_children_before_their_parent(bench: Bench) -> None:
    for key in ("a.b.c", "a.b.d", "a.e"):
        bench.put(key)
    bench.watch("x", "", "a", "a.b", "a.e", "a.b.d", "a.b.c")
    bench.tree.remove("a", recursive=True)
    (notifications,) = (each for _, each in bench.sent_by_dispatch())
    assert [key for key, *_ in notifications] == ["a.b.c", "a.b.d", "a.b", "a.e", "a", ""]


def test_channels_become_ready_in_the_order_their_watches_were_registered(bench: Bench) -> None:
    bench.watch("x", "a")
    bench.watch("y", "a")
    bench.watch("x", "a")  # registered again, so behind y
    bench.put("a")
    assert [channel for channel, _ in bench.sent_by_dispatch()] == ["y", "x"]


def test_a_limit_cuts_a_holder_short_and_the_next_step_goes_on_with_the_rest() -> None:
    bench = Bench(max_batch_size=2)
    for channel in "abc":
        bench.watch(channel, "key")
    bench.put("key", b"1")
    assert bench.dispatcher.dispatch() is False
    assert bench.dispatcher.stats().changed_holders == 1
    bench.put("key", b"2")
    assert bench.dispatcher.stats().changed_holders == 2
    assert bench.sent_by_dispatch() == [("c", [("key", State.VALUE, 2, b"2")])]


def test_a_step_ends_unfinished_only_if_something_is_left() -> None:
    bench = Bench(max_batch_size=2)
    bench.sync("x", {"a": 0})
    bench.sync("y", {"a": 0})
    assert bench.dispatcher.dispatch() is True
    bench.sync("z", {"a": 0})
    bench.sync("v", {"a": 0})
    bench.sync("w", {"a": 0})
    assert bench.dispatcher.dispatch() is False
    assert bench.dispatcher.dispatch() is True
    assert bench.dispatcher.stats().unfinished_steps == 1


def test_a_batch_is_cut_at_its_limit_and_the_next_part_follows_the_acknowledgement() -> None:
    bench = Bench(max_batch_bytes=60)
    for key in "abc":
        bench.put(key, b"12345")
    bench.sync("x", {"a": 0, "b": 0, "c": 0})
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 1, b"12345"), ("b", State.VALUE, 2, b"12345")])]
    assert (bench.batches[0].more, bench.batches[0].size_bytes) == (True, 60)
    assert bench.batches.pop().acknowledge()
    assert bench.sent() == [("x", [("c", State.VALUE, 3, b"12345")])]
    assert not bench.batches[0].more


def test_a_notification_larger_than_the_limit_goes_alone() -> None:
    bench = Bench(max_batch_bytes=30)
    bench.put("a", b"x" * 100)
    bench.put("b", b"")
    bench.sync("x", {"a": 0, "b": 0})
    assert [key for _, each in bench.sent_by_dispatch() for key, *_ in each] == ["a"]
    assert bench.batches[0].size_bytes == 125


def test_a_channel_that_has_nothing_due_gets_no_batch(bench: Bench) -> None:
    bench.put("a")
    bench.sync("x", {"a": 0})
    bench.sync("x", {"a": 1})
    assert bench.dispatcher.channel("x").state == "ready"
    assert bench.sent_by_dispatch() == []
    assert bench.dispatcher.channel("x").state == "idle"


def test_the_batches_of_a_channel_closed_meanwhile_are_not_handed_over(bench: Bench) -> None:
    def close_y(batch: ModelBatch) -> None:
        bench.batches.append(batch)
        if batch.channel == "x":
            bench.dispatcher.close("y")
            bench.dispatcher.sync("y", {"a": 0})
            bench.dispatcher.dispatch()

    dispatcher = bench.dispatcher = ModelDispatcher(bench.tree, close_y, config=bench.config, clock=lambda: bench.now)
    dispatcher.sync("x", {"a": 0})
    dispatcher.sync("y", {"a": 0})
    dispatcher.dispatch()
    assert [(batch.channel, batch.ticket) for batch in bench.batches] == [("x", 1), ("y", 3)]
    assert dispatcher.stats().batches_sent == 3


# §3, answers


def test_a_change_during_the_flight_is_sent_after_the_acknowledgement(bench: Bench) -> None:
    bench.put("a", b"1")
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    bench.put("a", b"2")
    bench.acknowledge()
    assert bench.dispatcher.channel("x").state == "ready"
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 2, b"2")])]


def test_a_failed_batch_is_sent_again_after_each_back_off(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    for pause in (1, 10, 30, 60, 60):
        assert bench.batches[0].fail(Failure.NETWORK)
        assert bench.sent_by_dispatch(after=pause - 1e-9) == []
        assert bench.dispatcher.next_deadline() == 1e-9
        bench.dispatcher.touch("x")
        assert bench.sent_by_dispatch(after=1e-9) == [("x", [("a", State.MISSING, 0, None)])]
    stats = bench.dispatcher.channel("x")
    assert (stats.failure_count, stats.resent, stats.failures["NETWORK"]) == (5, 5, 5)


@pytest.mark.parametrize("reason", [Failure.CLIENT_ERROR, Failure.STOPPING, Failure.COMMAND_NOT_SUPPORTED])
def test_a_permanent_failure_closes_the_channel(bench: Bench, reason: Failure) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    assert bench.batches[0].fail(reason)
    assert bench.dispatcher.channels() == []
    assert bench.dispatcher.stats().failures[reason.name] == 1
    assert bench.dispatcher.next_deadline() is None


def test_no_answer_is_a_failure_from_the_deadline_on(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    (batch,) = bench.batches
    assert bench.sent_by_dispatch(after=15 - 1e-9) == []
    assert bench.dispatcher.channel("x").state == "in_flight"
    assert bench.sent_by_dispatch(after=1e-9) == []
    assert bench.dispatcher.channel("x").state == "backing_off"
    assert bench.dispatcher.stats().failures["TIMEOUT"] == 1
    assert batch.acknowledge() is False
    assert bench.dispatcher.stats().ignored_answers == 1


def test_a_watch_with_an_error_is_sent_again_alone_after_its_own_back_off(bench: Bench) -> None:
    bench.sync("x", {"a": 0, "b": 0})
    bench.sent_by_dispatch()
    bench.acknowledge([7, Result.OK])
    bench.put("b")
    assert bench.sent_by_dispatch() == [("x", [("b", State.VALUE, 1, b"v")])]
    bench.acknowledge()
    assert bench.sent_by_dispatch(after=1) == [("x", [("a", State.MISSING, 0, None)])]
    assert bench.dispatcher.channel("x").watch_errors == 1


def test_a_watch_in_its_back_off_leaves_it_by_a_sync_with_0_only(bench: Bench) -> None:
    bench.put("a")
    bench.put("a")
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    bench.acknowledge([Result.ERROR])
    bench.sync("x", {"a": 1})
    assert bench.dispatcher.channel("x").backing_off == 1
    assert bench.sent_by_dispatch() == []
    bench.sync("x", {"a": 0})
    assert bench.dispatcher.channel("x").backing_off == 0
    assert bench.sent_by_dispatch() == [("x", [("a", State.VALUE, 2, b"v")])]


def test_a_retry_that_finds_nothing_to_send_ends_the_back_off(bench: Bench) -> None:
    bench.put("a")
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    bench.batches[0].fail(Failure.NETWORK)
    bench.sync("x", {"a": 1})
    assert bench.sent_by_dispatch(after=1) == []
    stats = bench.dispatcher.channel("x")
    assert (stats.state, stats.failure_count) == ("idle", 0)


def test_results_can_remove_a_watch_and_the_last_one_closes_the_channel(bench: Bench) -> None:
    bench.sync("x", {"a": 0, "b": 0})
    bench.sent_by_dispatch()
    bench.acknowledge([Result.REMOVE_WATCH, Result.OK])
    assert bench.dispatcher.watches("x") == {"b": 0}
    bench.put("b")
    bench.sent_by_dispatch()
    bench.acknowledge([Result.REMOVE_WATCH])
    assert bench.dispatcher.channels() == []
    assert bench.dispatcher.stats().batches_acknowledged == 2


def test_an_answer_that_removes_all_watches_closes_the_channel(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    assert bench.dispatcher.answer(1, REMOVE_ALL_WATCHES)
    assert bench.dispatcher.channels() == []
    assert bench.dispatcher.stats().batches_acknowledged == 1


def test_a_wrong_number_of_results_closes_the_channel_and_is_reported(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    assert bench.batches[0].acknowledge([])
    assert bench.dispatcher.channels() == []
    assert bench.errors == [(WrongResultCount.__name__, "x")]
    stats = bench.dispatcher.stats()
    assert (stats.batches_acknowledged, sum(stats.failures.values())) == (0, 0)


def test_a_transport_that_raises_has_failed_to_send_that_batch(bench: Bench) -> None:
    def send(batch: ModelBatch) -> None:
        if batch.channel == "x":
            raise OSError
        bench.send(batch)

    dispatcher = ModelDispatcher(bench.tree, send, config=bench.config, clock=lambda: bench.now)
    dispatcher.sync("x", {"a": 0})
    dispatcher.sync("y", {"a": 0})
    assert dispatcher.dispatch()
    assert bench.sent() == [("y", [("a", State.MISSING, 0, None)])]
    assert bench.errors == [("OSError", "x")]
    assert dispatcher.channel("x").state == "backing_off"
    assert dispatcher.stats().failures["RAISED"] == 1


def test_what_is_no_exception_is_raised_from_the_call_that_was_sending(bench: Bench) -> None:
    def send(batch: ModelBatch) -> None:
        raise KeyboardInterrupt

    dispatcher = ModelDispatcher(bench.tree, send, config=bench.config)
    dispatcher.sync("x", {"a": 0})
    with pytest.raises(KeyboardInterrupt):
        dispatcher.dispatch()
    assert bench.errors == []


def test_the_transport_is_never_called_again_before_it_returned(bench: Bench) -> None:
    inside = 0

    def send(batch: ModelBatch) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        bench.send(batch)
        if len(bench.batches) < 5:
            bench.put("a", bytes([len(bench.batches)]))
            batch.acknowledge()
            bench.dispatcher.dispatch()
        inside -= 1

    bench.dispatcher = ModelDispatcher(bench.tree, send, config=bench.config, clock=lambda: bench.now)
    bench.dispatcher.sync("x", {"a": 0})
    bench.dispatcher.dispatch()
    assert [notified[0][2] for _, notified in bench.sent()] == [0, 1, 2, 3, 4]


def test_a_silent_channel_is_closed_and_an_active_one_is_not(bench: Bench) -> None:
    for channel in ("touched", "synced", "answered", "failed", "silent"):
        bench.sync(channel, {"a": 0})
    bench.sent_by_dispatch()
    by_channel = {batch.channel: batch for batch in bench.batches}
    bench.now = 14 * SECOND
    assert bench.dispatcher.touch("touched") == 1
    bench.dispatcher.sync("synced", {})
    by_channel["answered"].acknowledge()
    by_channel["failed"].fail(Failure.NETWORK)
    bench.now = 120 * SECOND
    bench.dispatcher.dispatch()
    assert bench.dispatcher.channels() == ["answered", "synced", "touched"]
    assert bench.dispatcher.stats().silent_channels == 2
    assert bench.dispatcher.touch("silent") == 0


def test_a_reset_starts_an_epoch_without_channels_and_tickets_go_on(bench: Bench) -> None:
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    (batch,) = bench.batches
    bench.dispatcher.reset()
    assert batch.acknowledge() is False
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    assert (bench.batches[0].ticket, bench.batches[0].epoch, bench.dispatcher.epoch) == (2, 2, 2)
    bench.tree.restore(bench.tree.snapshot())
    assert (bench.dispatcher.epoch, bench.dispatcher.channels()) == (3, [])


def test_the_clock_is_never_taken_backwards(bench: Bench) -> None:
    bench.now = 100 * SECOND
    bench.sync("x", {"a": 0})
    bench.sent_by_dispatch()
    bench.now = 0
    assert bench.dispatcher.next_deadline() == 15.0


def test_an_answer_cannot_be_both_results_and_a_failure(bench: Bench) -> None:
    with pytest.raises(ValueError, match="both"):
        bench.dispatcher.answer(1, [], failure=Failure.NETWORK)
    with pytest.raises(TypeError):
        bench.dispatcher.answer(1, ["OK"])  # type: ignore[list-item]
    with pytest.raises(UnknownChannel):
        bench.dispatcher.channel("x")
