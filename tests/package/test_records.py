"""Nodes, notifications, operations, words and counts: plain data that a user keeps, compares and sends on."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from watchtree import (
    REMOVE_ALL_WATCHES,
    CompareAndSet,
    DispatcherStats,
    Failure,
    Histogram,
    Mkdir,
    Node,
    Notification,
    Put,
    Remove,
    RemoveAllWatches,
    Result,
    State,
    Synced,
)

OPERATIONS = [
    Put("a", b"v"),
    Put("a", b"v", parents=True),
    Mkdir("a"),
    Mkdir("a", parents=True),
    Remove("a"),
    Remove("a", recursive=True),
    CompareAndSet("a", None, b"v"),
]


def test_a_node_is_a_named_tuple_in_this_order(rig):
    rig.tree.put("a", b"v", index=5)
    node = rig.tree.get("a")
    assert type(node) is Node
    assert tuple(node) == ("a", b"v", False, 5, 5)
    assert Node._fields == ("key", "value", "is_directory", "create_index", "update_index")


def test_the_fields_of_a_node_have_plain_types(rig):
    rig.tree.put("a", b"v")
    assert [type(field) for field in rig.tree.get("a")] == [str, bytes, bool, int, int]
    assert rig.tree.get("").value is None


def test_a_notification_is_a_named_tuple_in_this_order(rig):
    rig.put("a", b"v")
    rig.sync("alice", {"a": 0, "missing": 0})
    first, second = rig.send_one()
    assert type(first) is Notification
    assert (tuple(first), tuple(second)) == (("a", State.VALUE, 1, b"v"), ("missing", State.MISSING, 1, None))
    assert [type(field) for field in first] == [str, State, int, bytes]
    assert Notification._fields == ("key", "state", "index", "value")


def test_synced_is_a_named_tuple_in_this_order(rig):
    synced = rig.sync("alice", {"a": 0})
    assert type(synced) is Synced
    assert tuple(synced) == (synced.tree_id, synced.index) == (rig.tree.id, 0)


@pytest.mark.parametrize("operation", OPERATIONS, ids=repr)
def test_an_operation_cannot_be_changed(operation):
    with pytest.raises(AttributeError):
        operation.key = "b"


@pytest.mark.parametrize("operation", OPERATIONS, ids=repr)
def test_an_operation_can_be_pickled_copied_compared_and_hashed(operation):
    for again in (pickle.loads(pickle.dumps(operation)), copy.copy(operation)):
        assert again == operation
        assert hash(again) == hash(operation)


def test_operations_with_other_fields_are_different():
    assert len(set(OPERATIONS)) == len(OPERATIONS)


def test_records_that_came_from_the_engine_can_be_pickled(rig):
    rig.put("a", b"v")
    synced = rig.sync("alice", {"a": 0})
    for record in (
        rig.tree.get("a"),
        rig.send_one()[0],
        synced,
        rig.dispatcher.stats(),
        rig.dispatcher.channel("alice"),
    ):
        assert pickle.loads(pickle.dumps(record)) == record


def test_the_words_are_the_numbers_of_the_wire():
    assert {state.name: state.value for state in State} == {"VALUE": 0, "DIRECTORY": 1, "MISSING": 2}
    assert {result.name: result.value for result in Result} == {"OK": 0, "REMOVE_WATCH": 1, "ERROR": 2}
    assert {failure.name: failure.value for failure in Failure} == {
        "NETWORK": 0,
        "TIMEOUT": 1,
        "CLIENT_ERROR": 2,
        "STOPPING": 3,
        "COMMAND_NOT_SUPPORTED": 4,
        "RAISED": 5,
    }


def test_remove_all_watches_is_one_value_that_stays_itself():
    assert list(RemoveAllWatches) == [REMOVE_ALL_WATCHES]
    assert pickle.loads(pickle.dumps(REMOVE_ALL_WATCHES)) is REMOVE_ALL_WATCHES
    assert repr(REMOVE_ALL_WATCHES) == "REMOVE_ALL_WATCHES"


def test_stats_cannot_be_changed(rig):
    stats = rig.dispatcher.stats()
    assert type(stats) is DispatcherStats
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.sent = 7


def test_stats_are_those_of_the_moment_they_were_taken(rig):
    before = rig.dispatcher.stats()
    rig.watch("alice", "a")
    assert (before.sent, before.failures) == (0, dict.fromkeys((failure.name for failure in Failure), 0))


def test_a_histogram_answers_the_upper_edge_of_the_bucket_of_a_percentile():
    histogram = Histogram((1, 0, 2, 1), 4)
    assert histogram.percentile(0) == histogram.percentile(25) == 1e-6
    assert histogram.percentile(26) == histogram.percentile(75) == 4e-6
    assert histogram.percentile(76) == histogram.percentile(100) == 8e-6


def test_an_empty_histogram_answers_0():
    assert Histogram((0, 0), 0).percentile(50) == 0.0


@pytest.mark.parametrize("percent", [-1, 100.1, float("nan")])
def test_a_percentile_out_of_its_range_is_a_value_error(percent):
    with pytest.raises(ValueError, match="percent"):
        Histogram((1,), 1).percentile(percent)


def test_the_buckets_of_a_histogram_double(rig):
    """Bucket i holds 2^(i-1) to 2^i microseconds."""
    rig.watch("alice", "a")
    for exponent in (5, 10, 20):
        rig.put("a")
        batch = rig.send_one()
        rig.advance((2**exponent + 2 ** (exponent - 1)) * 1e-6)
        batch.acknowledge()
    counts = rig.dispatcher.stats().latency.counts
    assert [bucket for bucket, count in enumerate(counts) if count] == [6, 11, 21]
