"""`watchtree fuzz`: finds nothing in a sound build, and shows what it found in one that is not."""

from __future__ import annotations

import pytest
from watchtree.cli import fuzz, main
from watchtree.testing.simulation import PROFILES, Violation, make_scenario
from watchtree.testing.simulation.checks import Checks


def test_it_runs_seeds_and_says_that_nothing_broke(capsys, tmp_path):
    status = main(["fuzz", "--seconds", "1", "--seed", "1", "--processes", "1", "--out", str(tmp_path)])
    out = capsys.readouterr().out
    assert status == 0
    assert "seeds from 1" in out
    assert "0  guarantees" in out
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_was_saved_is_run_again_with_its_journal(capsys, tmp_path):
    path, journal = tmp_path / "one", tmp_path / "journal"
    make_scenario(1, PROFILES["calm"]).save(path)
    assert main(["fuzz", "--replay", str(path), "--journal", str(journal)]) == 0
    assert "every guarantee held" in capsys.readouterr().out
    first = journal.read_bytes()
    assert main(["fuzz", "--replay", str(path), "--journal", str(journal)]) == 0
    assert journal.read_bytes() == first


def test_a_broken_guarantee_is_shown_cut_short_and_saved(capsys, tmp_path, monkeypatch):
    def told(self, subscriber, event):
        if event.key == "b":
            raise Violation("G2 no duplicate: planted")

    monkeypatch.setattr(Checks, "told", told)
    _, found = fuzz.run_seeds(range(100), "default")
    assert found is not None
    options = fuzz.argparse.Namespace(profile="default", out=tmp_path)
    assert fuzz._report(found, options, fuzz.Screen(fuzz.sys.stdout)) == 1
    out = capsys.readouterr().out
    (saved,) = tmp_path.iterdir()
    assert f"watchtree fuzz --replay {saved}" in out
    assert "planted" in out
    assert len(saved.read_text().splitlines()) <= 4
    assert main(["fuzz", "--replay", str(saved)]) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--seconds", "0"], ["--profile", "nope"], ["--processes", "0"], ["--out", "/no/such"], ["--replay", "/no/such"]],
)
def test_bad_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["fuzz", *arguments])
    assert exit_.value.code == 2
