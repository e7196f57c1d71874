"""When a channel exists, and what closes it (contract §2 and §3)."""

from __future__ import annotations

import pytest
from watchtree import UnknownChannel


def gone(rig, name="alice"):
    """Whether nothing is left of a channel."""
    with pytest.raises(UnknownChannel):
        rig.dispatcher.channel(name)
    with pytest.raises(UnknownChannel):
        rig.dispatcher.watches(name)
    stats = rig.dispatcher.stats()
    left = stats.channels, stats.watches, stats.holders, stats.ready_channels, stats.in_flight, stats.backing_off
    return name not in rig.dispatcher.channels() and rig.dispatcher.touch(name) == 0 and left == (0, 0, 0, 0, 0, 0)


def test_a_channel_is_made_by_its_first_watch(rig):
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.channels() == ["alice"]
    assert rig.dispatcher.touch("alice") == 1


@pytest.mark.parametrize("known", [{}, {"a": -1}, {"a": -1, "b": -1}])
def test_a_channel_that_would_start_with_no_watch_is_not_made(rig, known):
    rig.sync("alice", known)
    assert gone(rig)


def test_a_channel_with_no_watch_left_is_closed_at_once(rig):
    rig.watch("alice", "a", "b")
    rig.sync("alice", {"a": -1})
    assert rig.dispatcher.channels() == ["alice"]
    rig.sync("alice", {"b": -1})
    assert gone(rig)


def test_a_channel_with_no_watch_left_is_closed_in_flight_too(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.sync("alice", {"a": -1})
    assert gone(rig)
    assert not batch.acknowledge()


def test_a_sync_that_drops_the_last_watch_and_adds_another_keeps_the_channel(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {"b": 0, "a": -1})
    assert list(rig.dispatcher.watches("alice")) == ["b"]
    assert rig.dispatcher.channel("alice").batches_sent == 1


def test_an_empty_map_leaves_a_channel_alone(rig):
    rig.watch("alice", "a")
    rig.sync("alice", {})
    assert list(rig.dispatcher.watches("alice")) == ["a"]


def test_touch_answers_the_number_of_watches(rig):
    rig.sync("alice", {"a": 0, "b": 0, "c": 0})
    assert rig.dispatcher.touch("alice") == 3
    rig.sync("alice", {"b": -1})
    assert rig.dispatcher.touch("alice") == 2


def test_touch_of_an_unknown_channel_answers_0_and_makes_none(rig):
    assert rig.dispatcher.touch("alice") == 0
    assert rig.dispatcher.channels() == []


def test_close_drops_a_channel_and_answers_that_it_was_there(rig):
    rig.watch("alice", "a", "b.c")
    assert rig.dispatcher.close("alice")
    assert gone(rig)
    rig.put("a")
    assert rig.sent_by(rig.settle) == []


def test_close_of_an_unknown_channel_answers_that_it_was_not_there(rig):
    assert not rig.dispatcher.close("alice")
    rig.watch("alice", "a")
    rig.dispatcher.close("alice")
    assert not rig.dispatcher.close("alice")


def test_close_leaves_the_other_channels_alone(rig):
    rig.watch("alice", "a")
    rig.watch("bob", "a")
    rig.dispatcher.close("alice")
    rig.put("a")
    assert rig.keys_by(rig.settle) == [("bob", ["a"])]


def test_a_channel_closed_when_ready_gets_no_batch(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatcher.close("alice")
    assert gone(rig)
    assert rig.sent_by(rig.dispatch) == []


def test_a_channel_closed_in_its_back_off_leaves_nothing(rig):
    rig.during_send = lambda batch: 1 / 0
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    assert rig.state("alice") == "backing_off"
    rig.dispatcher.close("alice")
    assert gone(rig)


def test_a_channel_closed_and_made_again_starts_anew(rig):
    rig.watch("alice", "a", "b")
    rig.dispatcher.close("alice")
    rig.sync("alice", {"a": 0})
    assert rig.dispatcher.channel("alice").batches_sent == 0
    assert rig.keys_by(rig.settle) == [("alice", ["a"])]


@pytest.mark.parametrize("name", ["", "a\x00b", "..", "a b", "канал", "😀", "n" * 10_000])
def test_a_channel_may_have_any_text_as_its_name(rig, name):
    rig.sync(name, {"a": 0})
    assert rig.keys_by(rig.dispatch) == [(name, ["a"])]
    assert rig.dispatcher.channels() == [name]
    assert rig.dispatcher.channel(name).name == name
    assert rig.dispatcher.close(name)


def test_channels_are_listed_sorted(rig):
    for name in ("b", "a", "c", "B", "é"):
        rig.sync(name, {"k": 0})
    assert rig.dispatcher.channels() == sorted(["b", "a", "c", "B", "é"])


def test_an_unknown_channel_is_named_by_its_error(rig):
    with pytest.raises(UnknownChannel) as caught:
        rig.dispatcher.channel("alice")
    assert caught.value.channel == "alice"
