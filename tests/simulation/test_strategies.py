"""What the public strategies draw is legal, and whole scenarios hold every guarantee (contract §5)."""

from __future__ import annotations

from hypothesis import find, given, settings
from hypothesis import strategies as st
from watchtree import Dispatcher, Failure, ManualClock, Subscriber, Tree, WatchTreeError
from watchtree.testing import strategies
from watchtree.testing.simulation import Simulation, World
from watchtree.words import REMOVE_ALL_WATCHES


@given(key=strategies.keys(strategies.any_parts()))
def test_every_key_is_legal(key):
    assert key not in Tree() or key == ""


@given(operations=st.lists(strategies.operations()))
def test_every_operation_is_one_that_a_tree_takes(operations):
    tree = Tree()
    for index_or_error in tree.batch(operations):
        assert isinstance(index_or_error, int | WatchTreeError)
    tree.verify()


@given(known=strategies.known(), notifications=strategies.notifications())
def test_what_is_known_and_notified_is_taken(known, notifications):
    Dispatcher(Tree(), print).sync("alice", known)
    subscriber = Subscriber(["s"])
    subscriber.add(known)
    subscriber.actions()
    subscriber.connected("s")
    results = subscriber.notified("s", notifications)
    assert results is REMOVE_ALL_WATCHES or len(results) == len(notifications)


@given(plan=strategies.failure_plans(), data=st.data())
def test_every_failure_and_every_answer_can_be_given(plan, data):
    tree, batches = Tree(), []
    dispatcher = Dispatcher(tree, batches.append, clock=ManualClock())
    dispatcher.sync("alice", {"a": 0})
    for failure in plan:
        dispatcher.dispatch()
        if batches:
            answer = data.draw(strategies.answers(len(batches[-1])))
            if failure is not None:
                batches.pop().fail(failure)
            elif isinstance(answer, Failure):
                batches.pop().fail(answer)
            elif answer is REMOVE_ALL_WATCHES:
                batches.pop().remove_all()
            else:
                batches.pop().acknowledge(answer)
    dispatcher.verify()


@settings(deadline=None)
@given(scenario=strategies.scenarios())
def test_every_scenario_holds_every_guarantee(scenario):
    Simulation(scenario).run()


@settings(deadline=None)
@given(schedule=strategies.network_schedules(World()))
def test_every_network_schedule_can_be_run(schedule):
    from watchtree.testing.simulation import Scenario

    steps = (("follow", 0, 0, ("a",)), ("change", 0, "put", "a", "x"), *schedule)
    Simulation(Scenario(1, World(), steps)).run()


def test_a_scenario_shrinks_to_the_steps_that_matter():
    shortest = find(strategies.scenarios(), lambda scenario: any(step[0] == "crash" for step in scenario.steps))
    assert [step[0] for step in shortest.steps] == ["crash"]
