"""How much one batch holds, and what follows a batch that was cut (contract §3, `max_batch_bytes` and `more`)."""

from __future__ import annotations

import pytest
from rig import Rig
from watchtree import Failure, Result, State

OK, REMOVE_WATCH, ERROR = Result.OK, Result.REMOVE_WATCH, Result.ERROR

ONE = 24 + 1 + 5
"""Bytes of a notification for a key of one letter with a value of five bytes."""


def rig_of(limit, keys="abcde", value=b"12345", **limits):
    """A rig in which alice has nothing of keys that all exist."""
    rig = Rig(max_batch_bytes=limit, **limits)
    for key in keys:
        rig.put(key, value)
    rig.sync("alice", dict.fromkeys(keys, 0))
    return rig


def keys_of(batch):
    return [notification.key for notification in batch]


def test_the_size_of_a_batch_is_24_bytes_and_key_and_value_for_each_notification(rig):
    rig.put("ключ", b"12345")
    rig.put("dir.child")
    rig.sync("alice", {"ключ": 0, "dir": 0, "missing": 0, "": 0})
    assert rig.send_one().size_bytes == (24 + 8 + 5) + (24 + 3) + (24 + 7) + 24


def test_a_batch_that_fits_is_not_cut():
    rig = rig_of(5 * ONE)
    batch = rig.send_one()
    assert keys_of(batch) == list("abcde")
    assert (batch.more, batch.size_bytes) == (False, 5 * ONE)


def test_a_batch_never_exceeds_the_limit():
    rig = rig_of(5 * ONE - 1)
    batch = rig.send_one()
    assert keys_of(batch) == list("abcd")
    assert (batch.more, batch.size_bytes) == (True, 4 * ONE)


def test_the_next_part_is_sent_as_soon_as_a_cut_batch_is_acknowledged():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    [second] = rig.batches_by(first.acknowledge)
    [third] = rig.batches_by(second.acknowledge)
    assert [keys_of(batch) for batch in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert [batch.more for batch in (first, second, third)] == [True, True, False]
    assert rig.batches_by(third.acknowledge) == []
    assert rig.state("alice") == "idle"


def test_the_next_part_has_a_ticket_of_its_own():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    [second] = rig.batches_by(first.acknowledge)
    assert (first.ticket, second.ticket) == (1, 2)
    assert rig.dispatcher.channel("alice").ticket == 2


def test_an_answer_by_ticket_sends_the_next_part_too():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    assert rig.keys_by(rig.dispatcher.answer, first.ticket) == [("alice", ["c", "d"])]


def test_per_watch_results_send_the_next_part_too():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    assert rig.keys_by(first.acknowledge, [ERROR, REMOVE_WATCH]) == [("alice", ["c", "d"])]


def test_a_failed_cut_batch_sends_no_next_part():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    assert rig.sent_by(first.fail, Failure.NETWORK) == []
    assert rig.sent_by(rig.dispatch) == []


def test_the_watches_of_a_failed_cut_batch_go_behind_the_rest():
    rig = rig_of(2 * ONE)
    rig.send_one().fail(Failure.NETWORK)
    rig.advance(1)
    assert rig.keys_by(rig.settle) == [("alice", ["c", "d"]), ("alice", ["e", "a"]), ("alice", ["b"])]


CLOSING = {
    "remove_all": lambda batch: batch.remove_all(),
    "wrong number": lambda batch: batch.acknowledge([OK]),
    "permanent": lambda batch: batch.fail(Failure.STOPPING),
}


@pytest.mark.parametrize("answer", CLOSING.values(), ids=CLOSING)
def test_an_answer_that_closes_the_channel_sends_no_next_part(answer):
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    assert rig.sent_by(answer, first) == []
    assert rig.dispatcher.channels() == []


def test_an_ignored_answer_sends_no_next_part():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    first.acknowledge()
    assert rig.sent_by(first.acknowledge) == []


def test_the_next_part_shows_the_state_at_its_own_moment():
    rig = rig_of(2 * ONE, keys="abc")
    first = rig.send_one()
    index = rig.put("c", b"newer")
    assert rig.sent_by(first.acknowledge) == [("alice", [("c", State.VALUE, index, b"newer")])]


def test_watches_due_again_go_behind_the_rest_of_a_cut_batch():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    rig.put("a", b"newer")
    assert rig.keys_by(first.acknowledge) == [("alice", ["c", "d"])]
    assert rig.keys_by(rig.settle) == [("alice", ["e", "a"])]


def test_a_cut_batch_whose_rest_is_no_longer_due_is_followed_by_nothing():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    rig.sync("alice", {"c": 100, "d": 100, "e": 100})
    assert rig.sent_by(first.acknowledge) == []
    assert rig.state("alice") == "idle"


def test_a_cut_batch_whose_rest_was_dropped_is_followed_by_nothing():
    rig = rig_of(2 * ONE)
    first = rig.send_one()
    rig.sync("alice", {"c": -1, "d": -1, "e": -1})
    assert rig.sent_by(first.acknowledge) == []
    assert rig.state("alice") == "idle"


def test_there_is_more_only_where_another_due_watch_was_left():
    rig = rig_of(2 * ONE, keys="abc")
    rig.sync("alice", {"c": 100})
    batch = rig.send_one()
    assert keys_of(batch) == ["a", "b"]
    assert not batch.more


def test_watches_left_behind_that_are_not_due_do_not_hide_one_that_is():
    rig = rig_of(2 * ONE)
    rig.sync("alice", {"c": 100, "d": 100})
    batch = rig.send_one()
    assert batch.more
    assert rig.keys_by(batch.acknowledge) == [("alice", ["e"])]


def test_a_small_notification_does_not_overtake_a_large_one_that_does_not_fit():
    rig = Rig(max_batch_bytes=100)
    rig.put("a", bytes(40))
    rig.put("b", bytes(50))
    rig.put("c", b"")
    rig.sync("alice", {"a": 0, "b": 0, "c": 0})
    assert rig.keys_by(rig.settle) == [("alice", ["a"]), ("alice", ["b", "c"])]


@pytest.mark.parametrize("first", ["large", "small"])
def test_a_notification_larger_than_the_limit_goes_alone(first):
    rig = Rig(max_batch_bytes=100)
    rig.put("large", bytes(200))
    rig.put("small", b"")
    order = ["large", "small"] if first == "large" else ["small", "large"]
    rig.sync("alice", dict.fromkeys(order, 0))
    sent = rig.batches_by(rig.settle)
    assert [keys_of(batch) for batch in sent] == [[key] for key in order]
    assert [batch.size_bytes for batch in sent if keys_of(batch) == ["large"]] == [24 + 5 + 200]


def test_with_the_least_limit_each_notification_goes_alone():
    rig = rig_of(1)
    assert rig.keys_by(rig.settle) == [("alice", [key]) for key in "abcde"]


def test_the_default_limit_is_80_kib(rig):
    for key in "abcd":
        rig.put(key, bytes(20 * 1024 - 25))
    rig.sync("alice", dict.fromkeys("abcd", 0))
    batch = rig.send_one()
    assert (batch.size_bytes, batch.more) == (80 * 1024, False)
    batch.acknowledge()
    rig.put("e", b"")
    rig.sync("alice", dict.fromkeys("abcde", 0))
    assert rig.keys_by(rig.settle) == [("alice", ["a", "b", "c", "d"]), ("alice", ["e"])]


def test_a_cut_batch_is_one_item_of_a_step():
    rig = rig_of(ONE, max_batch_size=1)
    assert rig.dispatch()
    assert len(rig.batches) == 1


def test_a_cut_batch_in_flight_leaves_the_rest_ready_and_the_step_complete():
    rig = rig_of(2 * ONE)
    rig.dispatch()
    assert rig.dispatch()
    assert len(rig.batches) == 1
    assert rig.dispatcher.channel("alice").ready_watches == 3


def test_the_next_part_is_handed_over_behind_the_batches_of_the_step():
    rig = rig_of(2 * ONE, keys="abc")
    rig.sync("bob", {"a": 0})
    rig.during_send = lambda batch: batch.acknowledge()
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"]), ("bob", ["a"]), ("alice", ["c"])]


def test_an_overdue_next_part_is_counted_from_its_own_sending():
    rig = rig_of(2 * ONE, keys="abc")
    first = rig.send_one()
    rig.advance(10)
    [second] = rig.batches_by(first.acknowledge)
    rig.advance(10)
    rig.dispatch()
    assert rig.state("alice") == "in_flight"
    rig.advance(5)
    rig.dispatch()
    assert rig.state("alice") == "backing_off"
    assert not second.acknowledge()


def test_a_cut_channel_that_changes_all_the_time_lets_the_step_end_and_the_others_be_served():
    rig = rig_of(2 * ONE)
    rig.sync("bob", {"a": 0})
    rig.settle()
    rig.batches.clear()

    def change_everything():
        for key in "abcde":
            rig.put(key, b"12345")

    def acknowledge_and_change(batch):
        assert len(rig.batches) < 20, "the step does not end"
        batch.acknowledge()
        change_everything()

    change_everything()
    rig.during_send = acknowledge_and_change
    rig.dispatch()
    sizes = [(batch.channel, len(batch)) for batch in rig.batches]
    assert sizes == [("alice", 2), ("bob", 1), ("alice", 2), ("alice", 2)]
    assert rig.errors == []
    assert rig.dispatcher.next_deadline() == 0
