"""The guarantees of the contract's §5 as invariants, each with its number.

They are checked on the engine alone, from what went in and what came out, so that they hold it to the contract even where
the model is wrong in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from hypothesis.stateful import invariant

from watchtree.testing.machine.comparing import ComparingMachine, difference
from watchtree.testing.machine.sides import Call
from watchtree.testing.machine.strategies import CHANNELS

NO_WORK = {"changed_holders": 0, "ready_channels": 0, "in_flight": 0, "backing_off": 0}
NOTHING_LEFT = {**NO_WORK, "channels": 0, "watches": 0, "holders": 0}
STEPS_TO_SETTLE = 2_000
"""Far more than any history of 50 rules leaves to do."""


class GuaranteesMachine(ComparingMachine):
    """What holds after each call, and at the end of each history."""

    def begin_guarantees(self) -> None:
        """To be called before the first call."""
        self.serve_by: dict[str, tuple[int, int]] = {}

    def claim_no_breach(self, guarantee: str) -> None:
        found = [message for number, message in self.history.breaches if number == guarantee]
        self.claim(not found, f"{guarantee}: {found}")

    @invariant()
    def g1_a_notification_carries_the_newest_state(self) -> None:
        self.claim_no_breach("G1")

    @invariant()
    def g1_the_transport_brings_what_it_was_given(self) -> None:
        damaged = self.subject.damaged
        self.claim(not damaged, f"G1: the transport brought something else than the batches {damaged}")

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
        for name in CHANNELS:
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
        if self.plan or not self.call.answers:
            return
        if self.outcome is True:
            in_flight = [seen["ticket"] for seen in self.seen_before["channels"].values()]
            self.claim(self.call.arguments[0] in in_flight, f"G9: {self.call} counted, in flight were {in_flight}")
        if self.outcome is not False:
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
        self.change_every_watched_key()
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

    def change_every_watched_key(self) -> None:
        """Nothing that came before may leave a channel deaf."""
        for key in sorted({key for seen in self.seen["channels"].values() for key in seen["watches by key"]}):
            if self.make(Call("tree.remove", (key,), {"recursive": True})) == ("error", "NotFound", ("key", key)):
                self.make(Call("tree.put", (key, b"at the end"), {"parents": True}))
        self.make(Call("tree.put", ("end", b"")))

    def send_heartbeats(self, channels: Iterable[str]) -> None:
        for name in channels:
            self.make_unseen(Call("dispatcher.touch", (name,)))
        self.look()

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
        """A change before each step makes those that were served ready again; they have to wait behind the others."""
        names = [f"channel {number}" for number in range(3 * self.config.max_batch_size + 1)]
        for name in names:
            self.make_unseen(Call("dispatcher.sync", (name, {"": 0})))
        for _ in range(ceil(len(names) / self.config.max_batch_size)):
            self.make_unseen(Call("tree.put", ("end", b"")))
            self.make_unseen(Call("dispatcher.dispatch"))
        self.look()
        self.check_breaches()
        for name in names:
            self.claim(self.seen["channels"][name]["acknowledged"] > 0, f"G8: {name!r} was not served in time")


def holders(watched: Iterable[str], nodes: set[str]) -> set[str]:
    """The keys that have a watch holder (contract §2, where a watch hangs)."""
    found = set()
    for key in watched:
        found.add(key)
        while key not in nodes:
            key = key.rpartition(".")[0]
            found.add(key)
    return found
