"""The audit of the demonstration finds what it is there for: repetitions and losses."""

from __future__ import annotations

from watchtree import Node, Notification, State
from watchtree.cli.subscribers import Subscriber, truth


def note(key: str, index: int, value: bytes = b"v") -> Notification:
    return Notification(key, State.VALUE, index, value)


def registered(*, known: dict[str, int] | None = None, after_ticket: int = 0) -> Subscriber:
    subscriber = Subscriber("alice", ["a", "b", "a"])
    subscriber.registered(known or {"a": 0, "b": 0}, after_ticket)
    return subscriber


def test_a_sending_after_its_acknowledgement_is_a_duplicate() -> None:
    subscriber = registered()
    subscriber.acknowledged(1, [note("a", 5)])
    subscriber.check(2, [note("a", 5), note("b", 5)])
    (found,) = subscriber.duplicates
    assert found == "alice: a was sent at index 5 though 5 was acknowledged"


def test_a_sending_that_repeats_an_unacknowledged_one_is_none() -> None:
    subscriber = registered()
    subscriber.receive([note("a", 5)])
    subscriber.check(2, [note("a", 5)])
    subscriber.receive([note("a", 5)])
    assert (subscriber.duplicates, subscriber.delivered, subscriber.dropped) == ([], 1, 1)


def test_a_resumed_registration_must_not_repeat_what_was_known() -> None:
    subscriber = registered(known={"a": 5, "b": 0}, after_ticket=7)
    subscriber.check(7, [note("a", 5)])
    assert not subscriber.duplicates
    subscriber.check(8, [note("a", 5)])
    assert subscriber.duplicates


def test_an_acknowledgement_of_an_earlier_registration_says_nothing() -> None:
    subscriber = registered(after_ticket=7)
    subscriber.acknowledged(7, [note("a", 5)])
    subscriber.check(8, [note("a", 5)])
    assert not subscriber.duplicates


def test_what_is_not_newer_is_dropped() -> None:
    subscriber = registered()
    subscriber.receive([note("a", 5, b"new"), note("a", 4, b"old")])
    assert subscriber.known() == {"a": 5, "b": 0}
    assert (subscriber.delivered, subscriber.dropped) == (1, 1)


def test_a_difference_to_the_tree_is_found_whatever_it_is() -> None:
    right = truth(Node("a", b"v", False, 1, 5))
    for wrong in (
        [],
        [note("a", 4)],
        [note("a", 5, b"w")],
        [Notification("a", State.MISSING, 5, None)],
        [Notification("a", State.DIRECTORY, 5, None)],
    ):
        subscriber = registered()
        subscriber.receive([*wrong, Notification("b", State.MISSING, 0, None)])
        (found,) = subscriber.differences({"a": right, "b": truth(None)})
        assert found.startswith("alice: a is VALUE at index 5")


def test_what_agrees_with_the_tree_is_no_difference() -> None:
    subscriber = registered()
    subscriber.receive([note("a", 5), Notification("b", State.MISSING, 3, None)])
    assert subscriber.differences({"a": truth(Node("a", b"v", False, 1, 5)), "b": truth(None)}) == []
