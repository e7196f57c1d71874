"""Arguments of a wrong type or value to a subscriber: a clear exception, and nothing has changed (contract §4)."""

from __future__ import annotations

import pytest
from contract.bad_objects import (
    NO_BUFFER,
    NO_INT,
    NO_STR,
    TYPE_ERROR,
    Raising,
    RaisingMapping,
    RaisingSequence,
    Refused,
    Text,
    raising_iterator,
)
from contract.follower import ONE_TREE
from watchtree import REMOVE_ALL_WATCHES, Config, Connect, Failure, State, Subscriber, UnknownGroup, UnknownServer

NO_ITERABLE = {"None": None, "an int": 7, "a float": 1.5, "an object": object(), "a type": str}


def cases(table):
    return pytest.mark.parametrize("wrong", table.values(), ids=table)


@pytest.fixture
def busy(follower):
    """One that waits for the answer to a sync, with an event that waits."""
    follower.follow("a", "b")
    follower.notify(("a", 3))
    follower.add(["c"])
    follower.actions()
    return follower


def refuses(follower, error, call):
    """Whether a call raises the error, and leaves everything as it was."""
    before = follower.seen()
    with pytest.raises(error):
        call()
    return follower.seen() == before and follower.actions() == []


# The constructor.


@pytest.mark.parametrize("servers", ["one", b"one", bytearray(b"one"), None, 7, 1.5, object()])
def test_servers_are_a_sequence_of_names_or_a_mapping(make, servers):
    with pytest.raises(TypeError):
        make(servers)


@pytest.mark.parametrize("names", ["one", b"one", None, 7, object()])
def test_the_servers_of_a_group_are_a_sequence_of_names(make, names):
    with pytest.raises(TypeError):
        make({"x": ["one"], "y": names})


@cases(NO_STR)
def test_the_name_of_a_server_is_a_str(make, wrong):
    with pytest.raises(TYPE_ERROR):
        make(["one", wrong])
    with pytest.raises(TYPE_ERROR):
        make({"x": ["one", wrong]})


@pytest.mark.parametrize("wrong", [None, 7, b"x", ("x",), True])
def test_the_name_of_a_group_is_a_str(make, wrong):
    with pytest.raises(TypeError):
        make({wrong: ["one"]})


@pytest.mark.parametrize("servers", [[], (), {}, {"x": []}, {"x": ["one"], "y": []}, iter([])])
def test_there_is_at_least_one_server_in_each_group(make, servers):
    with pytest.raises(ValueError, match=r"server|group"):
        make(servers)


@pytest.mark.parametrize("servers", [["one", "one"], ["one", "two", "one"], {"x": ["one"], "y": ["two", "two"]}])
def test_no_server_is_named_twice_in_a_group(make, servers):
    with pytest.raises(ValueError, match="twice"):
        make(servers)


def test_two_groups_may_name_the_same_server(make):
    subscriber = make({"x": ["one", "two"], "y": ["two", "one"]})
    subscriber.add(["a"], "x")
    subscriber.add(["a"], "y")
    assert subscriber.actions() == [Connect("one"), Connect("two")]


def test_an_empty_name_is_a_name(make):
    subscriber = make([""])
    subscriber.add(["a"])
    assert subscriber.actions() == [Connect("")]


@pytest.mark.parametrize("name", ["сервер", "😀", "a\nb", "a\x00b"])
def test_a_name_may_have_any_character(make, name):
    subscriber = make({name: [name]})
    subscriber.add(["a"], name)
    assert subscriber.actions() == [Connect(name)]
    subscriber.connected(name)
    [sync] = subscriber.actions()
    assert (sync.server, sync.group) == (name, name)


def test_servers_may_come_from_a_generator(make):
    subscriber = make(name for name in ("one", "two"))
    subscriber.add(["a"])
    assert subscriber.actions() == [Connect("one")]


def test_an_error_of_the_servers_is_raised_as_it_is(make):
    for servers in (raising_iterator("one"), RaisingMapping(), RaisingSequence(), {"x": raising_iterator("one")}):
        with pytest.raises((Refused, TypeError)):
            make(servers)


def test_a_list_of_servers_that_changes_later_changes_nothing(make):
    servers = ["one", "two"]
    subscriber = make(servers)
    servers[:] = ["three"]
    subscriber.add(["a"])
    assert subscriber.actions() == [Connect("one")]


@pytest.mark.parametrize("config", [7, {}, "config", object(), Config])
def test_the_config_is_a_config(make, config):
    with pytest.raises(TypeError):
        make(["one"], config=config)


@pytest.mark.parametrize("clock", [7, "now", object()])
def test_the_clock_is_callable(make, clock):
    with pytest.raises(TypeError):
        make(["one"], clock=clock)


def test_config_and_clock_are_named(make):
    with pytest.raises(TypeError):
        make(["one"], Config())


def test_without_config_and_clock_there_are_defaults(make):
    subscriber = make(["one"], config=None, clock=None)
    assert subscriber.config == Config()
    subscriber.add(["a"])
    subscriber.actions()
    assert 14 < subscriber.next_deadline() <= 15


TIMED_CALLS = {
    "actions": lambda subscriber: subscriber.actions(),
    "next_deadline": lambda subscriber: subscriber.next_deadline(),
    "disconnected": lambda subscriber: subscriber.disconnected("one"),
    "synced": lambda subscriber: subscriber.synced(1, ONE_TREE, 7),
    "request_failed": lambda subscriber: subscriber.request_failed(1, Failure.NETWORK),
}


@pytest.mark.parametrize("call", TIMED_CALLS.values(), ids=TIMED_CALLS)
def test_an_error_of_the_clock_is_raised_and_nothing_has_changed(make, call):
    def clock():
        if broken:
            raise Refused
        return 0

    broken = []
    subscriber = make(["one"], clock=clock)
    subscriber.add(["a"])
    subscriber.actions()
    subscriber.connected("one")
    subscriber.actions()
    before = subscriber.stats(), subscriber.server(), subscriber.next_deadline()
    broken.append(True)
    with pytest.raises(Refused):
        call(subscriber)
    broken.clear()
    assert (subscriber.stats(), subscriber.server(), subscriber.next_deadline()) == before
    assert subscriber.actions() == []


@pytest.mark.parametrize("now", [None, "0", 1.5, b"0"])
def test_a_clock_that_answers_no_int_is_a_type_error(make, now):
    with pytest.raises(TypeError):
        make(["one"], clock=lambda: now).actions()


# Keys, groups and servers.


@pytest.mark.parametrize("what", ["add", "remove"])
@pytest.mark.parametrize("keys", ["abc", "", b"abc"])
def test_one_key_is_given_as_a_list(busy, what, keys):
    assert refuses(busy, TypeError, lambda: getattr(busy, what)(keys))


@pytest.mark.parametrize("what", ["add", "remove"])
@cases(NO_ITERABLE)
def test_keys_are_an_iterable(busy, what, wrong):
    assert refuses(busy, TypeError, lambda: getattr(busy, what)(wrong))


@pytest.mark.parametrize("what", ["add", "remove"])
@cases(NO_STR)
def test_a_key_is_a_str(busy, what, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: getattr(busy, what)(["a", "d", wrong]))


@pytest.mark.parametrize("what", ["add", "remove"])
def test_a_wrong_type_is_found_before_a_bad_key(busy, what):
    assert refuses(busy, TypeError, lambda: getattr(busy, what)(["a..b", 7]))


@pytest.mark.parametrize("what", ["add", "remove"])
@pytest.mark.parametrize("keys", [lambda: raising_iterator("a", "d"), RaisingSequence, RaisingMapping, Raising])
def test_an_error_of_the_keys_is_raised_and_nothing_has_changed(busy, what, keys):
    assert refuses(busy, (Refused, TypeError), lambda: getattr(busy, what)(keys()))


def test_keys_that_call_back_are_read_before_anything_is_added(follower):
    def keys():
        yield "first"
        follower.add(["inner"])
        yield "last"

    follower.add(keys())
    assert list(follower.known()) == ["inner", "first", "last"]


def test_a_key_may_be_a_subclass_of_str():
    """The native one looks at its characters alone, and calls none of its methods."""
    subscriber = Subscriber(["one"])
    subscriber.add([Text("a")])
    assert list(subscriber.known()) == ["a"]


GROUP_CALLS = {
    "add": lambda follower, group: follower.add(["d"], group),
    "remove": lambda follower, group: follower.remove(["a"], group),
    "known": lambda follower, group: follower.known(group),
    "server": lambda follower, group: follower.server(group),
    "tree": lambda follower, group: follower.tree(group),
    "notified": lambda follower, group: follower.notified("one", [("a", 0, 7, b"v")], group),
}

SERVER_CALLS = {
    "connected": lambda follower, server: follower.connected(server),
    "connect_failed": lambda follower, server: follower.connect_failed(server),
    "disconnected": lambda follower, server: follower.disconnected(server),
    "notified": lambda follower, server: follower.notified(server, [("a", 0, 7, b"v")]),
}


@cases(NO_STR)
@pytest.mark.parametrize("call", GROUP_CALLS.values(), ids=GROUP_CALLS)
def test_a_group_is_a_str(busy, call, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: call(busy, wrong))


@pytest.mark.parametrize("call", GROUP_CALLS.values(), ids=GROUP_CALLS)
@pytest.mark.parametrize("group", ["x", "one", " ", "\ud800"])
def test_a_group_that_does_not_exist_is_refused(busy, call, group):
    assert refuses(busy, UnknownGroup, lambda: call(busy, group))
    assert refuses(busy, KeyError, lambda: call(busy, group))


@cases(NO_STR)
@pytest.mark.parametrize("call", SERVER_CALLS.values(), ids=SERVER_CALLS)
def test_a_server_is_a_str(busy, call, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: call(busy, wrong))


@pytest.mark.parametrize("call", SERVER_CALLS.values(), ids=SERVER_CALLS)
@pytest.mark.parametrize("server", ["", "x", "One", "\ud800"])
def test_a_server_that_does_not_exist_is_refused(busy, call, server):
    assert refuses(busy, UnknownServer, lambda: call(busy, server))
    assert refuses(busy, KeyError, lambda: call(busy, server))


# Answers.


ANSWERS = {
    "synced": lambda follower, request: follower.synced(request, ONE_TREE, 7),
    "touched": lambda follower, request: follower.touched(request, 2),
    "request_failed": lambda follower, request: follower.request_failed(request, Failure.NETWORK),
}


@cases(NO_INT | {"None": None, "an object that raises": Raising()})
@pytest.mark.parametrize("call", ANSWERS.values(), ids=ANSWERS)
def test_a_request_is_an_int(busy, call, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: call(busy, wrong))


@pytest.mark.parametrize("tree_id", [None, str(ONE_TREE), ONE_TREE.bytes, ONE_TREE.int, object()])
def test_the_id_of_a_tree_is_a_uuid(busy, tree_id):
    assert refuses(busy, TypeError, lambda: busy.synced(2, tree_id, 7))
    assert refuses(busy, TypeError, lambda: busy.synced(99, tree_id, 7))


@cases(NO_INT | {"None": None, "an object that raises": Raising()})
def test_the_index_of_a_tree_is_an_int(busy, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: busy.synced(2, ONE_TREE, wrong))


@pytest.mark.parametrize("index", [-1, 2**63, 2**64 + 7, -(2**70)])
def test_the_index_of_a_tree_is_in_its_range(busy, index):
    assert refuses(busy, ValueError, lambda: busy.synced(2, ONE_TREE, index))


@cases(NO_INT | {"None": None, "an object that raises": Raising()})
def test_a_number_of_watches_is_an_int(busy, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: busy.touched(2, wrong))


@pytest.mark.parametrize("watches", [-1, 2**64, -(2**70)])
def test_a_number_of_watches_is_in_its_range(busy, watches):
    assert refuses(busy, ValueError, lambda: busy.touched(2, watches))


@pytest.mark.parametrize("reason", [None, "NETWORK", 0.0, object(), Failure])
def test_a_reason_is_a_failure(busy, reason):
    assert refuses(busy, TypeError, lambda: busy.request_failed(2, reason))


@pytest.mark.parametrize("reason", [-1, 6, 99, 2**64])
def test_a_reason_is_one_of_the_failures(busy, reason):
    assert refuses(busy, ValueError, lambda: busy.request_failed(2, reason))


def test_a_reason_may_be_its_number(busy):
    busy.request_failed(2, int(Failure.NETWORK))
    assert busy.server() is None


# Notifications.


WRONG_NOTIFICATIONS = {
    "None": None,
    "an int": 7,
    "a str of four letters": "abcd",
    "too short": ("a", 0, 7),
    "too long": ("a", 0, 7, b"v", 0),
    "nothing in it": (),
    "a list": ["a", 0, 7, b"v"],
    "a key that is None": (None, 0, 7, b"v"),
    "a key that is bytes": (b"a", 0, 7, b"v"),
    "a key that raises": (Raising(), 0, 7, b"v"),
    "a state that is None": ("a", None, 7, b"v"),
    "a state that is its name": ("a", "VALUE", 7, b"v"),
    "a state that is a float": ("a", 0.0, 7, b"v"),
    "an index that is None": ("a", 0, None, b"v"),
    "an index that is a str": ("a", 0, "7", b"v"),
    "an index that is a float": ("a", 0, 7.0, b"v"),
    "an index that raises": ("a", 0, Raising(), b"v"),
    "a key that is not followed with a wrong index": ("z", 0, None, b"v"),
}


@cases(WRONG_NOTIFICATIONS)
@pytest.mark.parametrize("server", ["one", "two"])
def test_a_notification_of_a_wrong_type_refuses_the_whole_call(busy, server, wrong):
    assert refuses(busy, TYPE_ERROR, lambda: busy.notified(server, [("a", 0, 7, b"v"), wrong, ("b", 0, 8, b"v")]))


@cases(NO_BUFFER)
def test_the_bytes_of_a_value_are_bytes(busy, wrong):
    assert refuses(busy, (TypeError, Refused), lambda: busy.notified("one", [("a", State.VALUE, 7, wrong)]))


def test_a_value_whose_buffer_is_not_contiguous_is_refused(busy):
    stripes = memoryview(b"abcd")[::2]
    assert refuses(busy, (BufferError, TypeError), lambda: busy.notified("one", [("a", State.VALUE, 7, stripes)]))


@cases(NO_ITERABLE | {"a str": "abcd", "bytes": b"abcd"})
def test_notifications_are_an_iterable(busy, wrong):
    assert refuses(busy, TypeError, lambda: busy.notified("one", wrong))


@pytest.mark.parametrize("server", ["one", "two"])
def test_an_error_of_the_notifications_is_raised_and_nothing_has_changed(busy, server):
    assert refuses(busy, Refused, lambda: busy.notified(server, raising_iterator(("a", 0, 7, b"v"))))


def test_notifications_that_call_back_are_read_before_any_is_taken_in(busy):
    def notifications():
        yield "a", State.VALUE, 7, b"v"
        busy.notified("one", [("a", State.VALUE, 8, b"inner")])
        yield "b", State.VALUE, 9, b"v"

    busy.notified("one", notifications())
    assert busy.events() == [("a", 8), ("b", 9)]


def test_notifications_that_lose_the_connection_come_too_late(busy):
    def notifications():
        yield "a", State.VALUE, 7, b"v"
        busy.disconnected("one")

    assert busy.notified("one", notifications()) is REMOVE_ALL_WATCHES
    assert busy.known()["a"] == 3


# The rest.


@pytest.mark.parametrize("listener", [7, "print", object(), []])
def test_a_listener_is_callable(busy, listener):
    with pytest.raises(TypeError):
        busy.subscriber.listener = listener
    assert busy.subscriber.listener is None


def test_a_listener_cannot_be_deleted(busy):
    with pytest.raises(AttributeError):
        del busy.subscriber.listener


def test_the_config_cannot_be_set(busy):
    with pytest.raises(AttributeError):
        busy.subscriber.config = Config()
