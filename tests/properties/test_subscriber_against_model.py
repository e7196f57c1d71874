"""The native subscriber and the model agree on every history of calls (contract §4).

Each rule makes the same call on both, and all that comes out and can be seen has to be the same. Beside that there are
claims about the native one alone, from what went in and what came out, which hold it to the contract even where the model
is wrong in the same way.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from watchtree import Action, Connect, Disconnect, Event, ManualClock, Subscriber, Sync, Touch
from watchtree.config import Config
from watchtree.testing import ModelSubscriber
from watchtree.testing.machine.comparing import difference
from watchtree.testing.model_subscriber import REMOVED
from watchtree.words import Failure, State

pytestmark = pytest.mark.timeout(0)  # the profile's number of examples is the limit

GROUPS = ["x", "y"]
KEYS = ["", "a", "a.b", "c"]
TREES = [uuid.UUID(int=1), uuid.UUID(int=2)]
LATEST = 20
"""Up to this index a listener that is told something makes more news of it."""
STEPS_TO_SETTLE = 200

groups = st.sampled_from(GROUPS)
servers = st.sampled_from(["one", "both", "two"])
some_keys = st.lists(st.sampled_from(KEYS), max_size=4)
layouts: st.SearchStrategy[dict[str, list[str]]] = st.sampled_from(
    [
        {"x": ["one", "both"], "y": ["both", "two"]},
        {"x": ["both", "one"], "y": ["two", "both"]},
        {"x": ["one", "both"], "y": ["two", "both"]},
        {"y": ["both", "two"], "x": ["both", "one"]},
        {"x": ["both"], "y": ["both", "two", "one"]},
    ]
)
limits: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"heartbeat": 10, "backoff": (1, 20)}, {"backoff": (15, 0.5)}, {"max_key_bytes": 1}]
)
trees = st.sampled_from([TREES[0], *TREES])
seconds = st.sampled_from([0, 1, 14.9, 15, 60, 61, 1e-9])
batches = st.lists(
    st.tuples(
        st.sampled_from([*KEYS, *KEYS, *KEYS, "unheard of"]),
        st.sampled_from(State),
        st.integers(0, 12),
        st.sampled_from([b"", b"v"]),
    ),
    max_size=5,
)
mostly = st.sampled_from([True] * 5 + [False])
picks = st.tuples(st.sampled_from(["waiting"] * 6 + ["any", "next", "none"]), st.integers(0, 20))


class Side:
    """A subscriber, and what came out of it beside its answers."""

    def __init__(self, make: type, layout: dict[str, list[str]], limits: dict[str, Any], clock: ManualClock) -> None:
        self.told: list[Event] = []
        self.errors: list[tuple[str, str]] = []
        config = Config(on_error=lambda error, group: self.errors.append((type(error).__name__, group)), **limits)
        self.subscriber: Any = make(layout, config=config, clock=clock)

    def make(self, what: str, *arguments: Any) -> Any:
        """What a call answers, in a form that shows the order of keys; or the class of its error."""
        try:
            answer = getattr(self.subscriber if hasattr(self.subscriber, what) else self, what)(*arguments)
        except AssertionError:
            raise
        except Exception as error:
            return type(error)
        return [in_order(action) for action in answer] if what == "actions" else answer

    def listen(self, then: str) -> None:
        """Set a listener, which notes each event and then does something; or none."""

        def listener(event: Event) -> None:
            self.told.append(event)
            if then == "raises":
                raise ArithmeticError
            if then == "removes":
                self.subscriber.remove([event.key], event.group)
            if then == "takes":
                self.told += filter(None, [self.subscriber.take()])
            if then == "is told more" and event.index < LATEST:
                news = [(event.key, State.MISSING, event.index + 7, None)] * 2
                self.subscriber.notified(self.subscriber.server(event.group) or "one", news, event.group)

        self.subscriber.listener = None if then == "is none" else listener

    def seen(self) -> dict[str, Any]:
        """All that can be seen."""
        return {
            "told": self.told,
            "errors": self.errors,
            "stats": vars(self.subscriber.stats()),
            "known": {group: list(self.subscriber.known(group).items()) for group in GROUPS},
            "server": {group: self.subscriber.server(group) for group in GROUPS},
            "tree": {group: self.subscriber.tree(group) for group in GROUPS},
        }


def in_order(action: Action) -> Any:
    return (action, list(action.known)) if isinstance(action, Sync) else (action, None)


class SubscriberMachine(RuleBasedStateMachine):
    """Both sides, and what servers would know of the native one."""

    subject: type = Subscriber
    """What is tested."""
    oracle: type = ModelSubscriber
    sound = False
    """The last call went well, so that a history can be brought to its end."""

    @initialize(layout=layouts, limits=limits, keys=st.lists(some_keys, min_size=2, max_size=2), acts_at_once=mostly)
    def start(
        self, layout: dict[str, list[str]], limits: dict[str, Any], keys: list[list[str]], acts_at_once: bool
    ) -> None:
        self.layout = layout
        self.clock = ManualClock()
        self.sides = [Side(make, layout, limits, self.clock) for make in (self.subject, self.oracle)]
        self.core = self.sides[0].subscriber
        self.acts_at_once = acts_at_once
        """Whether `actions` follows each call, as it should, or comes when it pleases."""
        self.connections: dict[str, bool] = {}
        """The servers that a connection was asked for, and whether it is open."""
        self.requests = 0
        self.waiting: dict[str, Sync | Touch] = {}
        """For each group the request that nothing ended yet."""
        self.watched: dict[tuple[str, str], set[str]] = {}
        """What a server was told to watch, on this connection, for a group."""
        self.came_from: dict[tuple[str, str, int], int] = {}
        """For a notification, by group, key and index: the number of the tree that it came from."""
        self.tree_number = 0
        """Grows with each answer from another tree."""
        self.trees: dict[str, uuid.UUID] = {}
        self.taken: dict[tuple[str, str], tuple[int, int]] = {}
        """For each group and key the index of the event that was taken last, and the number of its tree."""
        for group, its_keys in zip(GROUPS, keys, strict=True):
            self.make("add", its_keys, group)

    # Both sides.

    def make(self, what: str, *arguments: Any) -> Any:
        """Make a call on both sides, and compare all that comes out and can be seen; then act, if it is to be at once."""
        self.sound = False
        for side in self.sides:
            side.told, side.errors = [], []
        core, model = (side.make(what, *arguments) for side in self.sides)
        assert core == model, f"{what}{arguments} answers {core}, of the model {model}"
        self.look()
        if self.acts_at_once and what != "actions":
            self.act()
        self.sound = True
        return core

    def look(self) -> None:
        core, model = (side.seen() for side in self.sides)
        assert core == model, difference(core, model)
        core_deadline, model_deadline = (side.subscriber.next_deadline() for side in self.sides)
        assert core_deadline == model_deadline, f"next_deadline is {core_deadline}, of the model {model_deadline}"
        for side in self.sides:
            side.subscriber.verify()
        for group, synced in core["tree"].items():
            if synced and self.trees.setdefault(group, synced.tree_id) != synced.tree_id:
                self.trees[group] = synced.tree_id
                self.tree_number += 1
        for event in core["told"]:
            self.note_event(event)
        self.taken = {(group, key): each for (group, key), each in self.taken.items() if key in self.core.known(group)}

    def act(self) -> list[Action]:
        """Take the actions of both sides, and note what servers then know."""
        said: list[Action] = [action for action, _ in self.make("actions")]
        for action in said:
            if isinstance(action, Connect):
                assert action.server not in self.connections, f"{action} with {self.connections}"
                self.connections[action.server] = False
            elif isinstance(action, Disconnect):
                self.end_of_connection(action.server)
            else:
                self.note_request(action)
        assert self.core.stats().connected == sum(self.connections.values())
        assert self.make("actions") == [], "an action is said once"
        assert self.core.next_deadline() != 0, "there is nothing to say after all was said"
        for group in GROUPS:
            server = self.core.server(group)
            if server and self.connections[server] and group not in self.waiting:
                assert self.watched[server, group] == self.core.known(group).keys(), f"{server} was not told all"
        return said

    # What servers know.

    def note_request(self, request: Sync | Touch) -> None:
        server, group = request.server, request.group
        self.requests += 1
        assert request.request == self.requests, f"{request} is the {self.requests}th"
        assert self.connections.get(server), f"{request} with {self.connections}"
        assert group not in self.waiting, f"{request} while {self.waiting[group]} has no answer"
        self.waiting[group] = request
        if isinstance(request, Sync):
            self.note_sync(request, self.watched.setdefault((server, group), set()))

    def note_sync(self, request: Sync, watched: set[str]) -> None:
        if request.replace:
            assert request.known == self.core.known(request.group)
            watched.clear()
        for key, index in request.known.items():
            assert request.replace or index in (0, REMOVED), f"{request} names an index"
            if index == REMOVED:
                assert key in watched, f"{request} removes {key!r}, of which the server was not told"
                watched.remove(key)
            else:
                watched.add(key)

    def end_of_connection(self, server: str) -> None:
        self.connections.pop(server, None)
        for group in GROUPS:
            self.watched.pop((server, group), None)
            if group in self.waiting and self.waiting[group].server == server:
                del self.waiting[group]

    def end_of_request(self, number: int, *kinds: type) -> Sync | Touch | None:
        """The request that an answer ends, if it does."""
        for group, request in self.waiting.items():
            if request.request == number and isinstance(request, kinds):
                return self.waiting.pop(group)
        return None

    def number(self, pick: tuple[str, int]) -> int:
        """The number of a request: one that waits, any that was said, the next one, none."""
        which, position = pick
        waiting = [request.request for request in self.waiting.values()]
        numbers = {"waiting": waiting, "any": range(1, self.requests + 1), "next": [self.requests + 1]}.get(which)
        return numbers[position % len(numbers)] if numbers else position - 20

    def note_event(self, event: Event) -> None:
        """The indexes of a key grow, unless it was removed in between or another tree came."""
        place = (event.group, event.key)
        tree = self.came_from.get((*place, event.index), self.tree_number)
        index, of_tree = self.taken.get(place, (-1, tree))
        assert event.index > index or of_tree != tree, f"{event} after one of index {index}"
        self.taken[place] = (event.index, tree)

    # The user.

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=4), group=groups)
    def add(self, keys: list[str], group: str) -> None:
        self.make("add", keys, group)

    @rule(keys=some_keys, group=groups)
    def remove(self, keys: list[str], group: str) -> None:
        self.make("remove", keys, group)

    @rule(group=groups, again=some_keys)
    def remove_all_and_add_some_again(self, group: str, again: list[str]) -> None:
        self.make("remove", KEYS, group)
        self.make("add", again, group)

    @rule(what=st.sampled_from(["add", "remove"]), group=groups)
    def name_a_bad_key(self, what: str, group: str) -> None:
        self.make(what, ["a", "b..c", "d"], group)

    @rule()
    def take(self) -> None:
        event = self.make("take")
        if event:
            self.note_event(event)

    @rule()
    def take_all(self) -> None:
        events = [self.make("take") for _ in range(self.core.stats().waiting)]
        assert self.make("take") is None
        assert len({(event.group, event.key) for event in events}) == len(events), f"two events of a key: {events}"
        for event in events:
            self.note_event(event)

    @rule(
        then=st.sampled_from(["is none", "is none", "is none", "returns", "raises", "removes", "takes", "is told more"])
    )
    def listen(self, then: str) -> None:
        self.make("listen", then)

    # Time.

    @rule()
    def actions(self) -> None:
        self.act()

    @rule(by=seconds)
    def let_time_pass(self, by: float) -> None:
        self.clock.advance(by)
        self.make("stats")

    @precondition(lambda self: self.sound and self.core.next_deadline())
    @rule(late=st.sampled_from([0, 0, 1e-9]))
    def let_time_pass_to_the_next_deadline(self, late: float) -> None:
        self.clock.advance(self.core.next_deadline() - 1e-9)
        assert self.act() == [], "nothing is said before the deadline"
        before = [self.core.server(group) for group in GROUPS]
        self.clock.advance(1e-9 + late)
        shared = [self.core.server(group) for group in GROUPS] != before
        assert self.act() or shared or before != [self.core.server(group) for group in GROUPS], (
            "something is said at the deadline, or a group shares the connection that another asked for"
        )

    # Connections and answers.

    @rule(what=st.sampled_from(["connected"] * 4 + ["connect_failed", "disconnected"]), server=servers, fits=mostly)
    def news_of_a_connection(self, what: str, server: str, fits: bool) -> None:
        """Of any server; if it is to fit, of one for which it is news."""
        if fits:
            news = [each for each, is_open in self.connections.items() if not is_open or what == "disconnected"]
            server = server if server in news else next(iter(news), server)
        if what == "connected" and server in self.connections:
            self.connections[server] = True
        elif what == "disconnected" or not self.connections.get(server):
            self.end_of_connection(server)
        self.make(what, server)

    @rule(pick=picks, tree=trees, index=st.integers(0, 12))
    def synced(self, pick: tuple[str, int], tree: uuid.UUID, index: int) -> None:
        number = self.number(pick)
        self.end_of_request(number, Sync)
        self.make("synced", number, tree, index)

    @rule(pick=picks, more=st.sampled_from([0, 1, -1, 10]))
    def touched(self, pick: tuple[str, int], more: int) -> None:
        number = self.number(pick)
        request = self.end_of_request(number, Touch)
        watches = len(self.watched[request.server, request.group]) if request else 0
        self.make("touched", number, max(0, watches + more))

    @rule(pick=picks, reason=st.sampled_from(Failure))
    def request_failed(self, pick: tuple[str, int], reason: Failure) -> None:
        number = self.number(pick)
        request = self.end_of_request(number, Sync, Touch)
        if request:
            self.watched.pop((request.server, request.group))
        self.make("request_failed", number, reason)

    @rule(rounds=st.integers(1, 3), tree=trees)
    def let_all_go_well(self, rounds: int, tree: uuid.UUID) -> None:
        """Open the connections that are asked for, and answer every request as a server of this tree does."""
        for _ in range(rounds):
            self.act()
            for server in [server for server, is_open in self.connections.items() if not is_open]:
                self.news_of_a_connection("connected", server, False)
            self.act()
            for request in [*self.waiting.values()]:
                self.answer(request, tree)

    def answer(self, request: Sync | Touch, tree: uuid.UUID) -> None:
        self.end_of_request(request.request, Sync, Touch)
        if isinstance(request, Sync):
            self.make("synced", request.request, tree, 12)
        else:
            self.make("touched", request.request, len(self.watched[request.server, request.group]))

    @rule(more=st.sampled_from([0, 1, -1, 10]), meanwhile=st.none() | groups, keys=some_keys)
    def let_the_heartbeat_come(self, more: int, meanwhile: str | None, keys: list[str]) -> None:
        """Answer touches with some more watches, or fewer, than there are; keys may be removed meanwhile."""
        self.let_all_go_well(2, TREES[0])
        self.let_time_pass(60)
        self.act()
        if meanwhile:
            self.make("remove", keys, meanwhile)
        for _ in range(len(self.waiting)):
            self.touched(("waiting", 0), more)

    @rule(server=servers, group=groups, its_own=mostly, batch=batches)
    def notified(self, server: str, group: str, its_own: bool, batch: list[tuple[str, State, int, bytes]]) -> None:
        connected = [each for each in GROUPS if self.connections.get(self.core.server(each) or "")]
        if its_own and connected:
            group = group if group in connected else connected[0]
            server = self.core.server(group)
        for key, _, index, _ in batch:
            self.came_from[group, key, index] = self.tree_number
        self.make("notified", server, batch, group)

    @rule(batch=batches, group=groups, again=st.booleans())
    def let_all_go_well_and_notify(self, batch: list[tuple[str, State, int, bytes]], group: str, again: bool) -> None:
        self.let_all_go_well(2, self.trees.get(group, TREES[0]))
        for _ in range(1 + again):
            self.notified("both", group, True, batch)
            self.take()

    # What holds after each call.

    @invariant()
    def at_most_one_event_waits_for_a_key(self) -> None:
        stats = self.core.stats()
        assert stats.waiting <= stats.keys

    @invariant()
    def at_most_one_request_of_a_group_waits(self) -> None:
        assert self.core.stats().requests <= sum(self.core.server(group) is not None for group in GROUPS)

    @invariant()
    def a_group_is_with_a_server_of_its_own(self) -> None:
        for group in GROUPS:
            assert self.core.server(group) in (None, *self.layout[group])

    # The end of each history.

    def teardown(self) -> None:
        """When all goes well, each group comes to a server that watches what it follows, and there is no more to say."""
        if not self.sound:
            return
        self.make("listen", "is none")
        for _ in range(STEPS_TO_SETTLE):
            self.let_all_go_well(1, TREES[0])
            if not self.act() and not self.waiting and all(self.is_served(group) for group in GROUPS):
                break
            self.let_time_pass(1)
        for group in GROUPS:
            server = self.core.server(group)
            assert self.is_served(group), f"{group} follows {self.core.known(group)} and is with {server}"
            if server:
                assert self.watched[server, group] == self.core.known(group).keys()
        assert self.connections == {server: True for server in map(self.core.server, GROUPS) if server}

    def is_served(self, group: str) -> bool:
        return bool(self.core.known(group)) == (self.core.server(group) is not None)


TestCoreAgainstModel: Callable[..., Any] = SubscriberMachine.TestCase
