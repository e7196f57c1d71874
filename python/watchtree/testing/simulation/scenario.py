"""What happens in a simulation, step by step: made from a seed, saved, loaded, cut shorter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

Step = tuple[Any, ...]
"""The name of a method of `Simulation` and its arguments: plain values, so that a scenario can be saved."""

FORMAT = "watchtree scenario 1"


@dataclass(frozen=True)
class World:
    """How many there are of what, and how bad the network is. Times are seconds, the others are shares from 0 to 1."""

    servers: int = 3
    groups: int = 2
    subscribers: int = 6
    keys: int = 12
    max_batch_size: int = 5
    max_batch_bytes: int = 120
    lost: float = 0.02
    repeated: float = 0.02
    delay: float = 0.05
    """Longest way of a message; short ones overtake long ones."""
    lag: float = 0.2
    """Longest way of a change to a server."""


@dataclass(frozen=True)
class Scenario:
    """A world, what happens in it, and the seed of the fates of its messages."""

    seed: int
    world: World
    steps: tuple[Step, ...]

    def without(self, gone: range) -> Scenario:
        """The same without some of its steps."""
        return replace(self, steps=self.steps[: gone.start] + self.steps[gone.stop :])

    def save(self, path: Path) -> None:
        """Write it as text, a line for each step."""
        head = {"format": FORMAT, "seed": self.seed, "world": asdict(self.world)}
        lines = [json.dumps(head), *(json.dumps(step) for step in self.steps)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Scenario:
        """Read what `save` wrote. Errors: ValueError if the file holds something else."""
        try:
            head, *steps = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if head["format"] != FORMAT:
                raise ValueError(f"its format is {head['format']!r}; this version reads {FORMAT!r}")
            return Scenario(head["seed"], World(**head["world"]), tuple(map(_as_step, steps)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no scenario: {error}") from error


def _as_step(line: Any) -> Step:
    name, *arguments = line
    return (name, *(tuple(each) if isinstance(each, list) else each for each in arguments))


@dataclass(frozen=True)
class Profile:
    """What kind of scenarios are made: their worlds, their length, and how often what happens."""

    steps: int
    world: World = field(default_factory=World)
    weights: dict[str, int] = field(default_factory=dict)
    """Beside the usual ones; 0: never."""


USUAL = {
    "change": 60,
    "run_for": 40,
    "follow": 6,
    "unfollow": 4,
    "take": 12,
    "disconnect": 2,
    "partition": 1,
    "heal": 2,
    "pause": 1,
    "resume": 2,
    "snapshot": 1,
    "crash": 1,
    "restart": 2,
    "reset": 1,
    "jump": 1,
    "leave": 0,
}

CALM = dict.fromkeys(("disconnect", "partition", "pause", "crash", "reset", "jump"), 0)

PROFILES = {
    "calm": Profile(120, replace(World(), lost=0.0, repeated=0.0), CALM),
    "default": Profile(200),
    "rough": Profile(200, replace(World(), lost=0.2, repeated=0.2, delay=2.0), {"disconnect": 8, "partition": 4}),
    "restarts": Profile(200, World(servers=2), {"crash": 6, "restart": 6, "snapshot": 6}),
    "crowd": Profile(400, World(subscribers=60, keys=40, max_batch_size=20, max_batch_bytes=2000)),
}
"""By name; those that `watchtree fuzz --profile` knows."""


def make_scenario(seed: int, profile: Profile) -> Scenario:
    """The scenario of a seed; the same one for the same seed, on every machine."""
    world = profile.world
    random = Random(f"steps {seed}")
    weights = {**USUAL, **profile.weights}
    names = [name for name, weight in weights.items() if weight]
    steps = list(_opening(random, world))
    for name in random.choices(names, [weights[name] for name in names], k=profile.steps):
        steps.append((name, *MAKERS[name](random, world)))
    return Scenario(seed, world, tuple(steps))


def _opening(random: Random, world: World) -> Iterator[Step]:
    for subscriber in range(world.subscribers):
        yield ("follow", subscriber, random.randrange(world.groups), _keys(random, world, 4))
    yield ("run_for", 0.5)


def _key(random: Random, world: World) -> str:
    """One of few keys on three levels, so that they meet."""
    number = random.randrange(world.keys)
    parts = ["abcdefgh"[number % 8]]
    if number >= 4:
        parts.append("abcdefgh"[number // 4 % 8])
    if number >= 8:
        parts.append(str(number))
    return ".".join(parts) if random.random() < 0.97 else ""


def _keys(random: Random, world: World, most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_key(random, world) for _ in range(random.randint(1, most))))


def _change(random: Random, world: World) -> Step:
    key = _key(random, world) or "a"
    kind = random.choices(("put", "mkdir", "remove", "compare_and_set"), (8, 1, 3, 1))[0]
    return (random.randrange(world.groups), kind, key, "x" * random.choice((0, 1, 10, 100)))


def _subscriber(random: Random, world: World) -> int:
    return random.randrange(world.subscribers)


def _server(random: Random, world: World) -> int:
    return random.randrange(world.servers)


MAKERS: dict[str, Callable[[Random, World], Step]] = {
    "change": _change,
    "run_for": lambda random, world: (random.choice((0.001, 0.01, 0.1, 0.1, 1.0, 1.0, 5.0, 20.0, 70.0)),),
    "follow": lambda r, w: (_subscriber(r, w), r.randrange(w.groups), _keys(r, w, 3)),
    "unfollow": lambda r, w: (_subscriber(r, w), r.randrange(w.groups), _keys(r, w, 3)),
    "take": lambda r, w: (_subscriber(r, w), r.choice((1, 2, 100))),
    "disconnect": lambda r, w: (_subscriber(r, w), r.choice(("subscriber", "server", "both", "neither"))),
    "partition": lambda r, w: (_subscriber(r, w), _server(r, w)),
    "heal": lambda r, w: (),
    "pause": lambda r, w: (_server(r, w),),
    "resume": lambda r, w: (_server(r, w),),
    "snapshot": lambda r, w: (_server(r, w),),
    "crash": lambda r, w: (_server(r, w), r.random() < 0.5),
    "restart": lambda r, w: (_server(r, w),),
    "reset": lambda r, w: (_server(r, w),),
    "jump": lambda r, w: (r.choice(("server", "subscriber")), r.randrange(100), r.choice((-5.0, 0.5, 16.0, 130.0))),
    "leave": lambda r, w: (_subscriber(r, w),),
}
"""The arguments of each kind of step."""
