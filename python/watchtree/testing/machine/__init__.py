"""A Hypothesis state machine for a dispatcher, its transport and its subscribers: see `DispatcherMachine`."""

from watchtree.testing.machine.rules import DispatcherMachine

__all__ = ["DispatcherMachine"]
