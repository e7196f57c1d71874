"""A trace is replayed exactly: the same calls on a new dispatcher, and everything that follows is the same."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from watchtree import Dispatcher, Failure, Put, Tree
from watchtree.testing.machine import DispatcherMachine
from watchtree.testing.machine.sides import SIZES, Engine
from watchtree.testing.simulation import PROFILES, Simulation, make_scenario
from watchtree.trace import InvalidTrace, Recorder, ReplayDiffers

recorded_dispatchers: list[tuple[Dispatcher, Tree, Recorder]] = []


def record_from_the_first_call(tree, *args, **keywords):
    dispatcher = Dispatcher(tree, *args, **keywords)
    recorded_dispatchers.append((dispatcher, tree, Recorder(dispatcher)))
    return dispatcher


def state_of(tree, dispatcher):
    stats = dispatcher.stats()
    return (
        [tree.get(key) for key in tree],
        tree.index,
        {name: getattr(stats, name) for name in SIZES},
        {name: dispatcher.watches(name) for name in dispatcher.channels()},
        dispatcher.holders(),
    )


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


def test_a_dispatcher_that_was_in_use_before_cannot_be_replayed(rig):
    rig.sync("alice", {"a": 0})
    with Recorder(rig.dispatcher) as recorder:
        rig.dispatch()
    with pytest.raises(InvalidTrace, match="Record from before the dispatcher's first call"):
        recorder.trace().replay()


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
