"""G6 by a second run: what the good channels are sent does not depend on a bad one that shares their keys (contract §5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watchtree import Dispatcher, Tree
from watchtree.config import Config
from watchtree.testing.machine import strategies as draw
from watchtree.testing.machine.comparing import MODEL
from watchtree.testing.machine.sides import Clock, Engine
from watchtree.words import State

GOOD = ("x", "y")
BAD = "z"
NOTHING_TOUCHES = 1e6
"""Seconds: longer than any run, so that no good channel falls silent."""

good_steps = st.one_of(
    st.tuples(st.just("put"), draw.keys, draw.values),
    st.tuples(st.just("remove"), draw.keys),
    st.tuples(
        st.just("sync"), st.sampled_from(GOOD), st.dictionaries(draw.keys, st.sampled_from((0, 0, -1)), min_size=1)
    ),
    st.tuples(st.just("dispatch")),
    st.tuples(st.just("dispatch")),
    st.tuples(st.just("advance"), st.sampled_from((0.5, 1, 10, 20))),
)
bad_steps = st.one_of(
    st.tuples(st.just("sync"), st.just(BAD), st.dictionaries(draw.keys, st.sampled_from((0, 0, 0, -1)), min_size=1)),
    st.tuples(st.just("fail"), draw.reasons),
    st.tuples(st.just("results"), st.lists(st.sampled_from((0, 1, 2, 7)), max_size=4)),
    st.tuples(st.just("acknowledge")),
    st.tuples(st.just("raise")),
    st.tuples(st.just("close")),
)
histories = st.lists(good_steps | good_steps | bad_steps, min_size=5, max_size=40)


class Run:
    """One history on one engine; the good channels acknowledge at once."""

    def __init__(self, engine: Engine, config: Config, with_bad_channel: bool) -> None:
        self.clock = Clock()
        self.tree = engine.tree(config=config)
        self.dispatcher = engine.dispatcher(self.tree, self.send, config=config, clock=self.clock)
        self.with_bad_channel = with_bad_channel
        self.sent: list[Any] = []
        self.unanswered: Any = None
        self.raises = False

    def send(self, batch: Any) -> None:
        if batch.channel in GOOD:
            self.sent[-1].setdefault(batch.channel, []).extend(map(_state, batch))
            batch.acknowledge()
            return
        self.unanswered = batch
        if self.raises:
            self.raises = False
            raise OSError

    def do(self, what: str, *arguments: Any) -> None:
        self.sent.append({})
        if what == "put":
            _try(lambda: self.tree.put(*arguments, parents=True))
        elif what == "remove":
            _try(lambda: self.tree.remove(*arguments, recursive=True))
        elif what == "advance":
            self.clock.advance(round(arguments[0] * 1e9))
        elif what == "dispatch":
            self.dispatcher.dispatch()
        elif what == "sync" and (arguments[0] != BAD or self.with_bad_channel):
            self.dispatcher.sync(*arguments)
        elif self.with_bad_channel:
            self.misbehave(what, *arguments)

    def misbehave(self, what: str, *arguments: Any) -> None:
        if what == "raise":
            self.raises = True
        elif what == "close":
            self.dispatcher.close(BAD)
        elif self.unanswered and what == "fail":
            self.unanswered.fail(*arguments)
        elif self.unanswered:
            self.unanswered.acknowledge(*arguments)


def _state(notification: Any) -> tuple[Any, ...]:
    """All of it but the index of a missing key, which may be older where the bad channel watched it before."""
    if notification.state == State.MISSING:
        return (notification.key, "missing")
    return tuple(notification)


def _try(change: Any) -> None:
    try:
        change()
    except (ValueError, KeyError):
        return  # both runs see the same tree, and so the same refusal


@pytest.mark.parametrize(
    "engine",
    [pytest.param(Engine(Tree, Dispatcher), id="core"), pytest.param(MODEL, id="model", marks=pytest.mark.pure)],
)
@given(history=histories, max_batch_bytes=st.sampled_from((1, 60, 1000)))
def test_g6_a_bad_channel_neither_delays_nor_repeats_nor_loses_what_others_are_sent(
    engine: Engine, history: list[tuple[Any, ...]], max_batch_bytes: int
) -> None:
    config = Config(
        max_batch_bytes=max_batch_bytes, channel_timeout=NOTHING_TOUCHES, on_error=lambda error, channel: None
    )
    runs = [Run(engine, config, with_bad_channel) for with_bad_channel in (True, False)]
    for run in runs:
        for step in [*history, ("dispatch",)]:
            run.do(*step)
    assert runs[0].sent == runs[1].sent
