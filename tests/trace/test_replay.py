"""A trace is replayed exactly: the same calls on a new dispatcher, and everything that follows is the same."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from rig import state_of
from watchtree import Config, Dispatcher, Failure, KeyTooLong, Put, Tree, ValueTooLong
from watchtree.testing.machine import DispatcherMachine
from watchtree.testing.machine.sides import Engine
from watchtree.testing.simulation import PROFILES, Simulation, make_scenario
from watchtree.trace import InvalidTrace, Recorder, ReplayDiffers

recorded_dispatchers: list[tuple[Dispatcher, Tree, Recorder]] = []


def record_from_the_first_call(tree, *args, **keywords):
    dispatcher = Dispatcher(tree, *args, **keywords)
    recorded_dispatchers.append((dispatcher, tree, Recorder(dispatcher)))
    return dispatcher


class Recorded(DispatcherMachine):
    """Any history, with calls from inside the transport, transports that raise, restores and new dispatchers."""

    engine = Engine(Tree, record_from_the_first_call)

    def teardown(self):
        made, recorded_dispatchers[:] = list(recorded_dispatchers), []
        for dispatcher, tree, recorder in made[-1:]:
            trace = recorder.trace()
            replayed = trace.replay()
            replayed.dispatcher.verify()
            assert state_of(replayed.tree, replayed.dispatcher) == state_of(tree, dispatcher)
        for _, _, recorder in made[:-1]:
            recorder.trace().replay()
        super().teardown()


@pytest.mark.timeout(0)
def test_any_history_is_replayed_to_the_same_state():
    run_state_machine_as_test(Recorded, settings=settings(max_examples=100, stateful_step_count=50, deadline=None))


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_dispatcher_of_a_simulation_is_replayed(profile):
    simulation = Simulation(make_scenario(seed=11, profile=PROFILES[profile]), record=True).run()
    traces = simulation.traces()
    assert len(traces) >= len(simulation.servers) * simulation.world.groups
    for name, trace in traces.items():
        assert trace.replay().calls == trace.columns()["call"].max(initial=-1) + 1, name
    for server in simulation.servers:
        for hosted in server.hosted:
            replayed = traces[f"{server.name} tree{hosted.group} #{server.starts}"].replay()
            assert state_of(replayed.tree, replayed.dispatcher) == state_of(hosted.tree, hosted.dispatcher)


def test_a_simulation_that_records_nothing_says_so():
    with pytest.raises(ValueError, match="record=True"):
        Simulation(make_scenario(seed=1, profile=PROFILES["rough"])).traces()


def history(rig):
    rig.put("a", b"1")
    rig.sync("alice", {"a": 0, "b": 0})
    rig.dispatch()
    rig.tree.batch([Put("b", b"1"), Put("a", b"2")])
    rig.batches[0].fail(Failure.NETWORK)
    rig.clock.advance(1)
    rig.dispatch()


def test_the_first_calls_alone_lead_to_the_state_after_them(recorded):
    states = []
    for do in (
        lambda: recorded.put("a"),
        lambda: recorded.sync("alice", {"a": 0}),
        lambda: recorded.dispatcher.dispatch(),
        lambda: recorded.batches[0].acknowledge(),
        lambda: recorded.tree.remove("a"),
    ):
        do()
        calls = int(recorded.trace().columns()["call"][-1]) + 1
        states.append((calls, state_of(recorded.tree, recorded.dispatcher)))
    trace = recorded.trace()
    for calls, state in states:
        replayed = trace.replay(calls=calls)
        assert replayed.calls == calls
        assert state_of(replayed.tree, replayed.dispatcher) == state
    assert trace.replay(calls=0).tree.index == 0


def test_what_was_replayed_goes_on_with_a_transport_of_its_own(recorded):
    history(recorded)
    sent = []
    replayed = recorded.trace().replay(send=sent.append)
    assert sent == []
    replayed.dispatcher.answer(replayed.dispatcher.channel("alice").ticket)
    replayed.tree.put("a", b"3")
    replayed.dispatcher.dispatch()
    assert [(note.key, note.value) for note in sent[0]] == [("a", b"3")]


def test_a_batch_that_was_not_handed_over_yet_goes_to_the_new_transport(recorded):
    history(recorded)
    columns = recorded.trace().columns()
    last_hand_over = int(columns["call"][columns["event"] == 12][-1])
    sent = []
    replayed = recorded.trace().replay(calls=last_hand_over, send=sent.append)
    replayed.dispatcher.dispatch()
    assert [batch.ticket for batch in sent] == [2]


def test_a_tree_that_had_something_before_is_replayed_from_its_image():
    tree = Tree()
    tree.put("old", b"value", index=41)
    dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge())
    with Recorder(dispatcher) as recorder:
        dispatcher.sync("alice", {"old": 0})
        dispatcher.dispatch()
    replayed = recorder.trace().replay()
    assert replayed.tree.id == tree.id
    assert replayed.tree.get("old") == tree.get("old")
    assert replayed.dispatcher.watches("alice") == {"old": 41}


def test_the_clock_stands_where_the_last_call_was(recorded):
    recorded.clock.advance(12.5)
    recorded.put("a")
    assert recorded.trace().replay().clock() == 12_500_000_000


def has_a_channel(rig):
    rig.sync("alice", {"a": 0})


def was_reset(rig):
    rig.dispatcher.reset()


def has_sent(rig):
    rig.sync("alice", {"a": 0})
    rig.dispatch()
    rig.dispatcher.close("alice")


@pytest.mark.parametrize("use", [has_a_channel, was_reset, has_sent])
def test_a_dispatcher_that_was_in_use_before_cannot_be_replayed(rig, use):
    use(rig)
    with Recorder(rig.dispatcher) as recorder:
        rig.dispatch()
    with pytest.raises(InvalidTrace, match="Record from before the dispatcher's first call"):
        recorder.trace().replay()


def test_what_left_nothing_behind_does_not_keep_a_dispatcher_from_being_replayed(rig):
    """Changes that found a key queued were counted, and nothing else is left of this channel."""
    rig.put("a")
    rig.sync("alice", {"a": 1})
    rig.put("a")
    rig.put("a")
    rig.dispatcher.close("alice")
    assert rig.dispatcher.stats().coalesced == 1
    with Recorder(rig.dispatcher) as recorder:
        rig.watch("bob", "a")
    recorder.trace().replay()


@pytest.mark.parametrize(
    ("of_tree", "of_dispatcher"),
    [
        ({"max_value_bytes": 10}, {}),
        ({"max_key_bytes": 5}, {}),
        ({"max_key_bytes": 20_000, "max_value_bytes": 1 << 21}, {}),
        ({}, {"max_key_bytes": 5}),
    ],
)
def test_a_tree_with_other_limits_than_its_dispatcher_is_replayed(of_tree, of_dispatcher):
    tree = Tree(config=Config(**of_tree))
    with contextlib.suppress(KeyTooLong):
        tree.put("k" * 10_000, b"")
    dispatcher = Dispatcher(tree, lambda batch: None, config=Config(**of_dispatcher))
    with Recorder(dispatcher) as recorder:
        for key, value in (("k" * 6, b""), ("k", b"v" * 11)):
            with contextlib.suppress(KeyTooLong, ValueTooLong):
                tree.put(key, value)
            with contextlib.suppress(KeyTooLong):
                dispatcher.sync("alice", {key: 0})
        dispatcher.dispatch()
    replayed = recorder.trace().replay()
    assert state_of(replayed.tree, replayed.dispatcher) == state_of(tree, dispatcher)


def test_a_batch_that_is_not_handed_over_any_more_is_not_in_the_replay(recorded):
    def close_the_other(batch):
        recorded.dispatcher.close("bob" if batch.channel == "alice" else "alice")

    recorded.during_send = close_the_other
    for channel in ("alice", "bob", "carol"):
        recorded.sync(channel, {"a": 0})
    recorded.dispatch()
    assert [batch.channel for batch in recorded.batches] == ["alice", "carol"]
    recorded.dispatcher.answer(2)
    replayed = recorded.trace().replay()
    assert state_of(replayed.tree, replayed.dispatcher) == state_of(recorded.tree, recorded.dispatcher)


def test_a_log_is_replayed_on_a_dispatcher_just_made(recorded):
    history(recorded)
    log = recorded.trace()._log
    for dispatcher in (recorded.dispatcher, Dispatcher(Tree(), print)):
        recorder = None if dispatcher is recorded.dispatcher else Recorder(dispatcher)
        with pytest.raises(ValueError, match="one just made"):
            log.replay(dispatcher, recorded.clock, 10)
        del recorder


def test_a_transport_that_is_falsy_is_one(recorded):
    class Sent(list):
        def __call__(self, batch):
            self.append(batch)

    history(recorded)
    sent = Sent()
    replayed = recorded.trace().replay(send=sent)
    replayed.dispatcher.answer(replayed.dispatcher.channel("alice").ticket)
    replayed.tree.put("a", b"3")
    replayed.dispatcher.dispatch()
    assert len(sent) == 1


def test_more_calls_than_there_are_is_all_of_them(recorded):
    history(recorded)
    trace = recorded.trace()
    assert trace.replay(calls=1 << 70).calls == trace.replay().calls


@pytest.mark.parametrize("bad", [-1, 1.5, "all", True])
def test_a_wrong_number_of_calls_is_refused(recorded, bad):
    with pytest.raises(ValueError, match="calls is"):
        recorded.trace().replay(calls=bad)


def test_a_trace_that_says_something_else_than_what_follows_differs(recorded):
    """The trace of a dispatcher with other limits, as an older or newer engine might have made it."""
    history(recorded)
    trace = recorded.trace()
    data = bytearray(trace._log.to_bytes())
    size = next(at for at in range(len(data)) if data[at : at + 6] == b"alice\x01")  # its first batch: ticket 1
    data[size + 6] += 1  # bytes of the batch
    damaged = type(trace)(type(trace._log).from_bytes(bytes(data)))
    with pytest.raises(ReplayDiffers, match=r"replay\(calls=2\)") as caught:
        damaged.replay()
    assert caught.value.call == 2
    assert damaged.replay(calls=2).calls == 2


def test_replaying_twice_and_recording_the_replay_again_is_the_same(recorded):
    history(recorded)
    trace = recorded.trace()
    first, second = trace.replay(), trace.replay()
    assert state_of(first.tree, first.dispatcher) == state_of(second.tree, second.dispatcher)
