"""`Batch.encode()` is a `watchtree.v1.NotifyRequest` for any reader of protobuf.

watchtree_pb2.py is made of cpp/core/wire/watchtree.proto by the oldest generator that is supported, that of
grpcio-tools 1.71.2; .ci/run makes it again and compares.
"""

from __future__ import annotations

import warnings
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rig import Rig
from watchtree import Batch, Dispatcher, ManualClock, State, Tree

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # runtimes say that the generator is older than they are
    from wire.watchtree_pb2 import NotifyRequest

LARGEST_INDEX = 2**63 - 1
PARTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="."), min_size=1, max_size=6)


def decoded(batch: Batch) -> Any:
    """The message. Protobuf's own writer says it in the same bytes, so nothing was lost, unknown or left over."""
    message = NotifyRequest.FromString(batch.encode())
    assert message.SerializeToString(deterministic=True) == batch.encode()
    return message


def said_by(message: Any) -> list[tuple[str, int, int, bytes | None]]:
    return [(n.key, n.state, n.index, n.value if n.HasField("value") else None) for n in message.notifications]


def test_the_message_names_the_channel_the_ticket_and_the_epoch(rig: Rig) -> None:
    rig.dispatcher.reset()
    rig.sync("bob", {"a": 0})
    rig.dispatch()
    rig.sync("älice", {"a": 0})
    message = decoded(rig.send_one())
    assert (message.channel, message.ticket, message.epoch, message.more) == ("älice", 2, 2, False)


def test_the_notifications_are_the_batch_s_in_its_order(rig: Rig) -> None:
    index = rig.put("app.db", b"\x00v\xff")
    rig.sync("alice", {"missing": 0, "app.db": 0, "app": 0, "": 0})
    batch = rig.send_one()
    assert said_by(decoded(batch)) == [tuple(n) for n in batch]
    assert [(n.state, n.index) for n in decoded(batch).notifications][1] == (State.VALUE, index)


def test_an_empty_value_is_told_from_no_value(rig: Rig) -> None:
    rig.put("empty", b"")
    rig.sync("alice", {"empty": 0, "missing": 0, "": 0})
    values = [n.value if n.HasField("value") else None for n in decoded(rig.send_one()).notifications]
    assert values == [b"", None, None]


def test_a_missing_key_of_an_empty_tree_has_index_0(rig: Rig) -> None:
    rig.sync("alice", {"a": 0})
    assert said_by(decoded(rig.send_one())) == [("a", State.MISSING, 0, None)]


def test_the_largest_index_arrives(rig: Rig) -> None:
    rig.tree.put("a", b"v", index=LARGEST_INDEX)
    rig.sync("alice", {"a": 0})
    assert said_by(decoded(rig.send_one())) == [("a", State.VALUE, LARGEST_INDEX, b"v")]


def test_a_value_larger_than_a_batch_arrives_whole(rig: Rig) -> None:
    value = bytes(range(256)) * 4096
    rig.put("a", value)
    rig.sync("alice", {"a": 0})
    assert decoded(rig.send_one()).notifications[0].value == value


def test_a_batch_that_was_cut_says_so() -> None:
    rig = Rig(max_batch_bytes=30)
    rig.sync("alice", {"a": 0, "b": 0})
    first = rig.send_one()
    assert decoded(first).more is True
    assert [decoded(batch).more for batch in rig.batches_by(first.acknowledge)] == [False]


def test_a_batch_keeps_its_message_when_the_tree_goes_on(rig: Rig) -> None:
    rig.put("a", b"old")
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    before = batch.encode()
    rig.put("a", b"new")
    batch.acknowledge()
    rig.dispatcher.close("alice")
    assert batch.encode() == before


@given(
    channel=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300),
    values=st.dictionaries(st.lists(PARTS, min_size=1, max_size=3).map(".".join), st.binary(max_size=300)),
    missing=st.lists(PARTS, max_size=3),
)
def test_any_batch_reads_back_as_it_is(channel: str, values: dict[str, bytes], missing: list[str]) -> None:
    tree, sent = Tree(), list[Batch]()
    for key, value in values.items():
        if not any(key.startswith(f"{other}.") or other.startswith(f"{key}.") for other in tree):
            tree.put(key, value, parents=True)
    dispatcher = Dispatcher(tree, sent.append, clock=ManualClock())
    dispatcher.sync(channel, dict.fromkeys(["", *tree, *missing], 0))
    dispatcher.dispatch()
    assert [decoded(batch).channel for batch in sent] == [channel]
    assert [said_by(decoded(batch)) for batch in sent] == [[tuple(n) for n in batch] for batch in sent]
