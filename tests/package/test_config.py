"""The limits and intervals that a user sets."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import pytest
from watchtree import Config

INTS = {
    "max_key_bytes": (1, 65_535),
    "max_value_bytes": (0, 1 << 30),
    "max_batch_size": (1, 1 << 30),
    "max_batch_bytes": (1, 1 << 30),
}
SECONDS = ["dispatch_interval", "answer_timeout", "channel_timeout", "heartbeat"]
ints = pytest.mark.parametrize(("field", "low", "high"), [(name, *bounds) for name, bounds in INTS.items()])
seconds = pytest.mark.parametrize("field", SECONDS)


def test_the_defaults_are_those_of_the_contract():
    config = Config()
    assert (config.max_key_bytes, config.max_value_bytes) == (8192, 1024 * 1024)
    assert (config.max_batch_size, config.max_batch_bytes) == (100, 80 * 1024)
    assert (config.dispatch_interval, config.answer_timeout, config.channel_timeout) == (0.5, 15.0, 120.0)
    assert config.heartbeat == 60.0
    assert config.backoff == (1.0, 10.0, 30.0, 60.0)
    assert config.on_error is None


@ints
def test_a_number_may_have_either_end_of_its_range(field, low, high):
    for value in (low, high):
        assert getattr(Config(**{field: value}), field) == value


@ints
def test_a_number_out_of_its_range_is_a_value_error(field, low, high):
    for value in (low - 1, high + 1, -(10**30), 10**30):
        with pytest.raises(ValueError, match=field):
            Config(**{field: value})


@ints
@pytest.mark.parametrize("wrong", [None, "7", 7.0, True, [7]])
def test_a_number_of_another_type_is_a_type_error(field, low, high, wrong):
    with pytest.raises(TypeError, match=field):
        Config(**{field: wrong})


@seconds
@pytest.mark.parametrize("value", [1e-6, 0.5, 1, 1e8])
def test_seconds_may_be_any_number_in_their_range(field, value):
    assert getattr(Config(**{field: value}), field) == value


@seconds
@pytest.mark.parametrize("value", [0, 0.0, -1, 1e-7, 1e9, math.nan, math.inf, -math.inf])
def test_seconds_out_of_their_range_are_a_value_error(field, value):
    with pytest.raises(ValueError, match=field):
        Config(**{field: value})


@seconds
@pytest.mark.parametrize("wrong", [None, "1", True, [1.0]])
def test_seconds_of_another_type_are_a_type_error(field, wrong):
    with pytest.raises(TypeError, match=field):
        Config(**{field: wrong})


@pytest.mark.parametrize("backoff", [(1,), [1, 2.5], range(1, 17), (5,) * 16])
def test_back_off_is_one_to_sixteen_intervals_kept_as_a_tuple(backoff):
    assert Config(backoff=backoff).backoff == tuple(backoff)


@pytest.mark.parametrize("backoff", [(), [], (1,) * 17, (0,), (1, -1), (1, math.nan), (1, 1e9)])
def test_a_back_off_out_of_its_range_is_a_value_error(backoff):
    with pytest.raises(ValueError, match="backoff"):
        Config(backoff=backoff)


@pytest.mark.parametrize("backoff", [None, 1, 1.5, "1", b"1", ("1",), (None,), (True,)])
def test_a_back_off_of_another_type_is_a_type_error(backoff):
    with pytest.raises(TypeError, match="backoff"):
        Config(backoff=backoff)


@pytest.mark.parametrize("wrong", [1, "print", [print]])
def test_an_on_error_that_is_not_callable_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="on_error"):
        Config(on_error=wrong)


def test_a_config_cannot_be_changed_but_a_changed_copy_can_be_made():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.max_batch_size = 7
    changed = dataclasses.replace(config, max_batch_size=7)
    assert (config.max_batch_size, changed.max_batch_size) == (100, 7)
    with pytest.raises(ValueError, match="max_batch_size"):
        dataclasses.replace(config, max_batch_size=0)


def test_equal_configs_are_equal_and_have_one_hash():
    assert Config(backoff=[1, 2]) == Config(backoff=(1, 2))
    assert hash(Config(backoff=[1, 2])) == hash(Config(backoff=(1, 2)))
    assert Config() != Config(max_batch_size=7)


def test_a_config_can_be_pickled_and_copied():
    config = Config(max_batch_size=7, backoff=[1, 2])
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config


def test_a_dispatcher_shows_its_config(rig):
    assert rig.dispatcher.config is rig.config
