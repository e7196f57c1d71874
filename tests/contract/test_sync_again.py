"""A sync that names keys which the channel watches already (contract §2, `sync`)."""

from __future__ import annotations

from watchtree import Failure, Result, State

OK, REMOVE_WATCH, ERROR = Result.OK, Result.REMOVE_WATCH, Result.ERROR


def test_a_sync_with_0_on_a_watched_key_sends_its_state_once_more(rig):
    index = rig.put("a", b"v")
    rig.watch("alice", "a")
    rig.sync("alice", {"a": 0})
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"v")])]


def test_a_sync_with_0_on_a_watched_key_makes_no_second_watch(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.touch("alice") == 1
    rig.settle()
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_two_syncs_with_0_before_a_step_send_one_notification(rig):
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": 0})
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_a_sync_with_0_makes_the_watch_never_notified(rig):
    rig.put("a")
    rig.watch("alice", "a")
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.watches("alice") == {"a": -1}


def test_a_sync_with_0_forgets_what_is_in_flight_for_the_watch(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0})
    assert batch.acknowledge()
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_a_sync_with_0_in_flight_starts_no_second_batch(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one()
    rig.sync("alice", {"a": 0})
    assert rig.sent_by(rig.dispatch) == []
    assert rig.state("alice") == "in_flight"


def test_a_result_for_an_earlier_registration_is_ignored_for_that_watch_only(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 0})
    assert batch.acknowledge([REMOVE_WATCH, REMOVE_WATCH])
    assert rig.dispatcher.watches("alice") == {"a": -1}


def test_a_sync_with_0_ends_the_back_off_of_the_watch(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.stats().backing_off == 0
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_sync_with_0_clears_the_failures_of_the_watch(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([ERROR])
    rig.advance(1)
    rig.send_one().acknowledge([ERROR])
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([ERROR])
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_the_back_off_that_a_sync_with_0_ended_sends_nothing_when_its_time_comes(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().acknowledge([ERROR])
    rig.sync("alice", {"a": 0})
    rig.settle()
    rig.advance(1)
    assert rig.sent_by(rig.settle) == []


def test_a_sync_with_0_does_not_end_the_back_off_of_the_channel(rig):
    rig.sync("alice", {"a": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.sync("alice", {"a": 0})
    assert rig.state("alice") == "backing_off"
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_sync_with_0_counts_as_registered_now_behind_the_holders_other_watches(rig):
    for channel in ("alice", "bob", "carol"):
        rig.watch(channel, "a")
    rig.watch("alice", "a")
    rig.put("a")
    assert rig.keys_by(rig.dispatch) == [("bob", ["a"]), ("carol", ["a"]), ("alice", ["a"])]


def test_a_sync_with_a_positive_index_keeps_the_place_on_the_holder(rig):
    for channel in ("alice", "bob"):
        rig.watch(channel, "a")
    rig.sync("alice", {"a": rig.put("b")})
    rig.put("a")
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"]), ("bob", ["a"])]


def test_a_sync_with_0_of_a_ready_watch_keeps_its_place_in_the_batch(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.sync("alice", {"a": 0})
    assert rig.keys_by(rig.dispatch) == [("alice", ["a", "b"])]


def test_a_sync_with_0_of_an_idle_watch_goes_behind_the_ready_ones(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {"b": 0})
    rig.sync("alice", {"a": 0})
    assert rig.keys_by(rig.dispatch) == [("alice", ["b", "a"])]


def test_a_positive_index_on_a_watched_key_sets_the_notified_index(rig):
    rig.put("a")
    rig.watch("alice", "a")
    rig.sync("alice", {"a": 7})
    assert rig.dispatcher.watches("alice") == {"a": 7}
    rig.tree.put("a", b"", index=7)
    assert rig.sent_by(rig.settle) == []


def test_a_positive_index_on_a_watched_key_sets_the_notified_index_downward_too(rig):
    known, index = rig.put("a", b"1"), rig.put("a", b"2")
    rig.watch("alice", "a")
    rig.sync("alice", {"a": known})
    assert rig.state("alice") == "ready"
    assert rig.sent_by(rig.settle) == [("alice", [("a", State.VALUE, index, b"2")])]


def test_a_positive_index_keeps_the_registration(rig):
    index = rig.put("a")
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": index})
    batch.acknowledge([REMOVE_WATCH, OK])
    assert list(rig.dispatcher.watches("alice")) == ["b"]


def test_a_positive_index_ends_being_never_notified(rig):
    index = rig.put("a")
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": index})
    assert rig.sent_by(rig.dispatch) == []
    assert rig.state("alice") == "idle"


def test_a_positive_index_below_the_keys_leaves_a_ready_watch_ready(rig):
    known, _ = rig.put("a"), rig.put("a")
    rig.sync("alice", {"a": 0})
    rig.sync("alice", {"a": known})
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_an_acknowledgement_never_lowers_a_notified_index_that_a_sync_set(rig):
    rig.put("a")
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": 9})
    batch.acknowledge()
    assert rig.dispatcher.watches("alice") == {"a": 9}


def test_an_acknowledgement_raises_a_notified_index_that_a_sync_lowered(rig):
    known, index = rig.put("a"), rig.put("a")
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": known})
    batch.acknowledge()
    assert rig.dispatcher.watches("alice") == {"a": index}
    assert rig.sent_by(rig.settle) == []


def test_a_positive_index_does_not_end_the_back_off_of_the_watch(rig):
    known, _ = rig.put("a"), rig.put("a")
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.sync("alice", {"a": known})
    assert rig.sent_by(rig.dispatch) == []
    rig.advance(1)
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_a_positive_index_may_leave_the_back_off_of_a_watch_nothing_to_send(rig):
    index = rig.put("a")
    rig.sync("alice", {"a": 0, "b": 0})
    rig.send_one().acknowledge([ERROR, OK])
    rig.sync("alice", {"a": index})
    rig.advance(1)
    assert rig.sent_by(rig.dispatch) == []
    assert rig.dispatcher.stats().backing_off == 0
    rig.put("a")
    assert rig.keys_by(rig.dispatch) == [("alice", ["a"])]


def test_minus_1_stops_watching(rig):
    rig.watch("alice", "a", "b")
    rig.sync("alice", {"a": -1})
    rig.put("a")
    assert list(rig.dispatcher.watches("alice")) == ["b"]
    assert rig.sent_by(rig.settle) == []


def test_minus_1_takes_a_ready_watch_out_of_the_next_batch(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    rig.sync("alice", {"a": -1})
    assert rig.keys_by(rig.settle) == [("alice", ["b"])]


def test_a_channel_whose_ready_watches_were_dropped_is_idle_again(rig):
    rig.watch("alice", "a", "b")
    rig.put("a")
    rig.sync("alice", {"c": 0})
    assert rig.state("alice") == "ready"
    rig.sync("alice", {"c": -1})
    assert rig.state("alice") == "idle"
    assert rig.dispatcher.stats().ready_channels == 0


def test_minus_1_for_a_key_that_is_not_watched_does_nothing(rig):
    rig.watch("alice", "a")
    before = rig.dispatcher.stats()
    rig.sync("alice", {"other": -1})
    assert list(rig.dispatcher.watches("alice")) == ["a"]
    assert rig.dispatcher.stats() == before


def test_a_result_for_a_watch_that_was_dropped_is_ignored_for_it(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": -1})
    assert batch.acknowledge([ERROR, OK])
    assert list(rig.dispatcher.watches("alice")) == ["b"]
    assert rig.dispatcher.stats().backing_off == 0


def test_a_watch_dropped_and_registered_again_in_flight_is_a_new_one(rig):
    rig.sync("alice", {"a": 0, "b": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": -1})
    rig.sync("alice", {"a": 0})
    assert batch.acknowledge()
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


def test_one_sync_registers_keeps_and_drops(rig):
    known, index = rig.put("kept"), rig.put("kept")
    rig.watch("alice", "dropped", "kept", "untouched")
    rig.sync("alice", {"dropped": -1, "new": 0, "kept": known})
    assert rig.keys_by(rig.settle) == [("alice", ["new", "kept"])]
    assert list(rig.dispatcher.watches("alice")) == ["kept", "new", "untouched"]
    assert rig.dispatcher.watches("alice")["kept"] == index
