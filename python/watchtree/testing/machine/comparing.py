"""Makes each call on an engine and on the model, and compares all that comes out."""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from watchtree.config import Config
from watchtree.testing import ModelDispatcher, ModelTree
from watchtree.testing.machine.history import History
from watchtree.testing.machine.sides import Call, Engine, Plan, Side

MODEL = Engine(ModelTree, ModelDispatcher)


class ComparingMachine(RuleBasedStateMachine):
    """Two sides that are the same at any time, as far as anybody can see."""

    engine: Engine
    """What is tested."""
    oracle = MODEL

    def begin(self, config: Config) -> None:
        """Make both sides. To be called first."""
        self.config = config
        self.subject = Side(self.engine, config)
        self.model = Side(self.oracle, config)
        self.history = History(self.subject)
        self.lines: list[str] = []
        self.seen = self.subject.observe()
        self.seen_before = self.seen
        self.call = Call("begin")
        self.outcome: Any = None
        self.plan: Plan = []
        self.sound = False
        """The last call went well, so that a history can be brought to its end."""

    def make(self, call: Call, plan: Plan | None = None) -> Any:
        """Make one call on both sides, let the transport act by the plan, and compare all that can be seen."""
        outcome = self.make_unseen(call, plan)
        self.look()
        return outcome

    def make_unseen(self, call: Call, plan: Plan | None = None) -> Any:
        """The same, but compare only what comes out; to be followed by `look`."""
        self.call, self.plan = call, plan or []
        self.lines.append(str(call) + "".join(f"\n    # in send: {', '.join(map(str, calls))}" for calls in self.plan))
        self.sound = False
        outcomes = []
        for side in (self.subject, self.model):
            side.log.clear()
            side.plan = [list(calls) for calls in self.plan]
            outcomes.append(side.make(call))
        self.outcome = outcomes[0]
        self.same("outcome", *outcomes)
        self.same("what came out", self.subject.log, self.model.log)
        return self.outcome

    def look(self) -> None:
        """Compare all that can be seen."""
        self.seen_before, self.seen = self.seen, self.subject.observe()
        self.same("state", self.seen, self.model.observe())
        self.subject.verify()
        self.model.verify()
        self.sound = True

    def same(self, what: str, subject: Any, model: Any) -> None:
        """Fail unless both sides say the same."""
        if subject != model:
            self.fail(f"{what} of the engine and of the model:\n{difference(subject, model)}")

    def claim(self, true: bool, message: str) -> None:
        """Fail unless something is true of the engine."""
        if not true:
            self.fail(message)

    def fail(self, message: str) -> None:
        """Fail, and show the history."""
        self.sound = False
        raise AssertionError(f"{message}\nafter\n{self.history_as_code()}")

    def history_as_code(self) -> str:
        """The calls that were made, a line each."""
        return "\n".join([f"config = {self.config}", *self.lines])

    def in_flight(self) -> list[int]:
        """The tickets of all batches in flight."""
        return [seen["ticket"] for seen in self.seen["channels"].values() if seen["ticket"] is not None]


def difference(subject: Any, model: Any, path: str = "") -> str:
    """Where two answers differ, a line for each place."""
    if isinstance(subject, dict) and isinstance(model, dict):
        keys = [*subject, *(key for key in model if key not in subject)]
        pairs = [(key, subject.get(key, "(absent)"), model.get(key, "(absent)")) for key in keys]
        return "\n".join(difference(left, right, f"{path}.{key}") for key, left, right in pairs if left != right)
    return f"{path or '.'}:\n  engine {subject!r}\n  model  {model!r}"
