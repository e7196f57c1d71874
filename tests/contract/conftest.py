"""Subscribers to test: each test with a Follower runs with the native one and with the model, which share the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contract.follower import Follower
from watchtree import Subscriber
from watchtree.testing import ModelSubscriber


@pytest.fixture(
    params=[pytest.param(Subscriber, id="core"), pytest.param(ModelSubscriber, id="model", marks=pytest.mark.pure)]
)
def make(request: pytest.FixtureRequest) -> Any:
    """The class of the subscriber."""
    return request.param


@pytest.fixture
def following(make: Any) -> Callable[..., Follower]:
    """Makes a Follower of these servers: `following(["one", "two"])`, with limits if need be."""
    return lambda servers, **limits: Follower(make, servers, **limits)


@pytest.fixture
def follower(following: Callable[..., Follower]) -> Follower:
    """One of two servers, "one" and "two", with the default limits."""
    return following(["one", "two"])


@pytest.fixture
def lonely(following: Callable[..., Follower]) -> Follower:
    """One of a single server, "one"."""
    return following(["one"])


@pytest.fixture
def pair(following: Callable[..., Follower]) -> Follower:
    """One of two groups, "x" and "y", that share their only server, "both"."""
    return following({"x": ["both"], "y": ["both"]})
