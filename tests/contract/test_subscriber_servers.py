"""Which server a group is with: connections, choosing, giving up, letting go (contract §4)."""

from __future__ import annotations

import pytest
from contract.follower import ANOTHER_TREE
from watchtree import Connect, Disconnect, Failure, Sync, UnknownServer

LOST = [Failure.NETWORK, Failure.TIMEOUT]
"""Reasons that a request failed for which give up the connection."""
OTHER = [reason for reason in Failure if reason not in LOST]
"""Reasons which give up the server for one group."""

THREE = ["one", "two", "three"]


# Connecting.


def test_who_follows_nothing_has_nothing_to_do(follower):
    assert follower.actions() == []
    assert follower.server() is None


def test_who_follows_something_connects(follower):
    follower.add(["a"])
    assert follower.actions() == [Connect("one")]
    assert follower.server() == "one"


def test_no_server_is_chosen_before_actions_is_called(follower):
    follower.add(["a"])
    assert follower.server() is None


def test_a_connection_is_asked_for_once(follower):
    follower.add(["a"])
    follower.actions()
    follower.add(["b"])
    assert follower.actions() == []


def test_nothing_is_said_while_it_connects(follower):
    follower.add(["a"])
    follower.actions()
    follower.advance(14.9)
    assert follower.actions() == []


def test_who_is_connected_syncs(follower):
    follower.add(["a"])
    follower.actions()
    follower.connected("one")
    assert follower.actions() == [Sync(1, "one", {"a": 0}, True, "")]
    assert follower.count("connected") == 1


def test_keys_removed_before_actions_is_called_need_no_server(follower):
    follower.add(["a"])
    follower.remove(["a"])
    assert follower.actions() == []


# Letting go.


def test_who_follows_nothing_any_more_lets_go_of_the_server_it_connects_to(follower):
    follower.add(["a"])
    follower.actions()
    follower.remove(["a"])
    assert follower.actions() == [Disconnect("one")]
    assert follower.server() is None


def test_who_follows_nothing_when_it_is_connected_lets_go_without_a_word(follower):
    follower.add(["a"])
    follower.connect()
    follower.remove(["a"])
    assert follower.actions() == [Disconnect("one")]


def test_who_follows_something_again_before_actions_is_called_keeps_its_server(follower):
    follower.add(["a"])
    follower.actions()
    follower.remove(["a"])
    follower.add(["b"])
    assert follower.actions() == []
    assert follower.server() == "one"


def test_who_has_told_its_last_removal_lets_go(follower):
    follower.follow("a")
    follower.remove(["a"])
    assert follower.one_action() == Sync(2, "one", {"a": -1}, False, "")
    assert follower.actions() == []
    follower.synced(2, ANOTHER_TREE, 7)
    assert follower.actions() == [Disconnect("one")]
    assert follower.server() is None
    assert follower.count("connected") == 0


def test_disconnecting_is_said_once(follower):
    follower.add(["a"])
    follower.actions()
    follower.remove(["a"])
    follower.actions()
    assert follower.actions() == []


def test_letting_go_is_no_failure(lonely):
    lonely.add(["a"])
    lonely.actions()
    lonely.remove(["a"])
    lonely.actions()
    lonely.add(["a"])
    assert lonely.actions() == [Connect("one")]
    assert lonely.count("failures") == 0


def test_a_server_that_was_let_go_of_is_not_chosen_next(follower):
    follower.add(["a"])
    follower.actions()
    follower.remove(["a"])
    follower.actions()
    follower.add(["a"])
    assert follower.actions() == [Connect("two")]


# Choosing.


def connect_failed(follower):
    """The connection that is asked for cannot be opened. Answers the server."""
    action = follower.one_action()
    assert type(action) is Connect
    follower.connect_failed(action.server)
    return action.server


def test_the_first_server_is_chosen_first(following):
    follower = following(["z", "a", "m"])
    follower.add(["a"])
    assert follower.actions() == [Connect("z")]


def test_another_server_than_the_last_one_is_chosen(follower):
    follower.follow("a")
    follower.disconnected("one")
    assert follower.connect() == "two"
    follower.settle()
    follower.disconnected("two")
    assert follower.connect() == "one"


def test_of_the_others_the_first_is_chosen(following):
    follower = following(THREE)
    follower.follow("a")
    for server in ["one", "two", "one", "two"]:
        assert follower.server() == server
        follower.disconnected(server)
        follower.settle()


def test_of_the_others_the_one_with_the_fewest_failures_in_a_row_is_chosen(following):
    follower = following(THREE)
    follower.add(["a"])
    assert [connect_failed(follower), connect_failed(follower)] == ["one", "two"]
    follower.settle()
    assert follower.server() == "three"
    follower.advance(1)
    follower.disconnected("three")
    assert connect_failed(follower) == "one"  # it failed once, as two did
    assert follower.connect() == "three"  # two failed once, three did not
    follower.settle()
    follower.advance(10)
    follower.disconnected("three")
    assert follower.connect() == "two"  # one failed twice


def test_a_server_in_its_back_off_is_not_chosen(follower):
    follower.add(["a"])
    assert [connect_failed(follower), connect_failed(follower)] == ["one", "two"]
    assert follower.actions() == []
    assert follower.server() is None
    follower.advance(0.999)
    assert follower.actions() == []
    follower.advance(0.001)
    assert follower.actions() == [Connect("one")]


def test_the_last_server_is_chosen_again_if_all_others_are_in_their_back_off(follower):
    follower.add(["a"])
    assert connect_failed(follower) == "one"
    follower.settle()
    assert follower.server() == "two"
    follower.disconnected("two")
    assert follower.actions() == [Connect("two")]


def test_the_only_server_is_chosen_again(lonely):
    lonely.follow("a")
    lonely.disconnected("one")
    assert lonely.actions() == [Connect("one")]


# Failed or not.


def connecting(follower):
    follower.add(["a"])
    follower.actions()


def connected(follower):
    follower.add(["a"])
    follower.connect()


def syncing(follower):
    connected(follower)
    follower.actions()


def synced(follower):
    follower.follow("a")


def syncing_changes(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()


def touching(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()


def overdue(follower):
    follower.advance(15)
    assert follower.actions()[0] == Disconnect("one")


BEFORE_AN_ANSWER = [
    (connecting, lambda follower: follower.connect_failed("one")),
    (connecting, lambda follower: follower.disconnected("one")),
    (connecting, overdue),
    (connected, lambda follower: follower.disconnected("one")),
    (syncing, lambda follower: follower.disconnected("one")),
    (syncing, overdue),
    *((syncing, lambda follower, reason=reason: follower.request_failed(1, reason)) for reason in Failure),
]

AFTER_AN_ANSWER = [
    (synced, lambda follower: follower.disconnected("one")),
    (syncing_changes, lambda follower: follower.disconnected("one")),
    (syncing_changes, overdue),
    (touching, lambda follower: follower.disconnected("one")),
    (touching, overdue),
    *((syncing_changes, lambda follower, reason=reason: follower.request_failed(2, reason)) for reason in LOST),
    *((touching, lambda follower, reason=reason: follower.request_failed(2, reason)) for reason in LOST),
]

ANOTHER_REASON = [
    *((syncing_changes, lambda follower, reason=reason: follower.request_failed(2, reason)) for reason in OTHER),
    *((touching, lambda follower, reason=reason: follower.request_failed(2, reason)) for reason in OTHER),
]


def connects_after(follower):
    """Seconds, in steps of 1/4, until it connects."""
    for steps in range(1000):
        if any(isinstance(action, Connect) for action in follower.actions()):
            return steps / 4
        follower.advance(0.25)
    raise AssertionError("it never connects")


@pytest.mark.parametrize(("begin", "end"), BEFORE_AN_ANSWER)
def test_a_server_given_up_before_it_answered_a_sync_has_failed(following, begin, end):
    follower = following(["one"], backoff=(20, 40))
    begin(follower)
    end(follower)
    assert follower.server() is None
    assert follower.count("failures") == 1
    assert connects_after(follower) == 20


@pytest.mark.parametrize(("begin", "end"), AFTER_AN_ANSWER)
def test_a_server_given_up_after_it_answered_a_sync_has_not_failed(follower, begin, end):
    begin(follower)
    end(follower)
    assert follower.count("failures") == 1
    follower.settle()
    assert follower.server() == "two"
    follower.disconnected("two")
    assert follower.actions() == [Connect("one")]


@pytest.mark.parametrize(("begin", "end"), ANOTHER_REASON)
def test_a_server_whose_request_failed_for_another_reason_has_failed(lonely, begin, end):
    begin(lonely)
    end(lonely)
    assert lonely.server() is None
    assert lonely.count("failures") == 1
    assert lonely.actions() == [Disconnect("one")]
    assert connects_after(lonely) == 1


@pytest.mark.parametrize(("begin", "end"), [*BEFORE_AN_ANSWER, *AFTER_AN_ANSWER, *ANOTHER_REASON])
def test_whatever_happened_to_a_server_the_next_one_is_chosen(follower, begin, end):
    begin(follower)
    end(follower)
    follower.settle()
    assert follower.server() == "two"


def test_an_answer_on_an_earlier_connection_does_not_count_for_this_one(lonely):
    lonely.follow("a")
    lonely.disconnected("one")
    lonely.connect()
    lonely.disconnected("one")
    assert lonely.actions() == []
    assert connects_after(lonely) == 1


def test_the_back_off_grows_with_the_failures_in_a_row(lonely):
    lonely.add(["a"])
    waited = []
    for _ in range(6):
        waited.append(connects_after(lonely))
        lonely.connect_failed("one")
    assert waited == [0, 1, 10, 30, 60, 60]


def test_the_back_off_may_be_set(following):
    follower = following(["one"], backoff=(0.25, 2))
    follower.add(["a"])
    waited = []
    for _ in range(4):
        waited.append(connects_after(follower))
        follower.connect_failed("one")
    assert waited == [0, 0.25, 2, 2]


def test_an_answered_sync_ends_the_failures_in_a_row(lonely):
    lonely.add(["a"])
    for seconds in (1, 10):
        connect_failed(lonely)
        lonely.advance(seconds)
    lonely.settle()
    lonely.disconnected("one")
    connect_failed(lonely)
    assert connects_after(lonely) == 1


def test_an_opened_connection_does_not_end_the_failures_in_a_row(lonely):
    lonely.add(["a"])
    connect_failed(lonely)
    lonely.advance(1)
    lonely.connect()
    lonely.disconnected("one")
    assert connects_after(lonely) == 10


def test_letting_go_does_not_end_the_failures_in_a_row(lonely):
    lonely.add(["a"])
    connect_failed(lonely)
    lonely.advance(1)
    lonely.actions()
    lonely.remove(["a"])
    lonely.actions()
    lonely.add(["a"])
    connect_failed(lonely)
    assert connects_after(lonely) == 10


def test_letting_go_does_not_end_a_back_off(follower):
    follower.add(["a"])
    connect_failed(follower)
    connect_failed(follower)
    follower.remove(["a"])
    assert follower.actions() == []
    follower.add(["a"])
    assert follower.actions() == []
    assert connects_after(follower) == 1


# No connection within the time.


def test_a_connection_may_take_as_long_as_the_time_out(follower):
    follower.add(["a"])
    follower.actions()
    follower.advance(15)
    assert follower.actions() == [Disconnect("one"), Connect("two")]


def test_the_time_out_may_be_set(following):
    follower = following(["one"], answer_timeout=2)
    follower.add(["a"])
    follower.actions()
    follower.advance(1.999)
    assert follower.actions() == []
    follower.advance(0.001)
    assert follower.actions() == [Disconnect("one")]


def test_a_connection_that_is_late_counts_until_actions_is_called(follower):
    follower.add(["a"])
    follower.actions()
    follower.advance(100)
    follower.connected("one")
    assert type(follower.one_action()) is Sync


def test_a_connection_that_is_open_is_never_overdue(follower):
    follower.follow("a")
    follower.advance(59)
    assert follower.actions() == []


def test_the_time_of_a_connection_counts_from_its_asking(follower):
    follower.add(["a"])
    follower.advance(100)
    follower.actions()
    follower.advance(14)
    assert follower.actions() == []


def test_a_clock_that_goes_back_is_read_as_one_that_stands(make):
    times = iter([100, 10, 10, 10, 100])
    subscriber = make(["one"], clock=lambda: next(times, 100))
    subscriber.add(["a"])
    assert subscriber.actions() == [Connect("one")]
    assert subscriber.next_deadline() == 15


# Ignored.


def ignored(follower, what, *arguments):
    """Whether this changes nothing, and is counted."""
    follower.actions()
    shown, stats, deadline = follower.seen()
    counted = stats.ignored_answers
    getattr(follower, what)(*arguments)
    now_shown, now_stats, now_deadline = follower.seen()
    return (
        (now_shown, now_deadline) == (shown, deadline)
        and now_stats.ignored_answers == counted + 1
        and follower.actions() == []
    )


@pytest.mark.parametrize("what", ["connected", "connect_failed", "disconnected"])
def test_news_of_a_connection_that_nobody_asked_for_is_ignored(follower, what):
    assert ignored(follower, what, "one")
    follower.add(["a"])
    assert ignored(follower, what, "two")


@pytest.mark.parametrize("what", ["connected", "connect_failed"])
def test_news_of_connecting_is_ignored_when_it_is_connected(follower, what):
    follower.follow("a")
    assert ignored(follower, what, "one")


@pytest.mark.parametrize("what", ["connect_failed", "disconnected"])
def test_a_connection_is_given_up_once(lonely, what):
    lonely.add(["a"])
    lonely.actions()
    getattr(lonely, what)("one")
    for again in ("connected", "connect_failed", "disconnected"):
        assert ignored(lonely, again, "one")


@pytest.mark.parametrize("what", ["connected", "connect_failed", "disconnected"])
def test_news_of_a_connection_after_its_end_was_said_is_ignored(lonely, what):
    lonely.add(["a"])
    lonely.actions()
    lonely.remove(["a"])
    assert lonely.actions() == [Disconnect("one")]
    assert ignored(lonely, what, "one")


@pytest.mark.parametrize("what", ["connected", "connect_failed", "disconnected"])
def test_a_server_that_does_not_exist_is_refused(follower, what):
    before = follower.seen()
    with pytest.raises(UnknownServer, match="three"):
        getattr(follower, what)("three")
    assert follower.seen() == before


# One connection serves all groups.


def test_groups_share_the_connection_that_one_of_them_asked_for(pair):
    pair.add(["a"], "x")
    pair.add(["b"], "y")
    assert pair.actions() == [Connect("both")]
    assert (pair.server("x"), pair.server("y")) == ("both", "both")
    pair.connected("both")
    assert pair.actions() == [Sync(1, "both", {"a": 0}, True, "x"), Sync(2, "both", {"b": 0}, True, "y")]


def test_a_group_that_chooses_a_connected_server_syncs_at_once(pair):
    pair.follow("a", group="x")
    pair.add(["b"], "y")
    assert pair.actions() == [Sync(2, "both", {"b": 0}, True, "y")]


def test_a_group_that_chooses_a_server_that_is_being_connected_waits_with_the_other(pair):
    pair.add(["a"], "x")
    pair.actions()
    pair.advance(10)
    pair.add(["b"], "y")
    assert pair.actions() == []
    pair.advance(5)
    assert pair.actions() == [Disconnect("both")]
    assert (pair.server("x"), pair.server("y")) == (None, None)


def test_groups_are_looked_at_in_the_order_they_were_given(following):
    follower = following({"y": ["two"], "x": ["one"]})
    follower.add(["a"], "x")
    follower.add(["a"], "y")
    assert follower.actions() == [Connect("two"), Connect("one")]


def test_a_group_that_follows_nothing_is_with_no_server(pair):
    pair.follow("a", group="x")
    assert pair.server("y") is None


@pytest.mark.parametrize("what", ["connect_failed", "disconnected"])
def test_a_connection_that_is_lost_is_given_up_by_each_of_its_groups(pair, what):
    pair.add(["a"], "x")
    pair.add(["a"], "y")
    pair.actions()
    getattr(pair, what)("both")
    assert (pair.server("x"), pair.server("y")) == (None, None)
    assert pair.count("failures") == 2
    assert connects_after(pair) == 1


def test_a_connection_that_is_lost_is_not_disconnected(pair):
    pair.follow("a", group="x")
    pair.disconnected("both")
    assert pair.actions() == [Connect("both")]


def test_a_server_fails_for_each_group_by_itself(following):
    """x had an answer on the connection, y had not."""
    follower = following({"x": ["both"], "y": ["both"]}, backoff=(5,))
    follower.follow("a", group="x")
    follower.add(["a"], "y")
    follower.actions()
    follower.disconnected("both")
    assert follower.actions() == [Connect("both")]
    assert (follower.server("x"), follower.server("y")) == ("both", None)


@pytest.mark.parametrize("reason", LOST)
def test_a_request_that_is_lost_gives_up_the_server_for_all_its_groups(pair, reason):
    pair.follow("a", group="x")
    pair.add(["a"], "y")
    pair.actions()
    pair.request_failed(2, reason)
    assert (pair.server("x"), pair.server("y")) == (None, None)
    assert pair.actions() == [Disconnect("both"), Connect("both")]


@pytest.mark.parametrize("reason", OTHER)
def test_a_request_that_failed_for_another_reason_gives_up_the_server_for_one_group(pair, reason):
    pair.follow("a", group="x")
    pair.add(["a"], "y")
    pair.actions()
    pair.request_failed(2, reason)
    assert (pair.server("x"), pair.server("y")) == ("both", None)
    assert pair.actions() == []
    assert pair.count("failures") == 1
    pair.advance(1)
    assert pair.actions() == [Sync(3, "both", {"a": 0}, True, "y")]


def test_an_overdue_request_gives_up_the_server_for_all_its_groups(pair):
    pair.follow("a", group="x")
    pair.add(["a"], "y")
    pair.actions()
    pair.advance(15)
    assert pair.actions() == [Disconnect("both"), Connect("both")]
    assert (pair.server("x"), pair.server("y")) == ("both", None)


def test_a_server_is_disconnected_when_its_last_group_lets_go(pair):
    pair.add(["a"], "x")
    pair.add(["a"], "y")
    pair.actions()
    pair.remove(["a"], "x")
    assert pair.actions() == []
    assert (pair.server("x"), pair.server("y")) == (None, "both")
    pair.remove(["a"], "y")
    assert pair.actions() == [Disconnect("both")]


def test_a_disconnection_is_said_with_the_group_that_lets_go(following):
    follower = following({"x": ["one"], "y": ["two"], "z": ["one"]})
    for group in ("x", "y"):
        follower.add(["a"], group)
    assert follower.actions() == [Connect("one"), Connect("two")]
    follower.remove(["a"], "y")
    follower.remove(["a"], "x")
    follower.add(["a"], "z")
    assert follower.actions() == [Disconnect("one"), Disconnect("two"), Connect("one")]


def test_a_disconnection_that_happened_outside_is_said_before_all_groups(following):
    follower = following({"x": ["one"], "y": ["two"]})
    follower.follow("a", group="y")
    follower.add(["b"], "y")
    follower.actions()
    follower.add(["a"], "x")
    follower.request_failed(2, Failure.STOPPING)
    assert follower.actions() == [Disconnect("two"), Connect("one")]


def test_overdue_connections_are_handled_before_overdue_requests_each_in_the_order_given(following):
    follower = following({"w": ["four"], "x": ["three"], "y": ["two"], "z": ["one"]})
    for group in "wy":
        follower.follow("a", group=group)
    for group in "wxyz":
        follower.add(["b"], group)
    assert [type(action) for action in follower.actions()] == [Sync, Connect, Sync, Connect]
    follower.advance(15)
    gone = [action.server for action in follower.actions() if type(action) is Disconnect]
    assert gone == ["three", "one", "four", "two"]


def test_servers_stand_in_the_order_in_which_groups_first_name_them(following):
    follower = following({"x": ["p", "q"], "y": ["q", "p"], "z": ["o"]})
    for group in ("z", "y", "x"):
        follower.add(["a"], group)
    assert follower.actions() == [Connect("p"), Connect("q"), Connect("o")]
    follower.advance(15)
    gone = [action.server for action in follower.actions() if type(action) is Disconnect]
    assert gone == ["p", "q", "o"]


def test_choosing_again_what_it_let_go_of_on_an_open_connection_begins_anew(pair):
    """y keeps the connection; x tells everything again, and the server may fail for it again."""
    pair.follow("a", group="x")
    pair.follow("a", group="y")
    pair.remove(["a"], "x")
    pair.settle()
    assert (pair.server("x"), pair.count("connected")) == (None, 1)
    pair.add(["b"], "x")
    assert type(pair.one_action()) is Sync
    pair.disconnected("both")
    pair.actions()
    assert (pair.server("x"), pair.server("y")) == (None, "both")
