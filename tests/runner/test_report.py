"""Errors without a caller go to Config.on_error, or to the logger "watchtree"."""

from __future__ import annotations

import pytest
from watchtree.report import report


def test_on_error_is_told_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[BaseException, str]] = []
    error = ConnectionError("cut")
    report(lambda error, channel: told.append((error, channel)), error, "alice")
    assert told == [(error, "alice")]
    assert not caplog.records


def test_without_on_error_the_logger_gets_it_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    error = ConnectionError("cut")
    report(None, error, "alice")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("watchtree", "ERROR")
    assert record.getMessage().startswith("channel 'alice': ConnectionError: cut")
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_an_error_of_on_error_is_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    def on_error(error: BaseException, channel: str) -> None:
        raise ZeroDivisionError("in on_error")

    report(on_error, ConnectionError("cut"), "alice")
    assert "ConnectionError: cut" in caplog.text
    assert "ZeroDivisionError: in on_error" in caplog.text


def test_what_is_no_exception_is_raised() -> None:
    def on_error(error: BaseException, channel: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(on_error, ConnectionError("cut"), "alice")
