"""`watchtree demo`: the whole command, on small directories, and what it answers when things went wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from watchtree.cli import main
from watchtree.cli.connections import Connections
from watchtree.cli.network import Network
from watchtree.cli.subscribers import Subscriber


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for package in ("json", "email/mime"):
        (tmp_path / package).mkdir(parents=True)
        for number in range(5):
            (tmp_path / package / f"module{number}.py").write_bytes(b"# %d" % number)
    return tmp_path


def demo(directory: Path, *options: str, seconds: str = "0.5", subscribers: str = "30") -> int:
    return main(
        ["demo", "--path", str(directory), "--seconds", seconds, "--subscribers", subscribers, "--seed", "7", *options]
    )


def figures(output: str) -> dict[str, str]:
    """The table: figure by name."""
    lines = [line.split("  ") for line in output.splitlines() if "  " in line]
    return {cells[0]: next(cell.strip() for cell in cells[1:] if cell) for cells in lines}


def test_nothing_is_lost_or_repeated_through_failures(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(directory, "--failures", "0.3") == 0
    output = capsys.readouterr().out
    table = figures(output)
    assert (table["lost"], table["duplicates"], table["errors"]) == ("0", "0", "0")
    assert int(table["delivered"].replace(",", "")) > 0
    assert int(table["resent"].replace(",", "")) > 0
    assert {"coalesced", "p50 latency", "p99 latency", "memory per watch"} <= table.keys()
    assert "seed 7" in output
    assert "nothing was lost and nothing repeated" in output


@pytest.mark.parametrize("failures", ["0", "1"])
def test_no_failures_and_nothing_but_failures_end_well_too(directory: Path, failures: str) -> None:
    assert demo(directory, "--failures", failures) == 0


def test_an_empty_directory_is_enough(tmp_path: Path) -> None:
    assert demo(tmp_path) == 0


def test_no_file_of_the_directory_is_changed(directory: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}

    before = contents()
    demo(directory)
    assert contents() == before


def test_a_loss_is_found_and_is_the_exit_status(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = Subscriber.receive

    def forgetful(self: Subscriber, notes: object) -> None:
        receive(self, [note for note in notes if note.key != self.keys[0]])  # type: ignore[attr-defined]

    monkeypatch.setattr(Subscriber, "receive", forgetful)
    assert demo(directory) == 1
    output = capsys.readouterr().out
    assert figures(output)["lost"] == "30"
    assert "lost: subscriber-0: " in output
    assert "lost: and 20 more" in output


def test_a_repetition_is_found_and_is_the_exit_status(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_all = Connections.connect_all

    def connect_all_and_ask_again(self: Connections) -> None:
        connect_all(self)
        for subscriber in self._subscribers:  # behind the back of the audit: as if acknowledgements were forgotten
            if subscriber.held:
                self._dispatcher.sync(subscriber.name, dict.fromkeys(subscriber.keys, 0))

    monkeypatch.setattr(Connections, "connect_all", connect_all_and_ask_again)
    assert demo(directory) == 1
    output = capsys.readouterr().out
    assert figures(output)["duplicates"] != "0"
    assert "duplicate: subscriber-" in output


def test_an_error_that_nobody_planned_is_found_too(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send, raised = Network.send, threading.Event()

    def broken(self: Network, batch: object) -> None:
        if not raised.is_set():
            raised.set()
            raise ZeroDivisionError("a bug")
        send(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Network, "send", broken)
    assert demo(directory) == 1
    assert "error: subscriber-" in capsys.readouterr().out


def test_without_a_path_it_is_the_standard_library(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(directory))
    assert main(["demo", "--seconds", "0.1", "--subscribers", "3"]) == 0
    assert str(directory) in capsys.readouterr().out


if sys.platform != "win32":

    def test_an_interrupt_ends_it_early_with_the_table(directory: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "watchtree", "demo", "--path", str(directory), "--seconds", "1000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "changes/s" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
        process.stdout.close()
        assert process.wait(60) == 0
        assert "nothing was lost and nothing repeated" in rest

    def test_a_reader_that_leaves_is_no_traceback(directory: Path) -> None:
        command = [sys.executable, "-m", "watchtree", "demo", "--path", str(directory), "--seconds", "0.1"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stderr.close()
        assert process.wait(60) == 141


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--path", "/no/such/directory"], "not a directory"),
        (["--subscribers", "0"], "less than 1"),
        (["--subscribers", "many"], "invalid"),
        (["--failures", "1.1"], "not between 0 and 1"),
        (["--failures", "nan"], "not between 0 and 1"),
        (["--seconds", "0"], "above 0"),
        (["--seconds", "inf"], "above 0"),
        (["--follow"], "--follow needs --path DIR"),
    ],
)
def test_a_wrong_option_is_refused_with_a_message(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["demo", *options])
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


def test_following_without_watchfiles_says_what_to_install(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert demo(directory, "--follow") == 2
    assert "pip install 'watchtree[follow]'" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    import watchtree

    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"{watchtree.__version__}\n"
