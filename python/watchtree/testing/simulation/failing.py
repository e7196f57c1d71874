"""Whether a scenario fails, also where it takes the process with it."""

from __future__ import annotations

import multiprocessing
import traceback
from multiprocessing.connection import Connection

from watchtree.testing.simulation.scenario import Scenario
from watchtree.testing.simulation.simulation import Simulation


def failure_of(scenario: Scenario) -> str | None:
    """What went wrong in a run of it, None if nothing. A fault of the core's own checks may end the process."""
    try:
        Simulation(scenario).run()
    except AssertionError as error:
        return str(error)
    except Exception:
        return traceback.format_exc()
    return None


def failure_apart(scenario: Scenario) -> str | None:
    """The same from a process of its own, whose death is a failure too. Cost: a new interpreter, some 0.3 s."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_run, args=(scenario, theirs))
    process.start()
    theirs.close()
    try:
        answer: str | None = ours.recv()
    except EOFError:
        answer = "the process died"
    process.join()
    return f"{answer} with exit status {process.exitcode}" if process.exitcode else answer


def _run(scenario: Scenario, answer: Connection) -> None:
    answer.send(failure_of(scenario))
