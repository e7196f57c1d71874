"""Images of the tree (contract §1, `snapshot` and `restore`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig, image
from watchtree import Dispatcher, InvalidSnapshot, ManualClock, State, Tree


def plant() -> Tree:
    tree = Tree()
    tree.put("app.db.host", b"db1", parents=True, index=7)
    tree.put("app.db.port", b"", index=9)
    tree.mkdir("empty")
    tree.put("ключ", bytes(range(256)))
    tree.put("app.db.host", b"db2", index=20)
    tree.remove("empty", index=30)
    tree.mkdir("empty")
    return tree


def test_a_tree_from_a_snapshot_is_the_same_tree():
    tree = plant()
    copy = Tree.from_snapshot(tree.snapshot())
    assert image(copy) == image(tree)
    copy.verify()


def test_a_tree_restored_is_the_same_tree():
    tree, other = plant(), Tree()
    other.put("zebra", b"gone")
    other.restore(tree.snapshot())
    assert image(other) == image(tree)
    other.verify()


def test_a_snapshot_of_an_empty_tree_restores_an_empty_tree():
    empty, tree = Tree(), plant()
    tree.restore(empty.snapshot())
    assert image(tree) == image(empty)
    tree.verify()


def test_later_changes_do_not_disturb_a_snapshot():
    tree = plant()
    before = image(tree)
    snapshot = tree.snapshot()
    tree.remove("app", recursive=True)
    tree.put("app", b"a value now")
    assert image(Tree.from_snapshot(snapshot)) == before


def test_a_tree_restores_its_own_earlier_state_and_index():
    tree = plant()
    before, snapshot = image(tree), tree.snapshot()
    tree.put("later", b"", index=1000)
    tree.restore(snapshot)
    assert image(tree) == before
    assert tree.put("later", b"") == 32


def test_a_restored_tree_counts_on_from_the_image():
    tree = Tree.from_snapshot(plant().snapshot())
    assert tree.put("next", b"") == 32


def test_the_index_of_an_image_may_be_above_that_of_its_nodes():
    tree = Tree()
    tree.put("a", b"", index=5)
    tree.remove("a", index=2**63 - 1)
    assert Tree.from_snapshot(tree.snapshot()).index == 2**63 - 1


def test_a_snapshot_is_bytes():
    assert type(plant().snapshot()) is bytes


def test_the_same_tree_gives_the_same_bytes():
    tree = plant()
    assert tree.snapshot() == tree.snapshot() == Tree.from_snapshot(tree.snapshot()).snapshot()


SNAPSHOT = plant().snapshot()


def refused(damaged):
    """Whether an image is refused by both calls, and the tree left as it was."""
    tree = plant()
    before = image(tree)
    with pytest.raises(InvalidSnapshot):
        Tree.from_snapshot(damaged)
    with pytest.raises(InvalidSnapshot):
        tree.restore(damaged)
    tree.verify()
    return image(tree) == before


@pytest.mark.parametrize("bit", [1, 0x80])
def test_an_image_with_a_bit_flipped_anywhere_is_refused(bit):
    for position in range(len(SNAPSHOT)):
        damaged = bytearray(SNAPSHOT)
        damaged[position] ^= bit
        assert refused(bytes(damaged)), position


def test_an_image_cut_short_anywhere_is_refused():
    for length in range(len(SNAPSHOT)):
        assert refused(SNAPSHOT[:length]), length


@pytest.mark.parametrize("tail", [b"\0", b"x", SNAPSHOT], ids=["a zero", "a letter", "a second image"])
def test_an_image_with_something_behind_it_is_refused(tail):
    assert refused(SNAPSHOT + tail)


@pytest.mark.parametrize("damaged", [b"x", b"\0" * 1000, b"\xff" * 1000, SNAPSHOT[1:], SNAPSHOT[::-1]])
def test_other_bytes_are_refused(damaged):
    assert refused(damaged)


@given(st.binary(max_size=200), st.integers(0, len(SNAPSHOT)))
def test_an_image_with_other_bytes_in_the_middle_is_refused(inserted, position):
    damaged = SNAPSHOT[:position] + inserted + SNAPSHOT[position + len(inserted) :]
    if damaged != SNAPSHOT:
        with pytest.raises(InvalidSnapshot):
            Tree.from_snapshot(damaged)


@pytest.mark.parametrize("wrong", [None, 7, "text", [1, 2], object()])
def test_something_that_is_no_bytes_is_a_type_error(wrong):
    tree = plant()
    before = image(tree)
    with pytest.raises(TypeError):
        Tree.from_snapshot(wrong)
    with pytest.raises(TypeError):
        tree.restore(wrong)
    assert image(tree) == before


KEYS = st.lists(st.sampled_from(["a", "b", "ab", "é"]), min_size=1, max_size=4).map(".".join)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=3), st.integers(1, 3)), max_size=30)


@given(CHANGES)
def test_every_tree_comes_back_from_its_snapshot(changes):
    tree = Tree()
    for key, value, step in changes:
        change(tree, key, value, tree.index + step)
    copy = Tree.from_snapshot(tree.snapshot())
    copy.verify()
    assert image(copy) == image(tree)


def change(tree, key, value, index):
    """Put a value, or remove the key where it is in the way."""
    if value is None or (key in tree and tree.get(key).is_directory):
        if key in tree:
            tree.remove(key, recursive=True, index=index)
    elif all(node is None or node.is_directory for node in tree.get_many(above(key))):
        tree.put(key, value, parents=True, index=index)


def above(key):
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def test_restore_resets_every_dispatcher_of_the_tree(rig):
    other = Dispatcher(rig.tree, lambda batch: None, clock=ManualClock())
    other.sync("bob", {"a": 0})
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    rig.tree.restore(SNAPSHOT)
    assert [(d.epoch, d.channels(), d.stats().holders) for d in (rig.dispatcher, other)] == [(2, [], 0)] * 2
    assert not batch.acknowledge()
    assert rig.dispatcher.dispatch()


def test_a_refused_image_resets_no_dispatcher(rig):
    rig.sync("alice", {"a": 0})
    batch = rig.send_one()
    with pytest.raises(InvalidSnapshot):
        rig.tree.restore(SNAPSHOT[:-1])
    assert rig.dispatcher.epoch == 1
    assert batch.acknowledge()


def test_a_dispatcher_follows_the_tree_that_was_restored(rig):
    rig.watch("alice", "app.db.host")
    rig.tree.restore(SNAPSHOT)
    rig.sync("alice", {"app.db.host": 0})
    assert rig.sent_by(rig.dispatch) == [("alice", [("app.db.host", State.VALUE, 20, b"db2")])]
    rig.settle()
    rig.tree.remove("app", recursive=True)
    assert rig.sent_by(rig.dispatch) == [("alice", [("app.db.host", State.MISSING, 32, None)])]


def test_sync_answers_the_id_and_the_index_of_the_image(rig):
    before = rig.sync("alice", {"a": 0})
    rig.tree.restore(SNAPSHOT)
    after = rig.sync("alice", {"a": 0})
    assert after == (Tree.from_snapshot(SNAPSHOT).id, 31)
    assert after.tree_id != before.tree_id


def test_a_replica_made_from_a_snapshot_resumes_without_repeating():
    first, second = Rig(), Rig()
    first.put("a", b"1")
    first.watch("alice", "a", "b")
    second.tree.restore(first.tree.snapshot())
    second.put("b", b"2")
    second.sync("alice", first.dispatcher.watches("alice"))
    assert second.sent_by(second.dispatch) == [("alice", [("b", State.VALUE, 2, b"2")])]
