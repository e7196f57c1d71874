"""`watchtree bench`: what it measures, prints, writes and compares. Its workloads are stood in for, but for the quickest."""

from __future__ import annotations

import errno
import io
import json
from types import SimpleNamespace

import pytest
from watchtree import _core
from watchtree.bench import callbacks, table
from watchtree.bench.callbacks.rig import Rig
from watchtree.bench.figure import Figure, figure_of, read_figures
from watchtree.bench.limits import BOUNDS, multiple
from watchtree.bench.rounds import measure, timed
from watchtree.cli import bench, main

PYTHON_WORKLOADS = dict(callbacks.WORKLOADS)
LOAD = Figure("limit_load", "loads", 10e6, "loads/s", None, 9e6, 11e6, 5)
CALL = Figure("limit_call", "calls", 500e6, "calls/s", None, 500e6, 500e6, 5)
SPREAD = Figure("spread", "many keys", 2e6, "notifications/s", None, 1.9e6, 2.1e6, 5)
MEMORY = Figure("memory", "shared", None, "bytes/watch", 39.4, 39.4, 39.4, 1)
LATENCY = Figure("latency_p50", "1 subscriber", 270.0, "ns", None, 260.0, 280.0, 5)
NATIVE = {"limits": [LOAD, CALL], "spread": [SPREAD], "memory": [MEMORY], "latency": [LATENCY], "scale": [SPREAD]}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Workloads that take no time."""

    def measure_native(name, rounds, tell):
        for figure in NATIVE[name]:
            tell(*figure)

    def one():
        """A stand-in."""
        while True:
            yield {"fanout": (1000, 0.5)}

    def call():
        """An empty Python call."""
        while True:
            yield {"limit_python_call": (1000, 0.1)}

    monkeypatch.setattr(bench, "python_call", call)
    core = SimpleNamespace(measure=measure_native, workloads=lambda: tuple(NATIVE), build_type="release")
    monkeypatch.setattr(bench, "_core", core)
    monkeypatch.setattr(callbacks, "WORKLOADS", {"fanout": timed(one)})


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_every_figure_of_the_native_end_is_a_line_of_json(capsys):
    assert main(["bench", "--json", "-", "spread", "memory"]) == 0
    figures = [Figure(**json.loads(line)) for line in lines(capsys)]
    python_call = figure_of("limit_python_call", "An empty Python call", "calls/s", [10_000.0] * 5)
    assert figures == [LOAD, CALL, python_call, SPREAD, MEMORY]


def test_what_was_measured_before_a_workload_fails_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(NATIVE, "memory", [("no", "figure")])
    path = tmp_path / "figures.json"
    with pytest.raises(TypeError):
        main(["bench", "--json", str(path), "spread", "memory"])
    assert list(read_figures(path))[-1] == SPREAD


def test_a_full_disk_is_said_in_one_line(capsys, monkeypatch, tmp_path):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "figures.json"
    monkeypatch.setattr(type(path), "open", lambda *_, **__: Full())
    assert main(["bench", "--json", str(path), "spread"]) == 1
    assert f"cannot write {path}: No space left on device" in capsys.readouterr().err


def test_a_line_of_another_program_may_say_more():
    line = json.dumps({**json.loads(SPREAD.to_json()), "warm_rounds": 2})
    assert Figure.from_json(line) == SPREAD


def test_a_line_has_the_keys_of_the_reference():
    keys = ["workload", "config", "rate", "unit", "bytes_per_watch", "min", "max", "rounds"]
    assert list(json.loads(SPREAD.to_json())) == keys


def test_the_table_shows_a_figure_as_a_multiple_of_what_bounds_it(capsys):
    main(["bench", "spread"])
    row = next(line for line in lines(capsys) if line.startswith("spread"))
    assert "2 M" in row
    assert "5.0 x limit_load" in row


def test_without_workloads_all_but_scale_are_run(capsys):
    main(["bench", "--json", "-"])
    assert [json.loads(line)["workload"] for line in lines(capsys)] == [
        "limit_load",
        "limit_call",
        "limit_python_call",
        "spread",
        "memory",
        "latency_p50",
    ]


def test_the_python_end_has_workloads_of_its_own(capsys):
    main(["bench", "--end", "python", "--json", "-", "--rounds", "3"])
    assert lines(capsys)[-1] == figure_of("fanout", "A stand-in", "notifications/s", [2000.0] * 3).to_json()


def test_figures_are_written_to_a_file_and_compared_with_a_later_run(tmp_path, capsys):
    old = tmp_path / "old.json"
    main(["bench", "--json", str(old), "spread"])
    assert SPREAD in list(read_figures(old))
    faster = SPREAD._replace(rate=4e6, min=3.9e6, max=4.1e6)
    NATIVE["spread"], before = [faster], NATIVE["spread"]
    try:
        assert main(["bench", "--compare", str(old), "spread"]) == 0
    finally:
        NATIVE["spread"] = before
    row = lines(capsys)[-2]
    assert row.split()[:1] == ["spread"]
    assert "2.00 x" in row


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (SPREAD._replace(rate=4e6, min=3.9e6, max=4.1e6), "2.00 x"),
        (SPREAD._replace(rate=1e6, min=0.9e6, max=1.1e6), "0.50 x"),
        (SPREAD._replace(rate=2.2e6, min=2e6, max=2.4e6), "(1.10 x)"),
        (SPREAD._replace(config="others"), "new"),
    ],
    ids=["better", "worse", "within the spread", "new"],
)
def test_a_figure_is_better_by_so_many_times(now, verdict):
    assert verdict in list(table.comparison([SPREAD], [now]))[1]


@pytest.mark.parametrize("figure", [MEMORY, LATENCY], ids=["bytes", "time"])
def test_of_bytes_and_times_fewer_are_better(figure):
    half = figure._replace(min=1, max=1, **{"rate": 135.0} if figure.rate else {"bytes_per_watch": 19.7})
    assert "2.00 x" in list(table.comparison([figure], [half]))[1]


def test_a_figure_that_is_gone_is_named():
    assert any("gone" in line for line in table.comparison([SPREAD], [MEMORY]))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nothing"], "the native end has no workload nothing"),
        (["--end", "python", "spread"], "the python end has no workload spread"),
        (["--rounds", "0"], "give 1 to 10000"),
        (["--rounds", "99999999999999999999"], "give 1 to 10000"),
        (["--compare", "missing.json"], "missing.json"),
        (["--json", "missing/figures.json"], "missing/figures.json"),
    ],
)
def test_a_wrong_word_is_refused_and_the_right_ones_are_named(words, complaint, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["bench", *words])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", '{"workload": "x"}', "[]"])
def test_a_file_that_is_no_benchmark_is_refused(text, tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(f"{SPREAD.to_json()}\n{text}")
    with pytest.raises(ValueError, match=r"line 2 of .*watchtree bench --json"):
        list(read_figures(path))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_234_567, "puts/s", "1.23 M"),
        (950, "puts/s", "950"),
        (39.44, "bytes/watch", "39.4 B"),
        (268, "ns", "268 ns"),
        (1_256_869, "ns", "1.26 ms"),
    ],
)
def test_numbers_are_short(value, unit, text):
    assert table.number(value, unit) == text


def test_what_was_not_measured_bounds_nothing():
    assert multiple("native", SPREAD, [CALL]) is None
    assert multiple("native", MEMORY, [LOAD]) is None


def test_a_time_is_so_many_times_that_of_its_limit():
    assert multiple("native", LATENCY, [LOAD]) == (pytest.approx(2.7), "limit_load")


def test_the_native_workloads_have_bounds_but_for_memory():
    free = {"limits", "memory", "latency"}
    assert {"latency_p50", "latency_p99", "latency_p99.9"} <= set(BOUNDS["native"]) & set(BOUNDS["python"])
    assert {name for name in _core.workloads() if name not in free} <= set(BOUNDS["native"])


def test_the_python_workloads_are_those_of_the_native_end_and_what_only_python_has():
    native = set(_core.workloads()) - {"limits"}
    assert set(PYTHON_WORKLOADS) - native == {"spread_batch", "python_read", "python_encode", "record"}
    assert native <= set(PYTHON_WORKLOADS)
    assert set(PYTHON_WORKLOADS) - {"memory", "latency", "record"} <= set(BOUNDS["python"])


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("python_read", ["python_read"]),
        ("latency", ["latency_p50", "latency_p99", "latency_p99.9"] * 2),
        ("directory", ["directory", "directory_put"]),
        ("record", ["record_puts_off", "record_puts_on", "record_fanout_off", "record_fanout_on"]),
    ],
)
def test_a_workload_of_the_python_end_measures_what_is_delivered(name, figures):
    measured = list(PYTHON_WORKLOADS[name](1))
    assert [figure.workload for figure in measured] == figures
    assert all(figure.number > 0 for figure in measured)


def test_a_rig_watches_every_key_once():
    rig = Rig()
    keys = [str(number) for number in range(30)]
    rig.put_all(keys)
    rig.watch_all(keys, 3)
    assert rig.notifications == 30
    assert [list(rig.dispatcher.watches(f"channel{c}")) for c in range(3)] == [
        sorted(keys[c * 10 : c * 10 + 10]) for c in range(3)
    ]


def test_the_native_end_runs_in_the_module():
    told = []
    _core.measure("latency", 1, lambda *figure: told.append(Figure(*figure)))
    assert [figure.workload for figure in told] == ["latency_p50", "latency_p99", "latency_p99.9"] * 2
    assert all(0 < figure.min <= figure.number <= figure.max for figure in told)


def test_what_the_callback_raises_ends_a_native_workload():
    def refuse(*figure):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        _core.measure("latency", 1, refuse)


@pytest.mark.parametrize(("name", "rounds"), [("nothing", 1), ("latency", 0)])
def test_the_module_refuses_what_it_cannot_run(name, rounds):
    with pytest.raises(ValueError, match=r"choose one of|give 1 or more"):
        _core.measure(name, rounds, print)


def test_a_workload_is_timed_after_a_warm_up():
    asked = []

    def counted():
        """Counted."""
        while True:
            asked.append(1)
            yield {"fanout": (len(asked), 1.0)}

    assert list(measure(counted, 3)) == [Figure("fanout", "Counted", 3, "notifications/s", None, 2, 4, 3)]
