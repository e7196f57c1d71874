"""The scripts that measure others beside watchtree."""

from __future__ import annotations

import json
import sys

import pytest
from watchtree.bench.figure import Figure
from watchtree.bench.peers import reference, signals
from watchtree.bench.rounds import measure, timed

FANOUT = Figure("fanout", "1 key", 5e6, "notifications/s", None, 4e6, 6e6, 5)
MEMORY = Figure("memory", "shared", None, "bytes/watch", 40.0, 40.0, 40.0, 1)


@pytest.mark.parametrize("name", signals.WORKLOADS)
def test_the_floor_delivers_to_every_receiver(name):
    called = []
    peer = signals.DictOfLists()
    connect = peer.connect
    peer.connect = lambda key, receiver: connect(key, lambda value: (called.append(key), receiver(value)))
    (figure,) = measure(signals.bound(signals.WORKLOADS[name], peer), 1)
    assert figure.workload == name
    assert figure.number > 0
    assert called


def test_signals_names_what_is_not_installed_and_measures_the_rest(capsys, monkeypatch):
    def missing():
        raise ImportError("no such thing")

    def quick():
        """A stand-in."""
        while True:
            yield {"coalesce": (10, 1.0)}

    monkeypatch.setattr(signals, "PEERS", {"absent": missing, "dict of lists": signals.DictOfLists})
    monkeypatch.setattr(signals.callbacks, "WORKLOADS", {"coalesce": timed(quick)})
    assert signals.main(["coalesce", "--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("coalesce: 1000 keys")
    assert any("absent" in line and "not installed" in line for line in lines)
    assert [line.split()[0] for line in lines[-2:]] == ["watchtree", "dict"]


def test_the_reference_stands_beside_the_core(tmp_path, capsys, monkeypatch):
    slower = FANOUT._replace(rate=1e6, min=1e6, max=1e6)
    larger = MEMORY._replace(bytes_per_watch=120.0)
    program = tmp_path / "reference"
    lines = "\n".join([slower.to_json(), larger.to_json()])
    program.write_text(f"#!{sys.executable}\nprint({lines!r})\n")
    program.chmod(0o755)
    monkeypatch.setenv("WATCHTREE_REFERENCE", str(program))
    monkeypatch.setattr(
        reference, "of_core", lambda workload, rounds: {"fanout": [FANOUT], "memory": [MEMORY]}[workload]
    )
    assert reference.main(["fanout", "memory"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert ["5.0 x" in rows[0], "3.0 x" in rows[1]] == [True, True]


def test_a_reference_that_is_not_named_is_asked_for(monkeypatch):
    monkeypatch.delenv("WATCHTREE_REFERENCE", raising=False)
    with pytest.raises(SystemExit, match="set WATCHTREE_REFERENCE"):
        reference.main([])


@pytest.mark.parametrize("script", [reference, signals])
@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["nothing"], "there is no workload nothing; choose from fanout"), (["--rounds", "0"], "give 1 or more")],
)
def test_the_scripts_refuse_what_they_cannot_measure(script, words, complaint, capsys):
    with pytest.raises(SystemExit) as ended:
        script.main(words)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_lines_of_the_reference_are_read_as_figures(tmp_path):
    program = tmp_path / "reference"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint('warming up')\nprint({FANOUT.to_json()!r})\n")
    program.chmod(0o755)
    assert list(reference.of_reference(str(program), "fanout")) == [FANOUT]
    assert json.loads(FANOUT.to_json())["workload"] == "fanout"
