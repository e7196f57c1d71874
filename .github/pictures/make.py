"""Writes the pictures of the README: `python .github/pictures/make.py`. The same ones each time, from a clock that is moved."""

from __future__ import annotations

import heapq
import io
import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL import Image
from watchtree import Batch, Config, Dispatcher, Failure, ManualClock, Result, Tree, plot
from watchtree.trace import Recorder, Trace

HERE = Path(__file__).parent
DPI = 150
MOST_BYTES = 60_000


class World:
    """A tree with subscribers that answer in their own time, in made-up time; everything follows from one seed."""

    def __init__(self, seed: int, config: Config) -> None:
        self.random = Random(seed)
        self.clock = ManualClock()
        self.tree = Tree(config=config)
        self.dispatcher = Dispatcher(self.tree, self.send, config=config, clock=self.clock)
        self.recorder = Recorder(self.dispatcher)
        self.answers: dict[str, Callable[[Batch], None]] = {}
        """What each channel does with a batch."""
        self.waiting: list[tuple[int, int, Callable[[], object]]] = []
        self.count = 0

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something later."""
        self.count += 1
        heapq.heappush(self.waiting, (self.clock() + round(seconds * 1e9), self.count, act))

    def around(self, seconds: float) -> float:
        """A duration about so long, sometimes much longer."""
        return seconds * self.random.lognormvariate(0.0, 0.5)

    def send(self, batch: Batch) -> None:
        self.answers[batch.channel](batch)

    def run(self, seconds: float, step: float) -> Trace:
        """Let so much time pass, with a step of the dispatcher each `step` seconds."""

        def dispatch() -> None:
            while not self.dispatcher.dispatch():
                pass
            self.after(step, dispatch)

        self.after(step, dispatch)
        end = round(seconds * 1e9)
        while self.waiting and self.waiting[0][0] <= end:
            at, _, act = heapq.heappop(self.waiting)
            self.clock.advance(max(0, at - self.clock()) / 1e9)
            act()
        return self.recorder.trace()


def channels_that_fail() -> Trace:
    """Eight channels for ten seconds, each with a trouble of its own."""
    config = Config(
        answer_timeout=1.2, backoff=(0.5, 1.0, 2.0), max_batch_size=3, max_batch_bytes=200, on_error=lambda *_: None
    )
    world = World(5, config)
    keys = [f"app.{name}" for name in ("cache", "db", "host", "log", "port", "queue")]

    def answer(seconds: float) -> Callable[[Batch], None]:
        return lambda batch: world.after(world.around(seconds), batch.acknowledge)

    def fail(share: float, seconds: float) -> Callable[[Batch], None]:
        def send(batch: Batch) -> None:
            if world.random.random() < share:
                world.after(world.around(seconds), lambda: batch.fail(Failure.NETWORK))
            else:
                world.after(world.around(seconds), batch.acknowledge)

        return send

    def lose(share: float) -> Callable[[Batch], None]:
        return lambda batch: (
            None if world.random.random() < share else world.after(world.around(0.2), batch.acknowledge)
        )

    def refuse(batch: Batch) -> None:
        if 3.0 < world.clock() / 1e9 < 4.5:
            raise ConnectionError
        world.after(world.around(0.15), batch.acknowledge)

    def err(batch: Batch) -> None:
        results = [Result.ERROR if world.random.random() < 0.25 else Result.OK for _ in batch]
        world.after(world.around(0.12), lambda: batch.acknowledge(results))

    def stop(batch: Batch) -> None:
        if 4.2 < world.clock() / 1e9 < 6.0:
            world.after(0.1, lambda: batch.fail(Failure.STOPPING))
            world.after(1.7, lambda: world.dispatcher.sync("stops, returns", dict.fromkeys(keys, 0)))
        else:
            world.after(world.around(0.2), batch.acknowledge)

    world.answers = {
        "fast": answer(0.03),
        "slow": answer(0.7),
        "bad network": fail(0.5, 0.12),
        "loses batches": lose(0.35),
        "transport raises": refuse,
        "watch errors": err,
        "stops, returns": stop,
        "comes late": answer(0.15),
    }
    for number, name in enumerate(world.answers):
        world.after(
            5.5 if name == "comes late" else 0.1 * number,
            lambda name=name: world.dispatcher.sync(name, dict.fromkeys(keys, 0)),  # type: ignore[misc]
        )

    def change() -> None:
        world.tree.put(world.random.choice(keys), b"v" * world.random.randrange(80), parents=True)
        world.after(world.random.expovariate(2.2), change)

    world.after(0.0, change)
    return world.run(10.0, 0.1)


def load_that_rises() -> Trace:
    """Sixty channels for a minute: changes come in waves, some subscribers are slow, and for a while many cannot be reached."""
    config = Config(answer_timeout=2.0, backoff=(0.5, 1.0, 2.0), max_batch_size=60, max_batch_bytes=1500)
    world = World(7, config)
    keys = [f"region-{number % 4}.host-{number:02}" for number in range(48)]

    def answer(number: int) -> Callable[[Batch], None]:
        usual = 0.06 if number % 6 else 0.4

        def send(batch: Batch) -> None:
            is_cut_off = 30 < world.clock() / 1e9 < 36 and number % 3 == 0
            if is_cut_off or world.random.random() < 0.01:
                world.after(world.around(0.1), lambda: batch.fail(Failure.NETWORK))
            else:
                world.after(world.around(usual), batch.acknowledge)

        return send

    for number in range(60):
        name = f"subscriber-{number:02}"
        world.answers[name] = answer(number)
        watched = world.random.sample(keys, 6)
        world.after(
            0.05 * number, lambda name=name, watched=watched: world.dispatcher.sync(name, dict.fromkeys(watched, 0))
        )  # type: ignore[misc]

    def change() -> None:
        wave = 0.5 - 0.5 * math.cos(world.clock() / 1e9 * math.tau / 20)
        rate = 3.0 * 300.0**wave
        world.tree.put(world.random.choice(keys), b"v" * world.random.randrange(400), parents=True)
        world.after(world.random.expovariate(rate), change)

    world.after(0.0, change)
    return world.run(60.0, 0.05)


def watched_tree() -> Dispatcher:
    """A small tree with watches on keys, directories and missing keys."""
    tree = Tree()
    dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge(), clock=ManualClock())
    for key in ("app.db.host", "app.db.port", "app.cache.size", "flags.dark", "flags.beta", "jobs.17.state.owner"):
        tree.put(key, b"v", parents=True)
    dispatcher.sync("alice", dict.fromkeys(("app.db", "app.db.host", "flags.dark", "jobs.18.state.owner"), 0))
    dispatcher.sync(
        "bob", dict.fromkeys(("app.db.host", "jobs.17.state.owner", "jobs.18.state.owner", "jobs.18.log", "flags"), 0)
    )
    dispatcher.sync("carol", dict.fromkeys(("app.db.host", "app.queue", "flags.dark"), 0))
    dispatcher.dispatch()
    tree.put("app.db.host", b"new")
    return dispatcher


def save(name: str, ax: Axes) -> None:
    """Write a picture with the colours it needs. Raises ValueError if it is larger than a README should load."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI, format="png", metadata={"Software": None})
    pyplot.close("all")
    path = HERE / f"{name}.png"
    image = Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes; the limit is {MOST_BYTES}")
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size:,} bytes")


def main() -> None:
    mpl.rcdefaults()
    load = load_that_rises()
    save("timeline", plot.timeline(channels_that_fail()))
    save("queues", plot.queue_lengths(load))
    save("latency", plot.latency(load))
    save("coalescing", plot.coalescing(load, window=0.5))
    save("fill", plot.batch_fill(load))
    save("tree", plot.tree(watched_tree()))


if __name__ == "__main__":
    main()
