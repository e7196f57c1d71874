"""The native core and the model agree on every history of calls, and the guarantees hold (contract §1 to §3, §5)."""

from __future__ import annotations

import pytest
from properties.machine import EngineMachine
from properties.sides import Engine
from watchtree import Dispatcher, Tree

pytestmark = pytest.mark.timeout(0)  # the profile's number of examples is the limit


class CoreMachine(EngineMachine):
    engine = Engine(Tree, Dispatcher)


TestCoreAgainstModel = CoreMachine.TestCase
