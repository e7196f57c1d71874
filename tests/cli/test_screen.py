"""Progress: one line that is redrawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest
from watchtree.cli import screen as screen_module
from watchtree.cli.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(screen_module, "time", clock)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return clock


def test_elsewhere_there_is_a_line_a_second_without_control_characters(clock: Clock) -> None:
    out = io.StringIO()
    screen = Screen(out)
    for tenth in range(25):
        clock.now = tenth / 10
        screen.progress(0.5, f"tenth {tenth}".format)
    assert out.getvalue() == "tenth 10\ntenth 20\n"


def test_on_a_terminal_a_bar_is_redrawn_in_place(clock: Clock) -> None:
    out = Terminal()
    screen = Screen(out)
    clock.now = 1.0
    screen.progress(0.5, lambda: "a longer text")
    clock.now = 2.0
    screen.progress(1.5, lambda: "short")
    screen.line("the end")
    lines = out.getvalue().split("\r")
    assert lines[1] == "[############------------] a longer text"
    assert lines[2].rstrip() == "[########################] short"
    assert len(lines[2]) == len(lines[1])
    assert lines[-1] == "the end\n"


def test_a_narrow_terminal_cuts_the_line_so_that_it_can_be_redrawn(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    out = Terminal()
    screen = Screen(out)
    clock.now = 1.0
    screen.progress(None, lambda: "x" * 100)
    assert out.getvalue() == "\r" + "x" * 19


def test_a_dumb_terminal_gets_plain_lines(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    screen = Screen(out)
    clock.now = 1.0
    screen.progress(0.5, lambda: "text")
    assert out.getvalue() == "text\n"


def test_what_the_output_may_not_be_able_to_show_is_escaped() -> None:
    out = io.StringIO()
    Screen(out).line("caf\udce9 \u2713")
    assert out.getvalue() == "caf\\udce9 \\u2713\n"


def test_a_table_is_aligned() -> None:
    out = io.StringIO()
    Screen(out).table([("lost", "0", "must be 0"), ("delivered", "1,234", "")])
    assert out.getvalue() == "lost           0  must be 0\ndelivered  1,234\n"
