"""The simulation: every seed holds every guarantee, runs the same each time, and a broken guarantee is found (contract §5)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest
from watchtree import Failure, Notification, State, Subscriber
from watchtree.testing.simulation import PROFILES, Scenario, Simulation, Violation, make_scenario
from watchtree.testing.simulation.checks import Checks
from watchtree.testing.simulation.failing import failure_apart, failure_of
from watchtree.testing.simulation.minimise import minimise
from watchtree.testing.simulation.server import Hosted
from watchtree.testing.simulation.subscriber import SimulatedSubscriber

SEEDS = {"dev": 30, "ci": 150, "nightly": 30_000}[os.environ.get("WATCHTREE_PROFILE", "dev")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("part", range(4))
def test_every_guarantee_holds_for_every_seed(profile, part):
    for seed in range(part, SEEDS, 4):
        Simulation(make_scenario(seed, PROFILES[profile])).run()


def test_the_simulation_meets_every_fault_it_is_made_for():
    names = ("dropped", "refused", "coalesced", "forgotten", "failures", "ignored_answers")
    totals = dict.fromkeys((*names, "resent", "silent_channels"), 0)
    for seed in range(60):
        simulation = Simulation(make_scenario(seed, PROFILES["rough"])).run()
        for subscriber in simulation.subscribers:
            for name in names:
                totals[name] += getattr(subscriber.machine.stats(), name)
        for server in simulation.servers:
            for hosted in server.hosted:
                for name in ("resent", "silent_channels"):
                    totals[name] += getattr(hosted.dispatcher.stats(), name)
        if all(totals.values()):
            return
    pytest.fail(f"60 seeds did not bring each of these about: {totals}")


# The same each time.


def journal_of(scenario):
    return Simulation(scenario, journal=True).run().journal()


def test_two_runs_of_a_scenario_have_the_same_journal_byte_for_byte():
    scenario = make_scenario(7, PROFILES["rough"])
    assert journal_of(scenario) == journal_of(scenario)


def test_another_interpreter_with_other_hashes_has_the_same_journal():
    program = (
        "import hashlib; from watchtree.testing.simulation import *;"
        "run = Simulation(make_scenario(7, PROFILES['rough']), journal=True).run();"
        "print(hashlib.sha256(run.journal()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_has_another_scenario():
    assert make_scenario(1, PROFILES["default"]).steps != make_scenario(2, PROFILES["default"]).steps


def test_a_scenario_that_was_saved_and_loaded_is_the_same(tmp_path):
    scenario = make_scenario(7, PROFILES["restarts"])
    scenario.save(tmp_path / "one")
    loaded = Scenario.load(tmp_path / "one")
    assert loaded == scenario
    assert journal_of(loaded) == journal_of(scenario)


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"format": "another", "seed": 1, "world": {}}'])
def test_a_file_that_is_no_scenario_is_refused(tmp_path, text):
    path = tmp_path / "one"
    path.write_text(text)
    with pytest.raises(ValueError, match="is no scenario"):
        Scenario.load(path)


# What breaks a guarantee is found.


def must_fail(guarantee, profile="rough", seeds=40):
    """Run seeds until one fails; it has to be this guarantee."""
    with pytest.raises(Violation, match=f"^{guarantee}"):
        run_seeds(profile, seeds)


def run_seeds(profile, seeds):
    for seed in range(seeds):
        Simulation(make_scenario(seed, PROFILES[profile])).run()


def test_a_server_that_sends_an_older_value_is_found(monkeypatch):
    checked = Checks.sent

    def with_older_value(self, hosted, batch, notifications):
        older = tuple(each._replace(value=b"old") if each.state is State.VALUE else each for each in notifications)
        checked(self, hosted, batch, older)

    monkeypatch.setattr(Checks, "sent", with_older_value)
    must_fail("G1")


def test_a_subscriber_that_acknowledges_what_it_lost_is_found(monkeypatch):
    random = Random(1)
    notified = SimulatedSubscriber.notified

    def lose_some(self, server, group, ticket, epoch, notifications):
        if random.random() < 0.1:
            self._send(server, "answer", group, ticket, epoch, [0] * len(notifications))
        else:
            notified(self, server, group, ticket, epoch, notifications)

    monkeypatch.setattr(SimulatedSubscriber, "notified", lose_some)
    must_fail("G3")


def test_a_user_that_is_told_twice_is_found(monkeypatch):
    take = SimulatedSubscriber.take

    def take_twice(self, most):
        take(self, most)
        for event in list(self.seen.values())[:1]:
            self.simulation.checks.told(self, event)

    monkeypatch.setattr(SimulatedSubscriber, "take", take_twice)
    must_fail("G2")


def test_a_server_that_forgets_a_watch_is_found(monkeypatch):
    monkeypatch.setattr(Hosted, "apply", forget_now_and_then(Hosted.apply))
    must_fail("G3")


def forget_now_and_then(apply):
    random = Random(1)

    def forgetful(self):
        if random.random() < 0.02:
            for channel in self.dispatcher.channels():
                key = next(iter(self.dispatcher.watches(channel)))
                # The number of watches stays, so that no heartbeat can tell.
                self.dispatcher.sync(channel, {key: -1, f"{key}.other" if key else "other": self.tree.index + 10**9})
        apply(self)

    return forgetful


def test_a_channel_that_is_never_closed_is_found(monkeypatch):
    dispatch = Hosted.step

    def keep_one(self):
        self.dispatcher.sync("nobody", {"a": 10**9})
        dispatch(self)

    monkeypatch.setattr(Hosted, "step", keep_one)
    must_fail("G7", profile="calm")


# The shortest way to it.


def test_a_scenario_that_fails_is_cut_to_the_few_steps_that_matter():
    scenario = make_scenario(3, PROFILES["default"])
    wanted = [step for step in scenario.steps if step[0] in ("partition", "snapshot")][:2]
    assert len(wanted) == 2

    def fails(candidate):
        return all(step in candidate.steps for step in wanted)

    shortest = minimise(scenario, fails, 60.0, lambda shorter: None)
    assert list(shortest.steps) == wanted


def test_a_run_says_what_failed(monkeypatch):
    scenario = make_scenario(3, PROFILES["calm"])
    assert failure_of(scenario) is None
    broken = replace(scenario, steps=(*scenario.steps, ("jump", "moon", 0, 1.0), ("no_such_step",)))
    assert "no_such_step" in failure_of(broken)


def test_a_run_apart_says_the_same():
    scenario = make_scenario(3, PROFILES["calm"])
    assert failure_apart(replace(scenario, steps=scenario.steps[:5])) is None
    assert "no_such_step" in failure_apart(replace(scenario, steps=(("no_such_step",),)))


# Small things that the simulation relies on.


def test_a_subscriber_is_never_told_of_an_older_registration_of_its_key():
    subscriber = Subscriber(["s"])
    subscriber.add(["a"])
    subscriber.actions()
    subscriber.connected("s")
    subscriber.actions()
    subscriber.notified("s", [Notification("a", State.VALUE, 5, b"")])
    subscriber.remove(["a"])
    subscriber.add(["a"])
    assert subscriber.take() is None
    subscriber.request_failed(1, Failure.NETWORK)
    subscriber.verify()
