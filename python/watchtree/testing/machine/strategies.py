"""What the machine draws: few keys, few values, small limits, so that everything meets everything."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from watchtree.config import Config
from watchtree.records import CompareAndSet, Mkdir, Put, Remove
from watchtree.testing.machine.sides import THIS, Call, Plan
from watchtree.words import REMOVE_ALL_WATCHES, Failure

MAX_KEY_BYTES = 16
MAX_VALUE_BYTES = 40
MAX_INDEX = 2**63 - 1

CHANNELS = ("x", "y", "z")
KEYS = ("", "a", "b", "a.a", "a.b", "b.é", "a.a.a", "a.a.b", "a.b.a", "b.a.a")
BAD_KEYS = (".", "a.", ".a", "a..b", "a\n", "a.\x85", "\ud800", "k" * (MAX_KEY_BYTES + 1), "é" * 9)
VALUES = (b"", b"x", b"yy", b"0123456789", b"v" * MAX_VALUE_BYTES)
TOO_LONG = b"v" * (MAX_VALUE_BYTES + 1)

channels = st.sampled_from(CHANNELS)
keys = st.sampled_from(KEYS)
any_keys = st.sampled_from(KEYS * 9 + BAD_KEYS)
values = st.sampled_from(VALUES)
any_values = st.sampled_from(VALUES * 5 + (TOO_LONG,))

index_steps = st.sampled_from((None,) * 12 + (1, 2, 7, 0, -1, MAX_INDEX + 1))
"""How far an explicit index is from the tree's; None: the tree counts."""

operations = st.one_of(
    st.builds(Put, any_keys, any_values, st.booleans()),
    st.builds(Mkdir, any_keys, st.booleans()),
    st.builds(Remove, any_keys, st.booleans()),
    st.builds(CompareAndSet, any_keys, st.none() | values, st.none() | any_values),
)

known_steps = st.sampled_from(("nothing", "nothing", "nothing", "stop", -6, -3, -2, -1, 0, 1, 3))
"""What a subscriber knows of a key: nothing, that it does not want it, or an index so far from the tree's."""
known_maps = st.dictionaries(keys, known_steps, max_size=4)
watched = st.dictionaries(channels, st.lists(keys, min_size=1, max_size=5, unique=True), min_size=1)
"""What each channel watches when a history begins."""

codes = st.lists(st.sampled_from((0, 0, 0, 0, 1, 1, 2, 2, 7, -1, 2**70)), min_size=1, max_size=4)
reasons = st.sampled_from([Failure.NETWORK] * 6 + list(Failure))
mostly = st.sampled_from((True, True, True, False))
rarely = st.sampled_from((False, False, False, True))
picks = st.integers(0, 999)
"""Chooses one of what is there when the rule runs."""

seconds = st.sampled_from((1e-9, 0.2, 0.5, 1, 1, 1, 2, 2, 5, 10, 15, 60, 120))
damages = st.sampled_from((None, None, "cut", "longer", "flipped", "empty"))

configs = st.builds(
    Config,
    max_key_bytes=st.just(MAX_KEY_BYTES),
    max_value_bytes=st.just(MAX_VALUE_BYTES),
    max_batch_size=st.integers(1, 4),
    max_batch_bytes=st.sampled_from((1, 30, 60, 100, 1000)),
    answer_timeout=st.sampled_from((15.0, 2.0)),
    channel_timeout=st.sampled_from((120.0, 120.0, 15.0)),
    backoff=st.sampled_from(((1.0, 10.0, 30.0, 60.0), (1.0,), (0.5, 15.0))),
)


def _answers(ticket: Any) -> st.SearchStrategy[Call]:
    return st.one_of(
        st.builds(lambda: Call("dispatcher.answer", (ticket,))),
        st.builds(lambda results: Call("dispatcher.answer", (ticket, results)), codes),
        st.builds(lambda reason: Call("dispatcher.answer", (ticket,), {"failure": reason}), reasons),
        st.just(Call("dispatcher.answer", (ticket, REMOVE_ALL_WATCHES))),
        *([st.just(Call("batch.acknowledge", (ticket,)))] if ticket is THIS else []),
    )


calls_from_inside = st.one_of(
    _answers(THIS),
    st.just(Call("raise_error", (THIS,))),
    st.builds(lambda key, value: Call("tree.put", (key, value), {"parents": True}), keys, values),
    st.builds(lambda key: Call("tree.remove", (key,), {"recursive": True}), keys),
    st.builds(
        lambda channel, known, replace: Call("dispatcher.sync", (channel, known, replace)),
        channels,
        st.dictionaries(keys, st.sampled_from((0, 0, -1, 1, 2, 5, 20)), max_size=3),
        st.booleans(),
    ),
    st.just(Call("dispatcher.dispatch")),
    st.integers(-1, 30).flatmap(_answers),
    st.builds(lambda channel: Call("dispatcher.close", (channel,)), channels),
    st.builds(lambda channel: Call("dispatcher.touch", (channel,)), channels),
    st.builds(lambda amount: Call("clock.advance", (round(amount * 1e9),)), seconds),
    st.just(Call("dispatcher.reset")),
)

plans: st.SearchStrategy[Plan] = st.just([]) | st.lists(
    st.lists(calls_from_inside, min_size=1, max_size=2), min_size=1, max_size=3
)

wrong_calls = st.sampled_from(
    (
        Call("tree.put", (5, b"")),
        Call("tree.put", ("a.", "text")),
        Call("tree.put", ("a.", b""), {"index": "1"}),
        Call("tree.mkdir", (None,)),
        Call("tree.remove", (b"a",)),
        Call("tree.compare_and_set", ("a", "x", None)),
        Call("tree.batch", ([b"a"],)),
        Call("tree.get", (5,)),
        Call("dispatcher.sync", (5, {"a": 0})),
        Call("dispatcher.sync", ("x", {5: 0})),
        Call("dispatcher.sync", ("x", {"a": "0"})),
        Call("dispatcher.sync", ("x", {".": 0, "a": 0.0})),
        Call("dispatcher.answer", ("1",)),
        Call("dispatcher.answer", (1, ["OK"])),
        Call("dispatcher.answer", (1, [0]), {"failure": Failure.NETWORK}),
        Call("dispatcher.channel", ("nobody",)),
        Call("dispatcher.watches", ("nobody",)),
    )
)
"""Calls that have a wrong type, or name nobody."""
