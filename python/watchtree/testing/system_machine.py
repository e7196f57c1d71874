"""Subscribers and servers joined by a transport of yours, under any history that Hypothesis can think of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watchtree.testing.simulation.links import Link, make_memory_link
from watchtree.testing.simulation.scenario import Scenario, World
from watchtree.testing.simulation.simulation import Simulation

WORLD = World(servers=2, groups=2, subscribers=3, keys=6, max_batch_size=3, max_batch_bytes=100, lag=0.1)
KEYS = ("", "a", "b", "a.a", "a.b", "b.a", "a.a.a")

numbers = st.integers(0, 5)
groups = st.integers(0, WORLD.groups - 1)
subscribers = st.integers(0, WORLD.subscribers - 1)
servers = st.integers(0, WORLD.servers - 1)
key_sets = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True).map(tuple)


class SystemMachine(RuleBasedStateMachine):
    """A RuleBasedStateMachine: both ends of the protocol, joined by the links that `make_link` makes.

    Subclass it with your own transport and give its TestCase to pytest:

        class MyMachine(SystemMachine):
            def make_link(self):
                return subscribers_end, servers_end     # each with send(frame), receive() and close()

        TestMine = MyMachine.TestCase

    Servers crash and start again from what they saved, links are cut with or without notice, subscribers come, go and are
    slow, clocks jump. While it goes on, what is sent must be the truth and nothing may be told twice (G1, G2, G4); when it
    ends, everything is made whole, and everybody must have everything (G3, G5), then leave, and nothing may be left (G7).
    """

    def make_link(self) -> tuple[Link, Link]:
        """Make a connection: the subscriber's end and the server's. Yours to override."""
        return make_memory_link()

    @initialize()
    def start(self) -> None:
        """Begin with nothing."""
        self.simulation = Simulation(Scenario(0, WORLD, ()), make_link=self.make_link)
        self.steps: list[tuple[Any, ...]] = []

    def make(self, name: str, *arguments: Any) -> None:
        """Make one step of a scenario, and let the links carry what it sent."""
        self.steps.append((name, *arguments))
        self.simulation.make((name, *arguments))
        self.simulation.run_for(0.0)

    @rule(group=groups, kind=st.sampled_from(("put", "put", "put", "remove", "mkdir", "compare_and_set")),
          key=st.sampled_from(KEYS[1:]), value=st.sampled_from(("", "x", "y" * 60)))  # fmt: skip
    def change(self, group: int, kind: str, key: str, value: str) -> None:
        """The tree of a group changes; its servers learn it within `lag`."""
        self.make("change", group, kind, key, value)

    @rule(seconds=st.sampled_from((0.01, 0.1, 0.1, 1.0, 10.0, 16.0, 61.0, 130.0)))
    def time_passes(self, seconds: float) -> None:
        """Everybody does what is due."""
        self.make("run_for", seconds)

    @rule(subscriber=subscribers, group=groups, keys=key_sets)
    def follow(self, subscriber: int, group: int, keys: tuple[str, ...]) -> None:
        """A user follows keys."""
        self.make("follow", subscriber, group, keys)

    @rule(subscriber=subscribers, group=groups, keys=key_sets)
    def unfollow(self, subscriber: int, group: int, keys: tuple[str, ...]) -> None:
        """A user stops following keys."""
        self.make("unfollow", subscriber, group, keys)

    @rule(subscriber=subscribers)
    def take(self, subscriber: int) -> None:
        """A slow user looks at one event."""
        self.make("take", subscriber, 1)

    @rule(subscriber=subscribers, who=st.sampled_from(("subscriber", "server", "both", "neither")))
    def cut_links(self, subscriber: int, who: str) -> None:
        """The links of a subscriber break; both ends, one or none notice."""
        self.make("disconnect", subscriber, who)

    @rule(server=servers, paused=st.booleans())
    def pause_or_resume(self, server: int, paused: bool) -> None:
        """A server learns of no more changes, or of all that it missed."""
        self.make("pause" if paused else "resume", server)

    @rule(server=servers)
    def save(self, server: int) -> None:
        """A server saves its trees."""
        self.make("snapshot", server)

    @rule(server=servers, noticed=st.booleans())
    def crash(self, server: int, noticed: bool) -> None:
        """A server ends."""
        self.make("crash", server, noticed)

    @precondition(lambda self: not all(server.up for server in self.simulation.servers))
    @rule()
    def restart(self) -> None:
        """All servers that ended start again from what they saved."""
        for server in range(WORLD.servers):
            self.make("restart", server)

    @rule(server=servers)
    def forget(self, server: int) -> None:
        """A server forgets all its channels, and nobody is told."""
        self.make("reset", server)

    @rule(kind=st.sampled_from(("server", "subscriber")), number=numbers, seconds=st.sampled_from((-5.0, 1.0, 20.0)))
    def jump(self, kind: str, number: int, seconds: float) -> None:
        """A clock jumps."""
        self.make("jump", kind, number, seconds)

    @invariant()
    def every_structure_is_sound(self) -> None:
        """What each end checks of itself."""
        if hasattr(self, "simulation"):
            self.simulation.verify()

    def teardown(self) -> None:
        """The end of every history: all is made whole, everybody has everything, and leaves."""
        if not hasattr(self, "simulation"):
            return
        try:
            self.simulation.become_whole()
            self.simulation.everybody_leaves()
        except AssertionError as error:
            raise AssertionError(f"{error}\nafter\n" + "\n".join(map(str, self.steps))) from error
        finally:
            self.simulation.close()
