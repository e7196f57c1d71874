"""Hypothesis profiles, and the rig that most tests start from.

A profile is chosen with the variable WATCHTREE_PROFILE or with hypothesis' own --hypothesis-profile, which wins.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from rig import Rig

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile(
    "ci", max_examples=2000, stateful_step_count=50, deadline=None, print_blob=True, suppress_health_check=SLOW_IS_FINE
)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=200_000)
settings.load_profile(os.environ.get("WATCHTREE_PROFILE", "dev"))


@pytest.fixture
def rig() -> Iterator[Rig]:
    """An empty tree and a dispatcher with the default limits; its invariants are checked again at the end."""
    rig = Rig()
    yield rig
    rig.verify()
