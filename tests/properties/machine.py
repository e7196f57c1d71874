"""Any history of calls, made on an engine and on the model side by side (contract §1 to §3, §5).

Each rule makes the same calls on both sides. All that comes out has to be the same: answers, errors, batches, and
everything that can be asked for. Beside that each guarantee of §5 is an invariant with its number, checked on the engine
alone, from what went in and what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import cycle, islice
from math import ceil
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from properties import strategies as draw
from properties.history import History
from properties.sides import Call, Engine, Plan, Side
from watchtree.config import Config
from watchtree.records import Operation
from watchtree.testing import ModelDispatcher, ModelTree
from watchtree.words import REMOVE_ALL_WATCHES, Failure, Result

MODEL = Engine(ModelTree, ModelDispatcher)
NO_WORK = {"changed_holders": 0, "ready_channels": 0, "in_flight": 0, "backing_off": 0}
NOTHING_LEFT = {**NO_WORK, "channels": 0, "watches": 0, "holders": 0}
STEPS_TO_SETTLE = 2_000
"""Far more than any history of 50 rules leaves to do."""


class EngineMachine(RuleBasedStateMachine):
    """The rules and the invariants. A subclass names the engine to test."""

    engine: Engine

    @initialize(config=draw.configs, keys=st.lists(draw.keys, max_size=4), watched=draw.watched)
    def start(self, config: Config, keys: list[str], watched: dict[str, list[str]]) -> None:
        self.config = config
        self.subject = Side(self.engine, config)
        self.model = Side(MODEL, config)
        self.history = History(self.subject)
        self.lines: list[str] = []
        self.seen = self.subject.observe()
        self.seen_before = self.seen
        self.call = Call("start")
        self.outcome: Any = None
        self.plan: Plan = []
        self.serve_by: dict[str, tuple[int, int]] = {}
        for key in keys:
            self.make(Call("tree.put", (key, key.encode()), {"parents": True}))
        for channel, its_keys in watched.items():
            self.make(Call("dispatcher.sync", (channel, dict.fromkeys(its_keys, 0))))

    # Making calls.

    def make(self, call: Call, plan: Plan | None = None) -> Any:
        """Make one call on both sides, let the transport act by the plan, and compare all that can be seen."""
        self.call, self.plan = call, plan or []
        self.lines.append(str(call) + "".join(f"\n    # in send: {', '.join(map(str, calls))}" for calls in self.plan))
        self.sound = False
        outcomes = []
        for side in (self.subject, self.model):
            side.log.clear()
            side.plan = [list(calls) for calls in self.plan]
            outcomes.append(side.make(call))
        self.outcome = outcomes[0]
        self.same("outcome", *outcomes)
        self.same("what came out", self.subject.log, self.model.log)
        self.seen_before, self.seen = self.seen, self.subject.observe()
        self.same("state", self.seen, self.model.observe())
        self.subject.verify()
        self.model.verify()
        self.sound = True
        return self.outcome

    def same(self, what: str, subject: Any, model: Any) -> None:
        if subject != model:
            self.fail(f"{what} of the engine and of the model:\n{difference(subject, model)}")

    def claim(self, true: bool, message: str) -> None:
        if not true:
            self.fail(message)

    def fail(self, message: str) -> None:
        self.sound = False
        raise AssertionError(f"{message}\nafter\n{self.history_as_code()}")

    def history_as_code(self) -> str:
        return "\n".join([f"config = {self.config}", *self.lines])

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

    def in_flight(self) -> list[int]:
        """The tickets of all batches in flight."""
        return [seen["ticket"] for seen in self.seen["channels"].values() if seen["ticket"] is not None]

    # Changes of the tree.

    @rule(key=draw.any_keys, value=draw.any_values, parents=st.booleans(), step=draw.index_steps)
    def put(self, key: str, value: bytes, parents: bool, step: int | None) -> None:
        self.make(Call("tree.put", (key, value), {"parents": parents, **self.index(step)}))

    @rule(key=draw.keys, value=draw.values)
    def put_with_parents(self, key: str, value: bytes) -> None:
        self.make(Call("tree.put", (key, value), {"parents": True}))

    @rule(key=draw.any_keys, parents=st.booleans(), step=draw.index_steps)
    def mkdir(self, key: str, parents: bool, step: int | None) -> None:
        self.make(Call("tree.mkdir", (key,), {"parents": parents, **self.index(step)}))

    @rule(key=draw.any_keys, recursive=st.booleans(), step=draw.index_steps)
    def remove(self, key: str, recursive: bool, step: int | None) -> None:
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

    @rule(key=draw.any_keys, others=st.lists(draw.any_keys, max_size=3))
    def read(self, key: str, others: list[str]) -> None:
        self.make(Call("tree.get", (key,)))
        self.make(Call("tree.list", (key,)))
        self.make(Call("tree.get_many", ([key, *others],)))
        self.make(Call("tree.__contains__", (key,)))

    # Registration.

    @rule(channel=draw.channels, steps=draw.known_maps, replace=st.booleans(), as_pairs=st.booleans())
    def sync(self, channel: str, steps: dict[str, Any], replace: bool, as_pairs: bool) -> None:
        known = self.known(steps)
        self.make(Call("dispatcher.sync", (channel, list(known.items()) if as_pairs else known, replace)))

    @rule(channel=draw.channels, keys=st.lists(draw.keys, min_size=1, max_size=4, unique=True))
    def watch_from_nothing(self, channel: str, keys: list[str]) -> None:
        self.make(Call("dispatcher.sync", (channel, dict.fromkeys(keys, 0))))

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

    @rule(channel=draw.channels, what=st.sampled_from(("touch",) * 6 + ("close",) * 3 + ("reset",)))
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
            for ticket in self.in_flight():
                self.make(Call("batch.acknowledge", (ticket,)))

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
        self.answer_one(pick, "dispatcher.answer" if by_ticket else "batch.acknowledge", plan=plan)

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, codes=draw.codes, by_ticket=st.booleans(), plan=draw.plans)
    def answer_each_watch(self, pick: int, codes: list[int], by_ticket: bool, plan: Plan) -> None:
        """The codes are taken in turn, so often that their number is right."""
        what = "dispatcher.answer" if by_ticket else "batch.acknowledge"
        self.answer_one(pick, what, lambda count: list(islice(cycle(codes), count)), plan)

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, wrong=st.sampled_from((-1, 1, 3)))
    def answer_with_a_wrong_number_of_results(self, pick: int, wrong: int) -> None:
        self.answer_one(pick, "batch.acknowledge", lambda count: [Result.OK] * (count + wrong))

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, reason=draw.reasons, by_ticket=st.booleans())
    def fail_a_batch(self, pick: int, reason: Failure, by_ticket: bool) -> None:
        tickets = self.in_flight()
        ticket = tickets[pick % len(tickets)]
        if by_ticket:
            self.make(Call("dispatcher.answer", (ticket,), {"failure": reason}))
        else:
            self.make(Call("batch.fail", (ticket, reason)))

    @precondition(lambda self: self.in_flight())
    @rule(pick=draw.picks, by_ticket=st.booleans())
    def remove_all_watches(self, pick: int, by_ticket: bool) -> None:
        tickets = self.in_flight()
        ticket = tickets[pick % len(tickets)]
        if by_ticket:
            self.make(Call("dispatcher.answer", (ticket, REMOVE_ALL_WATCHES)))
        else:
            self.make(Call("batch.remove_all", (ticket,)))

    def answer_one(
        self, pick: int, what: str, codes: Callable[[int], list[int]] | None = None, plan: Plan | None = None
    ) -> None:
        """Answer one of the batches in flight, with so many codes as `codes` makes of the number of its notifications."""
        tickets = self.in_flight()
        ticket = tickets[pick % len(tickets)]
        channel = next(seen for seen in self.seen["channels"].values() if seen["ticket"] == ticket)
        self.make(Call(what, (ticket, codes(channel["in_flight"])) if codes else (ticket,)), plan)

    @rule(
        pick=draw.picks,
        answer=st.sampled_from(("acknowledge", "results", "remove_all", "fail", "fail for good")),
        codes=draw.codes,
    )
    def answer_late_or_again(self, pick: int, answer: str, codes: list[int]) -> None:
        """Answer a batch that was handed over at any time; most of them are out of flight."""
        tickets = sorted(self.subject.batches)
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

    # Snapshots.

    @rule(what=st.sampled_from(("take",) * 4 + ("restore", "restart")), pick=draw.picks, damage=draw.damages)
    def take_or_use_an_image(self, what: str, pick: int, damage: str | None) -> None:
        number = pick % max(1, len(self.subject.images))
        if what == "take" or not self.subject.images:
            self.make(Call("take_image"))
        elif what == "restore":
            self.make(Call("restore", (number, damage)))
        else:
            self.make(Call("restart", (number,)))

    # The guarantees.

    def claim_no_breach(self, guarantee: str) -> None:
        found = [message for number, message in self.history.breaches if number == guarantee]
        self.claim(not found, f"{guarantee}: {found}")

    @invariant()
    def g1_a_notification_carries_the_newest_state(self) -> None:
        self.claim_no_breach("G1")

    @invariant()
    def g2_nothing_is_sent_twice(self) -> None:
        self.claim_no_breach("G2")

    @invariant()
    def g4_one_batch_is_in_flight_for_a_channel_and_the_limits_hold(self) -> None:
        self.history.check_limits()
        self.claim_no_breach("G4")
        for name, seen in self.seen["channels"].items():
            in_flight = seen["state"] == "in_flight"
            self.claim(in_flight == (seen["ticket"] is not None), f"G4: {name!r} is {seen['state']}: {seen}")
            self.claim(in_flight == (seen["in_flight"] > 0), f"G4: {name!r} is {seen['state']}: {seen}")
        self.claim(
            self.seen["stats"]["in_flight"] == len(self.in_flight()), f"G4: {self.in_flight()} are not all in flight"
        )

    @invariant()
    def g6_what_is_said_of_one_channel_concerns_no_other(self) -> None:
        """A call for one channel, or an answer of it, leaves everything as it was that can be seen of the others."""
        if self.plan or not (self.call.answers or self.call.what in ("dispatcher.sync", "dispatcher.close")):
            return
        named = self.call.arguments[0]
        before = self.seen_before["channels"]
        for name, seen in before.items():
            if name != named and seen["ticket"] != named:
                self.claim(self.seen["channels"].get(name) == seen, f"G6: {self.call} changed {name!r}")

    @invariant()
    def g6_a_channel_that_answers_well_waits_for_nobody(self) -> None:
        """After a finished step a channel without failures has got all there is, whatever the others do."""
        if self.plan or self.call.what != "dispatcher.dispatch" or self.outcome is not True:
            return
        indexes = {node.key: node.update_index for node in self.seen["tree"]}
        for name, seen in self.seen["channels"].items():
            self.claim(seen["state"] != "ready", f"G6: {name!r} was not served in a finished step")
            if seen["state"] != "idle" or seen["backing_off"]:
                continue
            for key, notified in seen["watches by key"].items():
                self.claim(
                    notified >= indexes.get(key, 0),
                    f"G6: {name!r} has {key!r} at {notified}, the tree at {indexes.get(key)}",
                )

    @invariant()
    def g7_nothing_is_left_behind(self) -> None:
        """Everything that is kept can be counted from the watches that there are and the nodes that there are."""
        stats, channels = self.seen["stats"], self.seen["channels"]
        watched = {key for seen in channels.values() for key in seen["watches by key"]}
        nodes = {node.key for node in self.seen["tree"]}
        expected = {
            "channels": len(channels),
            "watches": sum(seen["watches"] for seen in channels.values()),
            "holders": len(holders(watched, nodes)),
            "backing_off": sum(seen["backing_off"] for seen in channels.values()),
            "ready_channels": sum(seen["state"] == "ready" for seen in channels.values()),
        }
        kept = {word: stats[word] for word in expected}
        self.claim(kept == expected, f"G7: {kept} is kept for {expected}")
        self.claim(stats["changed_holders"] <= len(watched) + 1, f"G7: more holders changed than {watched}")
        for name, seen in channels.items():
            self.claim(seen["watches"] == len(seen["watches by key"]) > 0, f"G7: {name!r} has {seen}")
            waiting = seen["ready_watches"] + seen["backing_off"] - (seen["state"] == "backing_off")
            self.claim(waiting <= seen["watches"], f"G7: more waits than is watched by {name!r}: {seen}")
        if not channels:
            left = {word: stats[word] for word in NOTHING_LEFT}
            self.claim(left == NOTHING_LEFT, f"G7: {left} is left without channels")

    @invariant()
    def g8_a_ready_channel_is_served_in_its_turn(self) -> None:
        """With n ready channels, each is served within ceil(n / max_batch_size) steps."""
        stats = self.seen["stats"]
        turns = ceil(stats["ready_channels"] / self.config.max_batch_size)
        restarted = self.plan or not (self.call.answers or self.call.what == "dispatcher.dispatch")
        for name in draw.CHANNELS:
            seen = self.seen["channels"].get(name)
            if seen is None or seen["state"] != "ready":
                self.serve_by.pop(name, None)
                continue
            served, serve_by = self.serve_by.get(name, (-1, 0))
            if served != seen["batches_sent"] or (restarted and self.call.what != "dispatcher.touch"):
                self.serve_by[name] = (seen["batches_sent"], stats["steps"] + turns)
            else:
                self.claim(stats["steps"] < serve_by, f"G8: {name!r} was to be served by step {serve_by}")

    @invariant()
    def g9_an_answer_that_does_not_count_changes_nothing(self) -> None:
        self.claim_no_breach("G9")
        if self.plan or not self.call.answers or self.outcome is not False:
            return
        ignored = self.seen_before["stats"]["ignored_answers"] + 1
        expected = {**self.seen_before, "stats": {**self.seen_before["stats"], "ignored_answers": ignored}}
        self.claim(self.seen == expected, f"G9: {self.call}:\n{difference(self.seen, expected)}")

    @invariant()
    def a_call_that_raises_changes_nothing(self) -> None:
        if isinstance(self.outcome, tuple) and self.outcome[0] == "error":
            self.claim(self.seen == self.seen_before, f"{self.call}:\n{difference(self.seen, self.seen_before)}")

    # The end of each history.

    def teardown(self) -> None:
        if not getattr(self, "sound", False):
            return
        self.subject.acknowledges_at_once = self.model.acknowledges_at_once = True
        self.settle()
        self.g3_every_watch_has_the_state_of_its_key()
        self.unwatch_everything()
        self.g8_many_ready_channels_are_served_in_turn()

    def settle(self) -> None:
        """Let the transport work and time pass until nothing is left to do; heartbeats keep the channels alive."""
        alive = list(self.seen["channels"])
        self.send_heartbeats(alive)
        for _ in range(STEPS_TO_SETTLE):
            done = self.make(Call("dispatcher.dispatch"))
            self.check_breaches()
            left = {word: self.seen["stats"][word] for word in NO_WORK}
            if done and left == NO_WORK:
                break
            if done and self.seen["next_deadline"]:
                self.send_heartbeats(alive)
                seconds = min(self.seen["next_deadline"], self.config.channel_timeout / 2)
                self.make(Call("clock.advance", (round(seconds * 1e9),)))
        else:
            self.fail(f"G3: {STEPS_TO_SETTLE} steps were not enough; left is {left}")
        self.claim(list(self.seen["channels"]) == alive, f"G3: of {alive} only {list(self.seen['channels'])} lived on")

    def send_heartbeats(self, channels: Iterable[str]) -> None:
        for name in channels:
            self.make(Call("dispatcher.touch", (name,)))

    def check_breaches(self) -> None:
        self.history.check_limits()
        self.claim(not self.history.breaches, f"{self.history.breaches}")

    def g3_every_watch_has_the_state_of_its_key(self) -> None:
        nodes = {node.key: node for node in self.seen["tree"]}
        for name, seen in self.seen["channels"].items():
            for key, notified in seen["watches by key"].items():
                node = nodes.get(key)
                index = node.update_index if node else 0
                self.claim(notified >= index, f"G3: {name!r} has {key!r} at {notified}, the tree at {index}")
                newest = self.history.newest(name, key)
                if newest and newest.index == notified:
                    true = (node.value, index) if node else (None, notified)
                    self.claim((newest.value, newest.index) == true, f"G3: {name!r} has {newest} of {node}")
                    self.claim((newest.state == 2) == (node is None), f"G3: {name!r} has {newest} of {node}")

    def unwatch_everything(self) -> None:
        for place, (name, seen) in enumerate(self.seen["channels"].items()):
            keys = list(seen["watches by key"])
            ways = (
                [Call("dispatcher.sync", (name, {key: -1})) for key in keys],
                [Call("dispatcher.sync", (name, {}, True))],
                [Call("dispatcher.close", (name,))],
            )
            for call in ways[(place + len(keys)) % len(ways)]:
                self.make(call)
        left = {word: self.seen["stats"][word] for word in NOTHING_LEFT}
        self.claim(left == NOTHING_LEFT, f"G7: {left} is left after everything was unwatched")
        self.claim(self.seen["next_deadline"] is None, "G7: there is still something to wait for")

    def g8_many_ready_channels_are_served_in_turn(self) -> None:
        names = [f"channel {number}" for number in range(2 * self.config.max_batch_size + 1)]
        for name in names:
            self.make(Call("dispatcher.sync", (name, {"": 0})))
        for _ in range(ceil(len(names) / self.config.max_batch_size)):
            self.make(Call("dispatcher.dispatch"))
        self.check_breaches()
        for name in names:
            self.claim(self.seen["channels"][name]["acknowledged"] == 1, f"G8: {name!r} was not served in time")


def holders(watched: Iterable[str], nodes: set[str]) -> set[str]:
    """The keys that have a watch holder (contract §2, where a watch hangs)."""
    found = set()
    for key in watched:
        found.add(key)
        while key not in nodes:
            key = key.rpartition(".")[0]
            found.add(key)
    return found


def difference(subject: Any, model: Any, path: str = "") -> str:
    """Where two answers differ, a line for each place."""
    if isinstance(subject, dict) and isinstance(model, dict):
        keys = [*subject, *(key for key in model if key not in subject)]
        pairs = [(key, subject.get(key, "(absent)"), model.get(key, "(absent)")) for key in keys]
        return "\n".join(difference(left, right, f"{path}.{key}") for key, left, right in pairs if left != right)
    return f"{path or '.'}:\n  engine {subject!r}\n  model  {model!r}"
