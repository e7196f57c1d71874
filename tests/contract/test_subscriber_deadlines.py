"""When `actions` has something to say (contract §4, `next_deadline`)."""

from __future__ import annotations

import pytest
from contract.follower import ONE_TREE
from watchtree import Connect, Disconnect, Failure


def test_who_follows_nothing_waits_for_nothing(follower):
    assert follower.next_deadline() is None


def test_who_follows_something_is_to_connect_now(follower):
    follower.add(["a"])
    assert follower.next_deadline() == 0.0


def test_a_connection_is_waited_for(follower):
    follower.add(["a"])
    follower.actions()
    assert follower.next_deadline() == 15.0
    follower.advance(5)
    assert follower.next_deadline() == 10.0


def test_who_lets_go_while_it_connects_has_something_to_say_now(follower):
    follower.add(["a"])
    follower.actions()
    follower.remove(["a"])
    assert follower.next_deadline() == 0.0
    follower.actions()
    assert follower.next_deadline() is None


def test_who_is_connected_is_to_sync_now(follower):
    follower.add(["a"])
    follower.connect()
    assert follower.next_deadline() == 0.0


def test_an_answer_is_waited_for(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    follower.advance(5)
    assert follower.next_deadline() == 10.0


def test_changes_are_not_to_be_told_before_the_answer(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    follower.add(["b"])
    assert follower.next_deadline() == 15.0
    follower.synced(1, ONE_TREE, 7)
    assert follower.next_deadline() == 0.0


def test_the_heartbeat_is_waited_for(follower):
    follower.follow("a")
    assert follower.next_deadline() == 60.0
    follower.advance(50)
    assert follower.next_deadline() == 10.0


def test_changes_are_to_be_told_now(follower):
    follower.follow("a", "b")
    follower.remove(["a"])
    assert follower.next_deadline() == 0.0


def test_a_change_that_was_undone_is_nothing_to_tell(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.remove(["b"])
    assert follower.next_deadline() == 60.0


def test_who_told_its_last_removal_is_to_let_go_now(follower):
    follower.follow("a")
    follower.remove(["a"])
    follower.answer(follower.one_action())
    assert follower.next_deadline() == 0.0
    assert follower.actions() == [Disconnect("one")]
    assert follower.next_deadline() is None


def test_watches_that_were_lost_are_to_be_told_now(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    follower.touched(2, 0)
    assert follower.next_deadline() == 0.0


def test_another_server_is_to_be_connected_now(follower):
    follower.add(["a"])
    follower.actions()
    follower.connect_failed("one")
    assert follower.next_deadline() == 0.0


def test_the_end_of_the_first_back_off_is_waited_for(follower):
    follower.add(["a"])
    follower.actions()
    follower.connect_failed("one")
    follower.advance(0.25)
    follower.actions()
    follower.connect_failed("two")
    assert follower.next_deadline() == 0.75


def test_who_follows_nothing_does_not_wait_for_a_back_off(lonely):
    lonely.add(["a"])
    lonely.actions()
    lonely.connect_failed("one")
    lonely.remove(["a"])
    assert lonely.actions() == []
    assert lonely.next_deadline() is None


def test_a_disconnection_that_is_due_is_to_be_said_now(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    follower.request_failed(2, Failure.STOPPING)
    follower.remove(["a", "b"])
    assert follower.next_deadline() == 0.0
    assert follower.actions() == [Disconnect("one")]
    assert follower.next_deadline() is None


def test_the_earliest_of_all_groups_counts(following):
    follower = following({"x": ["one"], "y": ["two"], "z": ["three"]})
    follower.follow("a", group="x")
    follower.advance(50)
    follower.follow("a", group="y")
    assert follower.next_deadline() == 10.0
    follower.add(["a"], "z")
    follower.actions()
    follower.advance(1)
    assert follower.next_deadline() == 9.0


def test_a_deadline_that_has_come_is_now(follower):
    follower.follow("a")
    follower.advance(60)
    assert follower.next_deadline() == 0.0
    follower.advance(100)
    assert follower.next_deadline() == 0.0


def test_news_are_no_deadline(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    assert follower.next_deadline() == 60.0


def test_the_deadline_is_a_float(follower):
    follower.add(["a"])
    assert type(follower.next_deadline()) is float
    follower.actions()
    assert type(follower.next_deadline()) is float


@pytest.mark.parametrize("servers", [["one"], ["one", "two"], {"": ["one"], "y": ["one", "two"]}])
def test_at_each_deadline_something_is_said_and_before_it_nothing(following, servers):
    """Servers that never answer: connections and requests in turn, each until it is overdue."""
    follower = following(servers)
    follower.add(["a"])
    for turn in range(100):
        for action in follower.actions():
            if isinstance(action, Connect) and turn % 2:
                follower.connected(action.server)
        if follower.next_deadline() == 0.0:
            continue
        follower.advance(follower.next_deadline() - 0.001)
        assert follower.actions() == []
        follower.advance(0.001)
        assert follower.next_deadline() == 0.0
    assert follower.count("failures") > 10
