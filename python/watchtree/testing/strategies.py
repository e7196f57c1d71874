"""Hypothesis strategies for what goes into trees, dispatchers, subscribers and simulations. They shrink to few and short.

    @given(operations=st.lists(strategies.operations()))
    def test_mine(operations): ...

Needs hypothesis (`pip install 'watchtree[test]'`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from watchtree.records import CompareAndSet, Mkdir, Notification, Operation, Put, Remove
from watchtree.testing.simulation.scenario import Scenario, Step, World
from watchtree.words import REMOVE_ALL_WATCHES, Failure, RemoveAllWatches, Result, State

SMALL = ("a", "b", "c")
"""Parts of keys that collide often."""


def keys(
    parts: st.SearchStrategy[str] | None = None, *, max_depth: int = 3, root: bool = True
) -> st.SearchStrategy[str]:
    """Legal keys of up to `max_depth` parts (contract §1), from few parts, so that they meet. root: the empty key too."""
    names = st.sampled_from(SMALL) if parts is None else parts
    return st.lists(names, min_size=0 if root else 1, max_size=max_depth).map(".".join)


def any_parts(max_size: int = 10) -> st.SearchStrategy[str]:
    """Parts of keys from all of Unicode that is legal: no dot, no control character, no lone surrogate."""
    legal = st.characters(exclude_characters=".", exclude_categories=("Cc", "Cs"))
    return st.text(legal, min_size=1, max_size=max_size)


def values(max_size: int = 100) -> st.SearchStrategy[bytes]:
    """Values of up to so many bytes; the empty one is a value too."""
    return st.binary(max_size=max_size)


def operations(
    some_keys: st.SearchStrategy[str] | None = None, some_values: st.SearchStrategy[bytes] | None = None
) -> st.SearchStrategy[Operation]:
    """Items of `Tree.batch`."""
    key = keys(root=False) if some_keys is None else some_keys
    value = values() if some_values is None else some_values
    return st.one_of(
        st.builds(Put, key, value, st.booleans()),
        st.builds(Remove, key, st.booleans()),
        st.builds(Mkdir, key, st.booleans()),
        st.builds(CompareAndSet, key, st.none() | value, st.none() | value),
    )


def known(some_keys: st.SearchStrategy[str] | None = None, *, max_index: int = 20) -> st.SearchStrategy[dict[str, int]]:
    """What `Dispatcher.sync` takes: 0 nothing, -1 stop, or an index."""
    indexes = st.just(0) | st.just(-1) | st.integers(1, max_index)
    return st.dictionaries(keys() if some_keys is None else some_keys, indexes, max_size=5)


def notifications(
    some_keys: st.SearchStrategy[str] | None = None, *, max_index: int = 20
) -> st.SearchStrategy[list[Notification]]:
    """What `Subscriber.notified` takes: true or not, of keys that differ."""
    key = keys() if some_keys is None else some_keys
    index = st.integers(0, max_index)
    one = st.one_of(
        st.builds(lambda k, i, v: Notification(k, State.VALUE, i, v), key, index, values()),
        st.builds(lambda k, i: Notification(k, State.DIRECTORY, i, None), key, index),
        st.builds(lambda k, i: Notification(k, State.MISSING, i, None), key, index),
    )
    return st.lists(one, max_size=5, unique_by=lambda each: each.key)


def answers(count: int) -> st.SearchStrategy[list[Result] | Failure | RemoveAllWatches]:
    """Answers to a batch of so many notifications: mostly acknowledgements (contract §3, Answers)."""
    return st.one_of(
        st.just([Result.OK] * count),
        st.lists(st.sampled_from(Result), min_size=count, max_size=count),
        st.sampled_from(Failure),
        st.just(REMOVE_ALL_WATCHES),
    )


def failure_plans(max_size: int = 20) -> st.SearchStrategy[list[Failure | None]]:
    """For each sending in turn how it fails, None if it does not; after the last one nothing fails."""
    return st.lists(st.none() | st.sampled_from(Failure), max_size=max_size)


def worlds(**fixed: Any) -> st.SearchStrategy[World]:
    """Small worlds of a simulation, and how bad their network is. fixed: fields of World that are given."""
    share = st.sampled_from((0.0, 0.02, 0.2))
    drawn = st.builds(
        World,
        servers=st.integers(1, 3),
        groups=st.integers(1, 2),
        subscribers=st.integers(1, 4),
        keys=st.integers(1, 12),
        max_batch_size=st.integers(1, 5),
        max_batch_bytes=st.sampled_from((1000, 120, 30)),
        lost=share,
        repeated=share,
        delay=st.sampled_from((0.0, 0.05, 2.0)),
        lag=st.sampled_from((0.0, 0.2, 5.0)),
    )
    return drawn.map(lambda world: replace(world, **fixed))


def network_schedules(world: World, max_size: int = 20) -> st.SearchStrategy[list[Step]]:
    """Steps of a simulation in which only the network, the servers and the clocks misbehave, and time passes."""
    return st.lists((_time() | _bad_steps()).map(lambda step: _fit(step, world)), max_size=max_size)


def scenarios(world: World | None = None, max_size: int = 40) -> st.SearchStrategy[Scenario]:
    """Whole scenarios of a simulation: `Simulation(scenario).run()`. They shrink step by step."""
    # The steps are fitted to the world afterwards: drawn for it they would be drawn anew with each smaller world.
    return st.builds(
        lambda seed, drawn, steps: Scenario(seed, drawn, tuple(_fit(step, drawn) for step in steps)),
        st.integers(0, 2**16),
        worlds() if world is None else st.just(world),
        st.lists(_time() | _good_steps() | _bad_steps(), max_size=max_size),
    )


NUMBERS = {
    "follow": ("subscribers", "groups"),
    "unfollow": ("subscribers", "groups"),
    "change": ("groups",),
    "take": ("subscribers",),
    "leave": ("subscribers",),
    "disconnect": ("subscribers",),
    "partition": ("subscribers", "servers"),
    **dict.fromkeys(("pause", "resume", "snapshot", "crash", "restart", "reset"), ("servers",)),
}
"""What the first arguments of a step are numbers of."""


def _fit(step: Step, world: World) -> Step:
    counts = [getattr(world, name) for name in NUMBERS.get(step[0], ())]
    fitted = [number % count for number, count in zip(step[1:], counts, strict=False)]
    return (step[0], *fitted, *step[1 + len(fitted) :])


def _key_sets() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(keys(), min_size=1, max_size=3, unique=True).map(tuple)


def _time() -> st.SearchStrategy[Step]:
    return st.tuples(st.just("run_for"), st.sampled_from((0.1, 0.01, 1.0, 16.0, 61.0, 130.0)))


def _good_steps() -> st.SearchStrategy[Step]:
    group = subscriber = st.integers(0, 5)
    kinds = st.sampled_from(("put", "remove", "mkdir", "compare_and_set"))
    return st.one_of(
        st.tuples(st.just("follow"), subscriber, group, _key_sets()),
        st.tuples(st.just("change"), group, kinds, keys(root=False), st.sampled_from(("", "x", "x" * 100))),
        st.tuples(st.just("unfollow"), subscriber, group, _key_sets()),
        st.tuples(st.just("take"), subscriber, st.integers(1, 3)),
        st.tuples(st.just("leave"), subscriber),
    )


def _bad_steps() -> st.SearchStrategy[Step]:
    subscriber = server = st.integers(0, 5)
    who = st.sampled_from(("both", "subscriber", "server", "neither"))
    node = st.sampled_from(("server", "subscriber"))
    return st.one_of(
        st.tuples(st.just("disconnect"), subscriber, who),
        st.tuples(st.just("partition"), subscriber, server),
        st.tuples(st.just("heal")),
        st.tuples(st.just("pause"), server),
        st.tuples(st.just("resume"), server),
        st.tuples(st.just("snapshot"), server),
        st.tuples(st.just("crash"), server, st.booleans()),
        st.tuples(st.just("restart"), server),
        st.tuples(st.just("reset"), server),
        st.tuples(st.just("jump"), node, st.integers(0, 5), st.sampled_from((0.5, -5.0, 16.0, 130.0))),
    )
