"""What a group tells its server, when, and what the answers do (contract §4, Actions)."""

from __future__ import annotations

import pytest
from contract.follower import ANOTHER_TREE, ONE_TREE
from watchtree import Connect, Disconnect, Failure, Sync, Synced, Touch


def named(action):
    """The keys of a sync with their indexes, in order."""
    assert type(action) is Sync, action
    return list(action.known.items())


# Everything.


def test_the_first_sync_on_a_connection_names_everything(follower):
    follower.add(["b", "a"])
    follower.connect()
    action = follower.one_action()
    assert action == Sync(1, "one", {"b": 0, "a": 0}, True, "")
    assert named(action) == [("b", 0), ("a", 0)]


def test_everything_is_what_is_followed_when_it_is_said(follower):
    follower.add(["a", "b", "c"])
    follower.actions()
    follower.remove(["b"])
    follower.connected("one")
    follower.add(["d"])
    follower.remove(["a"])
    follower.add(["a"])
    assert named(follower.one_action()) == [("c", 0), ("d", 0), ("a", 0)]


def test_everything_is_named_with_what_is_known(follower):
    follower.follow("a", "b", "c")
    follower.notify(("c", 7), ("a", 3))
    follower.disconnected("one")
    follower.connect()
    action = follower.one_action()
    assert action == Sync(2, "two", {"a": 3, "b": 0, "c": 7}, True, "")
    assert named(action) == [("a", 3), ("b", 0), ("c", 7)]


def test_a_key_known_at_index_0_is_named_with_0(follower):
    follower.follow("a")
    follower.notify(("a", 0))
    follower.disconnected("one")
    follower.connect()
    assert named(follower.one_action()) == [("a", 0)]


def test_everything_is_told_on_each_connection_though_the_server_is_the_same(lonely):
    lonely.follow("a")
    lonely.disconnected("one")
    lonely.connect()
    assert lonely.one_action() == Sync(2, "one", {"a": 0}, True, "")


def test_what_changed_between_connections_is_in_everything(follower):
    follower.follow("a", "b")
    follower.disconnected("one")
    follower.remove(["a"])
    follower.add(["c"])
    follower.connect()
    assert named(follower.one_action()) == [("b", 0), ("c", 0)]
    follower.synced(2, ONE_TREE, 7)
    assert follower.actions() == []


def test_removals_that_were_not_told_are_done_when_the_server_is_given_up(follower):
    follower.follow("a")
    follower.remove(["a"])
    follower.disconnected("one")
    assert follower.actions() == []
    assert follower.server() is None


# Changes.


def test_a_key_that_is_added_is_told(follower):
    follower.follow("a")
    follower.add(["b"])
    assert follower.one_action() == Sync(2, "one", {"b": 0}, False, "")


def test_a_key_that_is_removed_is_told(follower):
    follower.follow("a", "b")
    follower.remove(["a"])
    assert follower.one_action() == Sync(2, "one", {"a": -1}, False, "")


def test_changes_are_named_in_the_order_that_was_done(follower):
    follower.follow("a", "b", "c")
    follower.add(["z"])
    follower.remove(["c"])
    follower.add(["y"])
    follower.remove(["a"])
    assert named(follower.one_action()) == [("z", 0), ("c", -1), ("y", 0), ("a", -1)]


def test_changes_are_told_once(follower):
    follower.follow("a")
    follower.follow("b")
    assert follower.actions() == []
    follower.follow("c")
    assert follower.count("syncs") == 3


def test_a_key_that_was_removed_and_added_again_is_one_addition(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3))
    follower.remove(["a"])
    follower.add(["c"])
    follower.add(["a"])
    assert named(follower.one_action()) == [("c", 0), ("a", 0)]


def test_a_key_that_was_added_and_removed_before_it_was_told_is_not_named(follower):
    follower.follow("a")
    follower.add(["b", "c"])
    follower.remove(["b"])
    assert named(follower.one_action()) == [("c", 0)]


def test_a_key_that_was_added_and_removed_alone_is_no_change(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.remove(["b"])
    assert follower.actions() == []


def test_a_key_that_was_added_removed_and_added_is_one_addition_where_it_was_added_last(follower):
    follower.follow("a")
    follower.add(["b", "c"])
    follower.remove(["b"])
    follower.add(["b"])
    assert named(follower.one_action()) == [("c", 0), ("b", 0)]


def test_a_key_that_was_removed_added_and_removed_is_one_removal_where_it_was_removed_last(follower):
    follower.follow("a", "b", "c")
    follower.remove(["a"])
    follower.add(["a"])
    follower.remove(["b"])
    follower.remove(["a"])
    assert named(follower.one_action()) == [("b", -1), ("a", -1)]


def test_a_key_that_was_told_as_an_addition_is_told_as_a_removal(follower):
    follower.follow("a")
    follower.add(["b"])
    assert named(follower.one_action()) == [("b", 0)]
    follower.remove(["b"])
    assert follower.actions() == []
    follower.synced(2, ONE_TREE, 7)
    assert named(follower.one_action()) == [("b", -1)]


def test_a_key_whose_removal_was_told_is_an_addition_again(follower):
    follower.follow("a", "b")
    follower.remove(["b"])
    follower.actions()
    follower.add(["b"])
    follower.synced(2, ONE_TREE, 7)
    assert named(follower.one_action()) == [("b", 0)]


def test_a_key_whose_removal_was_told_and_that_came_and_went_is_not_named(follower):
    follower.follow("a", "b")
    follower.remove(["b"])
    follower.actions()
    follower.add(["b"])
    follower.remove(["b"])
    follower.synced(2, ONE_TREE, 7)
    assert follower.actions() == []


def test_a_key_removed_while_everything_is_told_is_a_removal(follower):
    follower.add(["a", "b"])
    follower.connect()
    follower.actions()
    follower.remove(["a"])
    follower.synced(1, ONE_TREE, 7)
    assert named(follower.one_action()) == [("a", -1)]


def test_the_last_key_may_be_exchanged_for_another(follower):
    follower.follow("a")
    follower.remove(["a"])
    follower.add(["b"])
    assert named(follower.one_action()) == [("a", -1), ("b", 0)]


# One request of a group at a time.


def test_changes_wait_for_the_answer(follower):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    follower.add(["c"])
    follower.remove(["a"])
    assert follower.actions() == []
    follower.synced(2, ONE_TREE, 7)
    assert named(follower.one_action()) == [("c", 0), ("a", -1)]


def test_who_follows_nothing_any_more_waits_for_the_answer_before_it_tells(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    follower.remove(["a"])
    assert follower.actions() == []
    follower.synced(1, ONE_TREE, 7)
    assert named(follower.one_action()) == [("a", -1)]


def test_changes_wait_for_the_answer_to_a_touch(follower):
    follower.follow("a")
    follower.advance(60)
    assert follower.one_action() == Touch(2, "one", "")
    follower.add(["b"])
    assert follower.actions() == []
    follower.touched(2, 1)
    assert named(follower.one_action()) == [("b", 0)]


def test_a_request_of_one_group_does_not_wait_for_that_of_another(pair):
    pair.add(["a"], "x")
    pair.connect()
    pair.actions()
    pair.add(["b"], "y")
    assert pair.one_action() == Sync(2, "both", {"b": 0}, True, "y")
    assert pair.count("requests") == 2


def test_requests_are_counted_in_the_subscriber(pair):
    pair.add(["a"], "x")
    pair.add(["a"], "y")
    pair.connect()
    assert [action.request for action in pair.actions()] == [1, 2]
    pair.synced(2, ONE_TREE, 7)
    pair.synced(1, ONE_TREE, 7)
    pair.advance(60)
    assert pair.actions() == [Touch(3, "both", "x"), Touch(4, "both", "y")]


def test_requests_are_counted_over_all_connections(follower):
    follower.follow("a")
    follower.disconnected("one")
    follower.connect()
    assert follower.one_action().request == 2


# The heartbeat.


def test_a_server_is_touched_a_heartbeat_after_it_answered(follower):
    follower.follow("a")
    follower.advance(59.999)
    assert follower.actions() == []
    follower.advance(0.001)
    assert follower.actions() == [Touch(2, "one", "")]


def test_a_server_is_touched_a_heartbeat_after_it_answered_a_touch(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    follower.advance(10)
    follower.touched(2, 1)
    follower.advance(59.999)
    assert follower.actions() == []
    follower.advance(0.001)
    assert follower.actions() == [Touch(3, "one", "")]


def test_an_answer_to_changes_does_not_put_the_heartbeat_off(follower):
    follower.follow("a")
    follower.advance(50)
    follower.follow("b")
    follower.advance(10)
    assert follower.actions() == [Touch(3, "one", "")]


def test_a_notification_does_not_put_the_heartbeat_off(follower):
    follower.follow("a")
    follower.advance(59)
    follower.notify(("a", 3))
    follower.advance(1)
    assert follower.actions() == [Touch(2, "one", "")]


def test_a_touch_that_is_due_is_said_before_changes(follower):
    follower.follow("a")
    follower.advance(60)
    follower.add(["b"])
    assert follower.one_action() == Touch(2, "one", "")
    follower.touched(2, 1)
    assert named(follower.one_action()) == [("b", 0)]


def test_a_server_that_forgot_is_found_however_often_the_user_changes_his_mind(follower):
    follower.follow("a")
    for number in range(5):
        follower.advance(15)
        follower.add([f"key{number}"])
        for action in follower.actions():
            if isinstance(action, Touch):
                follower.touched(action.request, 3)  # it has only those that came after it had forgotten
                assert sorted(follower.one_action().known) == ["a", *(f"key{key}" for key in range(number + 1))]
                return
            follower.synced(action.request, ONE_TREE, 7)
    raise AssertionError("there was no heartbeat")


def test_a_key_that_was_removed_and_not_told_is_still_expected_of_the_server(follower):
    follower.follow("a", "b")
    follower.advance(60)
    follower.remove(["a"])
    assert follower.one_action() == Touch(2, "one", "")
    follower.touched(2, 2)
    assert named(follower.one_action()) == [("a", -1)]


def test_a_touch_is_said_once(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    follower.advance(14)
    assert follower.actions() == []


def test_the_heartbeat_may_be_set(following):
    follower = following(["one"], heartbeat=2)
    follower.follow("a")
    follower.advance(2)
    assert follower.actions() == [Touch(2, "one", "")]


def test_each_group_has_its_own_heartbeat(pair):
    pair.follow("a", group="x")
    pair.advance(10)
    pair.follow("a", group="y")
    pair.advance(50)
    assert pair.actions() == [Touch(3, "both", "x")]


def test_a_server_that_has_all_watches_is_told_nothing(follower):
    follower.follow("a", "b")
    follower.advance(60)
    follower.actions()
    follower.touched(2, 2)
    assert follower.actions() == []


@pytest.mark.parametrize("watches", [0, 1, 3, 2**32 - 1])
def test_a_server_that_has_another_number_of_watches_is_told_everything(follower, watches):
    follower.follow("a", "b")
    follower.notify(("b", 5))
    follower.advance(60)
    follower.actions()
    follower.touched(2, watches)
    action = follower.one_action()
    assert action == Sync(3, "one", {"a": 0, "b": 5}, True, "")
    follower.answer(action)
    assert follower.actions() == []


def test_the_number_of_watches_is_compared_with_what_was_followed_when_it_was_asked(follower):
    follower.follow("a", "b")
    follower.advance(60)
    follower.actions()
    follower.add(["c", "d"])
    follower.remove(["a"])
    follower.touched(2, 2)
    assert named(follower.one_action()) == [("c", 0), ("d", 0), ("a", -1)]


def test_the_number_of_watches_is_compared_with_the_groups_own(pair):
    pair.follow("a", group="x")
    pair.follow("a", "b", group="y")
    pair.advance(60)
    pair.actions()
    pair.touched(3, 1)
    pair.touched(4, 1)
    assert pair.one_action() == Sync(5, "both", {"a": 0, "b": 0}, True, "y")


def test_changes_made_while_it_was_touched_are_in_everything(follower):
    follower.follow("a", "b")
    follower.advance(60)
    follower.actions()
    follower.remove(["a"])
    follower.add(["c"])
    follower.touched(2, 0)
    assert follower.one_action() == Sync(3, "one", {"b": 0, "c": 0}, True, "")
    follower.synced(3, ONE_TREE, 7)
    assert follower.actions() == []


# No answer within the time.


@pytest.mark.parametrize("wait", [0, 60], ids=["changes", "a touch"])
def test_a_request_without_an_answer_gives_up_the_server(follower, wait):
    follower.follow("a")
    follower.advance(wait)
    follower.add(["b"] * (wait == 0))
    follower.actions()
    follower.advance(14.999)
    assert follower.actions() == []
    follower.advance(0.001)
    assert follower.actions() == [Disconnect("one"), Connect("two")]


def test_the_time_out_of_a_request_may_be_set(following):
    follower = following(["one"], answer_timeout=2)
    follower.add(["a"])
    follower.connect()
    follower.actions()
    follower.advance(2)
    assert follower.actions() == [Disconnect("one")]


def test_the_time_of_a_request_counts_from_its_saying(follower):
    follower.add(["a"])
    follower.connect()
    follower.advance(14)
    follower.actions()
    follower.advance(14)
    assert follower.actions() == []


def test_an_answer_that_is_late_counts_until_actions_is_called(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    follower.advance(59)
    follower.synced(1, ONE_TREE, 7)
    assert follower.actions() == []
    assert follower.server() == "one"
    follower.advance(60)
    follower.actions()
    follower.advance(100)
    follower.touched(2, 1)
    assert follower.actions() == []


@pytest.mark.parametrize("reason", [Failure.NETWORK, Failure.TIMEOUT])
def test_a_request_that_is_lost_gives_up_the_server(follower, reason):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    follower.request_failed(2, reason)
    assert follower.server() is None
    assert follower.actions() == [Disconnect("one"), Connect("two")]


def test_a_request_that_went_with_its_connection_is_never_overdue(lonely):
    lonely.follow("a")
    lonely.add(["b"])
    lonely.actions()
    lonely.disconnected("one")
    lonely.connect()
    lonely.advance(15)
    assert named(lonely.one_action()) == [("a", 0), ("b", 0)]


# The tree.


def test_there_is_no_tree_before_the_first_answer(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    assert follower.tree() is None


def test_the_tree_is_the_answer_to_the_last_sync(follower):
    follower.follow("a")
    assert follower.tree() == Synced(ONE_TREE, 101)
    follower.add(["b"])
    follower.actions()
    follower.synced(2, ANOTHER_TREE, 0)
    assert follower.tree() == Synced(ANOTHER_TREE, 0)
    assert type(follower.tree()) is Synced


def test_the_tree_outlives_the_connection_and_the_keys(follower):
    follower.follow("a")
    follower.disconnected("one")
    follower.remove(["a"])
    assert follower.tree() == Synced(ONE_TREE, 101)


def test_each_group_has_its_own_tree(pair):
    pair.follow("a", group="x")
    pair.add(["a"], "y")
    pair.answer(pair.one_action(), ANOTHER_TREE)
    assert [pair.tree(group).tree_id for group in "xy"] == [ONE_TREE, ANOTHER_TREE]
    assert pair.count("other_trees") == 0


def test_what_is_known_stays_with_the_same_tree(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.disconnected("one")
    follower.settle()
    assert follower.known() == {"a": 3}
    assert follower.count("other_trees") == 0


def test_the_index_of_the_tree_does_not_matter(follower):
    follower.follow("a")
    follower.notify(("a", 3000))
    follower.add(["b"])
    follower.actions()
    follower.synced(2, ONE_TREE, 1)
    assert follower.known() == {"a": 3000, "b": 0}
    assert follower.actions() == []


def test_what_came_from_another_tree_is_forgotten_and_everything_told_again(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3))
    follower.disconnected("one")
    follower.connect()
    follower.answer(follower.one_action(), ANOTHER_TREE)
    assert follower.known() == {"a": 0, "b": 0}
    assert follower.one_action() == Sync(3, "two", {"a": 0, "b": 0}, True, "")
    follower.synced(3, ANOTHER_TREE, 7)
    assert follower.actions() == []


def test_the_indexes_of_another_tree_may_be_lower(follower):
    follower.follow("a")
    follower.notify(("a", 300))
    assert follower.events() == [("a", 300)]
    follower.disconnected("one")
    follower.connect()
    follower.answer(follower.one_action(), ANOTHER_TREE)
    follower.settle()
    follower.notify(("a", 2))
    assert follower.events() == [("a", 2)]


def test_what_came_since_everything_was_told_is_of_the_tree_that_answers(follower):
    follower.follow("a", "b")
    follower.notify(("a", 3), ("b", 4))
    follower.disconnected("one")
    follower.connect()
    request = follower.one_action()
    follower.notify(("b", 5))
    follower.answer(request, ANOTHER_TREE)
    assert follower.known() == {"a": 0, "b": 5}
    assert follower.one_action() == Sync(3, "two", {"a": 0, "b": 5}, True, "")


def test_everything_is_not_told_again_if_all_that_is_known_came_since(follower):
    follower.follow("a", "b")
    follower.disconnected("one")
    follower.connect()
    request = follower.one_action()
    follower.notify(("b", 5))
    follower.answer(request, ANOTHER_TREE)
    assert follower.known() == {"a": 0, "b": 5}
    assert follower.actions() == []


def test_everything_is_not_told_again_if_nothing_was_known(follower):
    follower.follow("a")
    follower.disconnected("one")
    follower.connect()
    follower.answer(follower.one_action(), ANOTHER_TREE)
    assert follower.actions() == []
    assert follower.count("other_trees") == 1


def test_what_was_dropped_since_everything_was_told_is_not_known_of_the_other_tree(follower):
    follower.follow("a")
    follower.notify(("a", 5))
    follower.disconnected("one")
    follower.connect()
    request = follower.one_action()
    follower.notify(("a", 4))
    follower.answer(request, ANOTHER_TREE)
    assert follower.known() == {"a": 0}
    assert type(follower.one_action()) is Sync


def test_another_tree_in_the_answer_to_changes_leaves_nothing_known(follower):
    follower.follow("a")
    follower.notify(("a", 3))
    follower.add(["b"])
    request = follower.one_action()
    follower.notify(("b", 5))
    follower.answer(request, ANOTHER_TREE)
    assert follower.known() == {"a": 0, "b": 0}
    assert follower.one_action() == Sync(3, "one", {"a": 0, "b": 0}, True, "")


def test_the_first_tree_is_not_another_one(lonely):
    """What came on a connection that never answered is kept: there was no tree that it could differ from."""
    lonely.add(["a"])
    lonely.connect()
    lonely.actions()
    lonely.notify(("a", 3))
    lonely.disconnected("one")
    lonely.advance(1)
    lonely.settle()
    assert lonely.known() == {"a": 3}
    assert lonely.count("other_trees") == 0


def test_another_tree_concerns_no_other_group(pair):
    for group in "xy":
        pair.follow("a", group=group)
        pair.notify(("a", 3), group=group)
    pair.add(["b"], "y")
    pair.answer(pair.one_action(), ANOTHER_TREE)
    assert (pair.known("x"), pair.known("y")) == ({"a": 3}, {"a": 0, "b": 0})


# Ignored.


def ignored(follower, what, *arguments):
    """Whether an answer changes nothing, and is counted."""
    shown, stats, deadline = follower.seen()
    getattr(follower, what)(*arguments)
    now_shown, now_stats, now_deadline = follower.seen()
    return (now_shown, now_deadline) == (shown, deadline) and (
        now_stats.ignored_answers == stats.ignored_answers + 1 and now_stats.requests == stats.requests
    )


ANSWERS = [
    ("synced", ANOTHER_TREE, 7),
    ("touched", 7),
    *(("request_failed", reason) for reason in Failure),
]
answers = pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer[0]} {answer[-1]}")


@answers
@pytest.mark.parametrize("request_number", [0, -1, 1, 2, 2**63, 2**64 + 2, -(2**70)])
def test_an_answer_that_nobody_asked_for_is_ignored(follower, answer, request_number):
    follower.follow("a")
    what, *arguments = answer
    assert ignored(follower, what, request_number, *arguments)
    assert follower.actions() == []


@answers
def test_a_request_is_answered_once(follower, answer):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    follower.synced(2, ONE_TREE, 7)
    what, *arguments = answer
    assert ignored(follower, what, 2, *arguments)


@answers
def test_an_answer_that_comes_after_the_connection_was_given_up_is_ignored(follower, answer):
    follower.follow("a")
    follower.add(["b"])
    follower.actions()
    follower.disconnected("one")
    what, *arguments = answer
    assert ignored(follower, what, 2, *arguments)
    follower.settle()
    assert ignored(follower, what, 2, *arguments)


@answers
def test_an_answer_that_comes_after_it_was_overdue_is_ignored(follower, answer):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    follower.advance(15)
    follower.actions()
    what, *arguments = answer
    assert ignored(follower, what, 2, *arguments)


def test_a_sync_is_not_answered_by_a_number_of_watches(follower):
    follower.add(["a"])
    follower.connect()
    follower.actions()
    assert ignored(follower, "touched", 1, 1)
    follower.synced(1, ONE_TREE, 7)
    assert follower.count("syncs") == 1


def test_a_touch_is_not_answered_by_a_tree(follower):
    follower.follow("a")
    follower.advance(60)
    follower.actions()
    assert ignored(follower, "synced", 2, ANOTHER_TREE, 7)
    follower.touched(2, 1)
    assert follower.count("heartbeats") == 1
