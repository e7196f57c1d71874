"""Any history of calls, made on an engine and on the model side by side (contract §1 to §3, §5).

Each rule makes the same calls on both sides. All that comes out has to be the same: answers, errors, batches, and
everything that can be asked for. Beside that each guarantee of §5 is an invariant with its number.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from watchtree._core import Dispatcher, Tree
from watchtree.config import Config
from watchtree.records import Operation
from watchtree.testing.machine import strategies as draw
from watchtree.testing.machine.guarantees import STEPS_TO_SETTLE, GuaranteesMachine
from watchtree.testing.machine.sides import Call, Engine, Plan
from watchtree.words import REMOVE_ALL_WATCHES, Failure, Result


class DispatcherMachine(GuaranteesMachine):
    """A RuleBasedStateMachine: any history of calls on a tree and a dispatcher, compared with the model after each call.

    Subclass it with your own transport and give its TestCase to pytest:

        class MyMachine(DispatcherMachine):
            def carry(self, frame: bytes) -> bytes:
                return self.connection.send_and_receive(frame)

        TestMine = MyMachine.TestCase

    The guarantees of the contract's §5 are its invariants; a failure shows the history as code. `engine` names the classes
    to test: those of watchtree unless a subclass says otherwise.
    """

    engine = Engine(Tree, Dispatcher)

    def carry(self, frame: bytes) -> bytes:
        """Carry a batch, as `Batch.encode` gives it, to the other end: what arrived there. Yours to override."""
        return frame

    @initialize(config=draw.configs, keys=st.lists(draw.keys, max_size=4), watched=draw.watched)
    def start(self, config: Config, keys: list[str], watched: dict[str, list[str]]) -> None:
        self.begin(config)
        self.subject.carry = self.carry
        self.begin_guarantees()
        for key in keys:
            self.make(Call("tree.put", (key, key.encode()), {"parents": True}))
        for channel, its_keys in watched.items():
            self.make(Call("dispatcher.sync", (channel, dict.fromkeys(its_keys, 0))))

    def index(self, step: int | None) -> dict[str, int]:
        """The keyword for an explicit index, so far from the tree's; none if the tree counts."""
        return {} if step is None else {"index": min(self.seen["index"] + step, draw.MAX_INDEX + 1)}

    def known(self, steps: dict[str, Any]) -> dict[str, int]:
        """What a subscriber knows of each key, as `sync` takes it."""
        words = {"nothing": 0, "stop": -1}
        return {
            key: words[step] if isinstance(step, str) else max(1, self.seen["index"] + step)
            for key, step in steps.items()
        }

    def ticket(self, pick: int) -> int:
        """One of the tickets in flight."""
        tickets = self.in_flight()
        return tickets[pick % len(tickets)]

    # Changes of the tree.

    @rule(key=draw.any_keys, value=draw.any_values, parents=draw.mostly, step=draw.index_steps)
    def put(self, key: str, value: bytes, parents: bool, step: int | None) -> None:
        self.make(Call("tree.put", (key, value), {"parents": parents, **self.index(step)}))

    @rule(key=draw.any_keys, parents=draw.mostly, step=draw.index_steps)
    def mkdir(self, key: str, parents: bool, step: int | None) -> None:
        self.make(Call("tree.mkdir", (key,), {"parents": parents, **self.index(step)}))

    @rule(key=draw.any_keys, there=draw.mostly, pick=draw.picks, recursive=draw.mostly, step=draw.index_steps)
    def remove(self, key: str, there: bool, pick: int, recursive: bool, step: int | None) -> None:
        if there:
            key = self.seen["tree"][pick % len(self.seen["tree"])].key
        self.make(Call("tree.remove", (key,), {"recursive": recursive, **self.index(step)}))

    @rule(
        key=draw.any_keys,
        expected=st.none() | draw.values | st.just("current"),
        value=st.none() | draw.any_values,
        step=draw.index_steps,
    )
    def compare_and_set(self, key: str, expected: Any, value: bytes | None, step: int | None) -> None:
        if expected == "current":
            expected = next((node.value for node in self.seen["tree"] if node.key == key), None)
        self.make(Call("tree.compare_and_set", (key, expected, value), self.index(step)))

    @rule(operations=st.lists(draw.operations, max_size=4), step=draw.index_steps)
    def batch(self, operations: list[Operation], step: int | None) -> None:
        self.make(Call("tree.batch", (operations,), self.index(step)))

    @rule(pick=draw.picks, value=draw.values, then_dispatch=st.booleans())
    def change_what_is_watched(self, pick: int, value: bytes, then_dispatch: bool) -> None:
        """Change the state of a watched key, in whatever way its state allows."""
        watched = sorted({key for seen in self.seen["channels"].values() for key in seen["watches by key"]})
        if not watched:
            return
        key = watched[pick % len(watched)]
        nodes = {node.key: node for node in self.seen["tree"]}
        while key in nodes and nodes[key].is_directory:
            key = f"{key}.a" if key else "a"
        value_above = next((node.key for node in nodes.values() if key.startswith(f"{node.key}.") and node.value), None)
        if value_above or (key in nodes and pick % 2):
            self.make(Call("tree.remove", (value_above or key,)))
        else:
            self.make(Call("tree.put", (key, value), {"parents": True}))
        if then_dispatch:
            self.make(Call("dispatcher.dispatch"))

    # Registration.

    @rule(channel=draw.channels, steps=draw.known_maps, replace=draw.rarely, as_pairs=st.booleans())
    def sync(self, channel: str, steps: dict[str, Any], replace: bool, as_pairs: bool) -> None:
        known = self.known(steps)
        self.make(Call("dispatcher.sync", (channel, list(known.items()) if as_pairs else known, replace)))

    @rule(channel=draw.channels, keys=st.lists(draw.keys, min_size=1, max_size=4, unique=True))
    def watch_from_nothing(self, channel: str, keys: list[str]) -> None:
        self.make(Call("dispatcher.sync", (channel, dict.fromkeys(keys, 0))))

    @rule(channel=draw.channels, lost=st.booleans(), behind=st.integers(0, 2), replace=st.booleans())
    def resume(self, channel: str, lost: bool, behind: int, replace: bool) -> None:
        """Sync all that a channel watches, with the indexes that it has or may have, as after a lost connection."""
        if channel in self.seen["channels"]:
            if lost and self.seen["channels"][channel]["ticket"]:
                self.make(Call("batch.fail", (self.seen["channels"][channel]["ticket"], Failure.NETWORK)))
            watches = self.seen["channels"][channel]["watches by key"]
            newest = max(1, self.seen["index"] - behind)
            known = {key: newest if behind < 2 or notified < 1 else notified for key, notified in watches.items()}
            self.make(Call("dispatcher.sync", (channel, known, replace)))

    @rule(channel=draw.channels, what=st.sampled_from(("touch",) * 6 + ("close",) * 2 + ("reset",)))
    def touch_close_or_reset(self, channel: str, what: str) -> None:
        self.make(Call(f"dispatcher.{what}", () if what == "reset" else (channel,)))

    # Steps and time.

    @rule(plan=draw.plans)
    def dispatch(self, plan: Plan) -> None:
        self.make(Call("dispatcher.dispatch"), plan)

    @rule()
    def dispatch_until_done(self) -> None:
        for _ in range(STEPS_TO_SETTLE):
            if self.make(Call("dispatcher.dispatch")):
                return
        self.fail("dispatch never came to an end")

    @rule(times=st.integers(1, 4))
    def dispatch_and_acknowledge(self, times: int) -> None:
        for _ in range(times):
            self.make(Call("dispatcher.dispatch"))
            self.acknowledge_all()

    @rule(seconds=draw.seconds)
    def let_time_pass(self, seconds: float) -> None:
        self.make(Call("clock.advance", (round(seconds * 1e9),)))

    @precondition(lambda self: self.seen["next_deadline"])
    @rule(more=st.sampled_from((-1, 0, 0, 1)), plan=draw.plans)
    def let_time_pass_to_the_next_deadline(self, more: int, plan: Plan) -> None:
        self.make(Call("clock.advance", (round(self.seen["next_deadline"] * 1e9) + more,)))
        self.make(Call("dispatcher.dispatch"), plan)

    # Answers.

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, by_ticket=st.booleans(), plan=draw.plans)
    def acknowledge(self, pick: int, by_ticket: bool, plan: Plan) -> None:
        self.make(Call("dispatcher.answer" if by_ticket else "batch.acknowledge", (self.ticket(pick),)), plan)

    @precondition(lambda self: self.in_flight())
    @rule()
    def acknowledge_all(self) -> None:
        for ticket in self.in_flight():
            self.make(Call("batch.acknowledge", (ticket,)))

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, codes=draw.codes, by_ticket=st.booleans(), plan=draw.plans)
    def answer_each_watch(self, pick: int, codes: list[int], by_ticket: bool, plan: Plan) -> None:
        """The codes are taken in turn, so often that their number is right."""
        results = list(islice(cycle(codes), self.notifications(self.ticket(pick))))
        what = "dispatcher.answer" if by_ticket else "batch.acknowledge"
        self.make(Call(what, (self.ticket(pick), results)), plan)

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, reason=draw.reasons, by_ticket=st.booleans())
    def fail_a_batch(self, pick: int, reason: Failure, by_ticket: bool) -> None:
        if by_ticket:
            self.make(Call("dispatcher.answer", (self.ticket(pick),), {"failure": reason}))
        else:
            self.make(Call("batch.fail", (self.ticket(pick), reason)))

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, how=st.sampled_from(("remove_all", "REMOVE_ALL_WATCHES", -1, 1, 3)))
    def answer_so_that_the_channel_is_closed(self, pick: int, how: Any) -> None:
        """That nothing is watched, or so many results too few or too many."""
        ticket = self.ticket(pick)
        if how == "remove_all":
            self.make(Call("batch.remove_all", (ticket,)))
        elif how == "REMOVE_ALL_WATCHES":
            self.make(Call("dispatcher.answer", (ticket, REMOVE_ALL_WATCHES)))
        else:
            self.make(Call("batch.acknowledge", (ticket, [Result.OK] * (self.notifications(ticket) + how))))

    def notifications(self, ticket: int) -> int:
        """The number of notifications in a batch in flight."""
        count: int = next(seen["in_flight"] for seen in self.seen["channels"].values() if seen["ticket"] == ticket)
        return count

    @precondition(lambda self: self.subject.batches)
    @rule(
        pick=draw.picks,
        answer=st.sampled_from(("acknowledge", "results", "remove_all", "fail", "fail for good")),
        codes=draw.codes,
    )
    def answer_late_or_again(self, pick: int, answer: str, codes: list[int]) -> None:
        """Answer a batch that was handed over at any time and is out of flight."""
        tickets = sorted(set(self.subject.batches) - set(self.in_flight()))
        if not tickets:
            return
        ticket = tickets[pick % len(tickets)]
        calls = {
            "acknowledge": Call("batch.acknowledge", (ticket,)),
            "results": Call("batch.acknowledge", (ticket, codes)),
            "remove_all": Call("batch.remove_all", (ticket,)),
            "fail": Call("batch.fail", (ticket, Failure.NETWORK)),
            "fail for good": Call("batch.fail", (ticket, Failure.CLIENT_ERROR)),
        }
        self.make(calls[answer])

    @rule(ahead=st.sampled_from((0, -1, 1, 2, 2**31, 2**63, 2**64, 2**70, -(2**70))), codes=st.none() | draw.codes)
    def answer_a_forged_ticket(self, ahead: int, codes: list[int] | None) -> None:
        """Answer a ticket that was never given out."""
        ticket = self.seen["stats"]["batches_sent"] + ahead if ahead > 0 else ahead
        self.make(Call("dispatcher.answer", (ticket, codes)))

    # Snapshots, and calls that change nothing.

    @rule(what=st.sampled_from(("take",) * 6 + ("restore", "restart")), pick=draw.picks, damage=draw.damages)
    def take_or_use_an_image(self, what: str, pick: int, damage: str | None) -> None:
        number = pick % max(1, len(self.subject.images))
        if what == "take" or not self.subject.images:
            self.make(Call("take_image"))
        elif what == "restore":
            self.make(Call("restore", (number, damage)))
        else:
            self.make(Call("restart", (number,)))

    @rule(key=draw.any_keys, others=st.lists(draw.any_keys, max_size=3))
    def read(self, key: str, others: list[str]) -> None:
        self.make(Call("tree.get", (key,)))
        self.make(Call("tree.list", (key,)))
        self.make(Call("tree.get_many", ([key, *others],)))
        self.make(Call("tree.__contains__", (key,)))

    @rule(
        bad=draw.wrong_calls
        | st.tuples(st.sampled_from(draw.BAD_KEYS), st.just(0))
        | st.tuples(draw.keys, st.sampled_from((-2, -(2**63) - 1, 2**63, 2**70)))
        | st.just("twice"),
        channel=draw.channels,
        steps=draw.known_maps,
        place=draw.picks,
        replace=st.booleans(),
    )
    def call_wrongly(self, bad: Any, channel: str, steps: dict[str, Any], place: int, replace: bool) -> None:
        """Make a call that no state allows, or a sync with one bad entry among good ones."""
        if isinstance(bad, Call):
            self.make(bad)
            return
        pairs = list(self.known(steps).items())
        if bad == "twice":
            bad = pairs[place % len(pairs)] if pairs else (".", 0)
        pairs = [pair for pair in pairs if pair[0] != bad[0] or pair == bad]
        pairs.insert(place % (len(pairs) + 1), bad)
        self.make(Call("dispatcher.sync", (channel, pairs, replace)))
