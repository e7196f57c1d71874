"""What the pictures show, read from the data that is drawn."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from rig import Rig
from watchtree import Failure, Histogram, InvalidKey, Mkdir, Put, Remove, Result, UnknownChannel, WatchTreeError
from watchtree.trace import Event, Recorder, Trace

mpl.use("Agg")  # before pyplot chooses one

from matplotlib import pyplot
from watchtree import plot
from watchtree.plot import channels, fill, latencies, places, queues, states, style, windows

pytestmark = pytest.mark.pure

DRAWN_FROM_TRACES = [plot.timeline, plot.queue_lengths, plot.latency, plot.coalescing, plot.batch_fill]


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    yield
    pyplot.close("all")


class Recorded(Rig):
    """A rig that is recorded from its beginning, with a clock that stands at no round time."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.clock.advance(1234.5)
        self.recorder = Recorder(self.dispatcher)

    @property
    def trace(self) -> Trace:
        return self.recorder.trace()

    def states(self, channel: str) -> list[tuple[str, float, float]]:
        trace = self.trace
        return [
            (name, round(begin, 6), round(end, 6))
            for name, begin, end in states.channel_states(trace).of(trace.channels.index(channel))
        ]


@pytest.fixture
def rig() -> Recorded:
    return Recorded(answer_timeout=10.0, backoff=(1.0, 3.0))


def history(seed: int, calls: int) -> Iterator[Recorded]:
    """A rig after each call of a random history, with failures of every kind."""
    random = Random(seed)
    rig = Recorded(answer_timeout=2.0, channel_timeout=20.0, backoff=(0.5, 1.0), max_batch_bytes=60, max_batch_size=3)
    raises = [False]

    def during_send(_: object) -> None:
        if raises[0]:
            raises[0] = False
            raise ConnectionError

    rig.during_send = during_send
    names, keys = ["a", "b", "c", "d"], ["k", "d", "d.k", "d.l", "x.y"]

    def change() -> None:
        key = random.choice(keys)
        kind = random.randrange(4)
        if kind == 0:
            rig.tree.remove(key, recursive=True)
        elif kind == 1:
            rig.tree.batch([Put(key, b"", parents=True), Remove("k"), Mkdir("m")])
        else:
            rig.tree.put(key, b"v" * random.randrange(30), parents=random.random() < 0.9)

    def sync() -> None:
        known = {
            key: random.choice((0, 0, 0, -1, 1, rig.tree.index)) for key in random.sample(keys, random.randrange(4))
        }
        rig.dispatcher.sync(random.choice(names), known, random.random() < 0.15)

    def answer() -> None:
        batches = rig.unanswered() if random.random() < 0.8 else rig.batches[-6:]
        if not batches:
            return
        batch = random.choice(batches)
        kind = random.randrange(12)
        if kind < 6:
            batch.acknowledge()
        elif kind < 9:
            batch.acknowledge(
                [random.choice((Result.OK, Result.OK, Result.REMOVE_WATCH, Result.ERROR, Result.ERROR)) for _ in batch]
            )
        elif kind < 11:
            batch.fail(random.choice([*Failure, Failure.NETWORK, Failure.NETWORK]))
        elif random.random() < 0.5:
            batch.acknowledge([Result.ERROR] * (len(batch) + 1))
        else:
            batch.remove_all()

    def rare() -> None:
        kind = random.randrange(6)
        if kind == 0:
            rig.dispatcher.reset()
        elif kind == 1:
            rig.tree.restore(rig.tree.snapshot())
        elif kind == 2:
            raises[0] = True
        elif kind == 3:
            rig.clock.advance(25.0)
        else:
            rig.dispatcher.close(random.choice(names))

    acts = [change] * 6 + [sync] * 3 + [answer] * 6 + [rig.dispatcher.dispatch] * 6 + [rare]
    for _ in range(calls):
        rig.clock.advance(random.choice((0.0, 0.1, 0.1, 0.4)))
        with contextlib.suppress(WatchTreeError):
            random.choice(acts)()
        yield rig


# States.


def test_a_channel_waits_is_in_flight_and_is_idle(rig: Recorded) -> None:
    rig.put("k")
    rig.advance(1.0)
    rig.sync("alice", {"k": 0})
    rig.advance(0.5)
    batch = rig.send_one()
    rig.advance(0.25)
    batch.acknowledge()
    rig.advance(2.0)
    rig.put("k")
    assert rig.states("alice") == [("WAITING", 1.0, 1.5), ("IN_FLIGHT", 1.5, 1.75), ("IDLE", 1.75, 3.75)]


def test_a_channel_backs_off_after_each_failure(rig: Recorded) -> None:
    rig.sync("alice", {"k": 0})
    batch = rig.send_one()
    rig.advance(0.5)
    batch.fail(Failure.NETWORK)
    rig.advance(1.0)
    rig.send_one()
    rig.advance(10.0)
    rig.dispatch()
    rig.advance(3.0)
    rig.dispatch()
    assert rig.states("alice") == [
        ("IN_FLIGHT", 0.0, 0.5),
        ("BACKING_OFF", 0.5, 1.5),
        ("IN_FLIGHT", 1.5, 11.5),
        ("BACKING_OFF", 11.5, 14.5),
    ]


def test_a_closed_channel_has_no_state_until_it_comes_back(rig: Recorded) -> None:
    rig.sync("alice", {"k": rig.put("k")})
    rig.advance(1.0)
    rig.dispatcher.close("alice")
    rig.advance(1.0)
    rig.sync("alice", {"k": 0})
    rig.advance(1.0)
    rig.dispatch()
    assert rig.states("alice") == [("IDLE", 0.0, 1.0), ("WAITING", 2.0, 3.0)]


def test_the_next_part_of_a_cut_batch_leaves_the_channel_in_flight() -> None:
    rig = Recorded(max_batch_bytes=30)
    rig.sync("alice", {"k": 0, "l": 0})
    batch = rig.send_one()
    rig.advance(1.0)
    batch.acknowledge()
    rig.advance(1.0)
    rig.put("m")
    assert rig.states("alice") == [("IN_FLIGHT", 0.0, 2.0)]


def test_a_sync_that_only_stops_watching_makes_no_channel(rig: Recorded) -> None:
    rig.sync("alice", {"k": -1})
    rig.advance(1.0)
    rig.put("k")
    assert rig.states("alice") == []


def test_what_a_channel_was_before_the_recording_is_told_by_its_first_row(rig: Recorded) -> None:
    rig.put("k")
    rig.watch("alice", "k")
    rig.sync("bob", {"k": 0})
    batch = rig.send_one()
    rig.recorder.stop()
    rig.recorder = Recorder(rig.dispatcher)
    rig.put("k")
    rig.advance(1.0)
    rig.dispatch()
    rig.advance(1.0)
    batch.fail(Failure.NETWORK)
    rig.advance(1.0)
    rig.put("k")
    trace = rig.trace.cut(0.5)
    found = states.channel_states(trace)
    assert found.of(trace.channels.index("alice")) == [("IN_FLIGHT", 0.0, 2.0)]
    assert rig.states("alice") == [("IDLE", 0.0, 1.0), ("IN_FLIGHT", 1.0, 3.0)]


@pytest.mark.parametrize("seed", range(6))
def test_the_states_are_those_of_the_dispatcher_after_every_call(seed: int) -> None:
    """In a history with every call, failure and limit; each is looked at a moment later."""
    seen: list[tuple[float, dict[str, str | None]]] = []
    rig = None
    begin = None
    for rig in history(seed, 400):
        if begin is None:
            if not len(rig.trace):
                continue
            begin = rig.clock()
        now: dict[str, str | None] = {}
        for name in "abcd":
            try:
                now[name] = rig.dispatcher.channel(name).state
            except UnknownChannel:
                now[name] = None
        rig.clock.advance(0.001)
        seen.append(((rig.clock() - begin) / 1e9 - 0.0005, now))
    assert rig is not None
    rig.put("end")
    trace = rig.trace
    begin_of_trace = int(trace.columns()["time"][0])
    assert begin is not None
    shift = (begin - begin_of_trace) / 1e9
    intervals = states.channel_states(trace)
    words = {"WAITING": "ready", "IDLE": "idle", "IN_FLIGHT": "in_flight", "BACKING_OFF": "backing_off"}
    assert set(intervals.state) == set(states.ChannelState)
    for name in "abcd":
        rows = intervals.of(trace.channels.index(name))
        for at, now in seen:
            is_then = [words[state] for state, start, end in rows if start <= at + shift < end]
            assert is_then == [now[name]] * (now[name] is not None), (name, at + shift)


@pytest.mark.parametrize("seed", range(3))
def test_the_marks_are_as_many_as_the_dispatcher_counted(seed: int) -> None:
    *_, rig = history(seed, 1500)
    stats, trace = rig.dispatcher.stats(), rig.trace
    assert len(states.batches(trace)) == stats.batches_sent
    assert len(states.acknowledgements(trace)) == stats.batches_acknowledged
    failed = {name: len(marks) for name, marks in states.failures(trace).items()}
    assert failed.pop(states.WRONG_RESULTS, 0) == sum("results" in str(error).lower() for error, _ in rig.errors)
    # A result for a watch that was registered again does not count, and is not to be told from one that does.
    assert failed.pop(states.WATCH_ERROR) >= stats.watch_errors > 0
    assert failed == {name: count for name, count in stats.failures.items() if count}


# Timeline.


def bars(ax: Any) -> dict[str, list[tuple[float, float, float]]]:
    """By state: the row of each bar, its begin and its end."""
    found = {}
    for collection in ax.collections:
        corners = [path.vertices for path in collection.get_paths()]
        found[collection.get_label()] = [
            (round(float(each[:, 1].mean())) if len(each) == 4 else round(float(each[:4, 1].mean())),
             round(float(each[:, 0].min()), 6), round(float(each[:, 0].max()), 6))
            for each in corners
        ]  # fmt: skip
    return found


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.lines}


def test_the_timeline_has_a_bar_for_each_state_and_a_row_for_each_channel(rig: Recorded) -> None:
    for name in ("alice", "bob"):
        rig.sync(name, {"k": 0})
        rig.advance(1.0)
    rig.batches_by(rig.dispatch)[1].fail(Failure.NETWORK)
    rig.advance(1.0)
    rig.put("k")
    ax = plot.timeline(rig.trace)
    assert bars(ax) == {
        "waiting": [(0, 0.0, 2.0), (1, 1.0, 2.0)],
        "in flight": [(0, 2.0, 3.0)],
        "backing off": [(1, 2.0, 3.0)],
        "idle": [],
    }
    assert [text.get_text() for text in ax.get_yticklabels()] == ["alice", "bob"]


def test_the_timeline_marks_every_batch_acknowledgement_and_failure(rig: Recorded) -> None:
    rig.sync("alice", {"k": 0})
    rig.send_one().fail(Failure.NETWORK)
    rig.advance(1.0)
    rig.send_one()
    rig.advance(10.0)
    rig.dispatch()
    rig.advance(3.0)
    rig.send_one().acknowledge([Result.ERROR])
    rig.advance(1.0)
    rig.send_one().acknowledge()
    found = lines(plot.timeline(rig.trace))
    assert {name: list(np.round(line.get_xdata(), 6)) for name, line in found.items()} == {
        "batch": [0.0, 1.0, 14.0, 15.0],
        "acknowledged": [14.0, 15.0],
        "network": [0.0],
        "timeout": [11.0],
        "watch error": [14.0],
    }
    assert len({line.get_marker() for line in found.values()}) == len(found)


def test_an_answer_that_does_not_count_has_no_mark(rig: Recorded) -> None:
    rig.sync("alice", {"k": 0})
    batch = rig.send_one()
    batch.acknowledge()
    batch.acknowledge([Result.ERROR])
    batch.fail(Failure.NETWORK)
    found = lines(plot.timeline(rig.trace))
    assert set(found) == {"batch", "acknowledged"}
    assert len(found["acknowledged"].get_xdata()) == 1


def test_the_timeline_shows_the_channels_that_are_named_in_that_order(rig: Recorded) -> None:
    for name in ("alice", "bob", "carol"):
        rig.sync(name, {"k": 0})
    rig.advance(1.0)
    rig.dispatch()
    ax = plot.timeline(rig.trace, channels=["carol", "nobody", "alice"])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["carol", "nobody", "alice"]
    assert {row for row, _, _ in bars(ax)["waiting"]} == {0, 2}
    assert [text.get_text() for text in plot.timeline(rig.trace, channels="bob").get_yticklabels()] == ["bob"]
    few = plot.timeline(rig.trace, channels=["carol", "alice"], most=1)
    assert [text.get_text() for text in few.get_yticklabels()] == ["carol"]
    assert "1 more channel)" in few.get_xlabel()


def test_the_timeline_shows_the_busiest_channels_and_says_how_many_more(rig: Recorded) -> None:
    rig.put("k")
    rig.watch("busy", "k")
    for number in range(50):
        rig.sync(f"idle-{number}", {"k": 1})
    for _ in range(5):
        rig.put("k")
    rig.watch("last", "k", "l", "m", "n", "o")
    ax = plot.timeline(rig.trace, most=2)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["busy", "last"]
    assert "49 more channels" not in ax.get_xlabel()
    assert "50 more channels" in ax.get_xlabel()


def test_the_timeline_of_very_many_rows_has_few_bars(monkeypatch: pytest.MonkeyPatch, rig: Recorded) -> None:
    monkeypatch.setattr(channels, "MANY", 200)
    monkeypatch.setattr(channels, "STEPS", 50)
    monkeypatch.setattr(channels, "CLEAR", 10_000)
    rig.put("k")
    rig.sync("alice", {"k": 0})
    for _ in range(2000):
        batch = rig.send_one()
        rig.advance(0.001)
        batch.acknowledge()
        rig.advance(0.001)
        rig.put("k")
    ax = plot.timeline(rig.trace)
    for name, some in bars(ax).items():
        assert len(some) <= 51, name
    for name, line in lines(ax).items():
        assert 0 < len(line.get_xdata()) <= 51, name
    first, last = bars(ax)["idle"][0], bars(ax)["idle"][-1]
    assert (first[1], last[2]) == (pytest.approx(0.0, abs=0.1), pytest.approx(4.0, abs=0.1))


def test_very_many_batches_have_no_marks_that_cover_the_bars_but_failures_do(
    monkeypatch: pytest.MonkeyPatch, rig: Recorded
) -> None:
    monkeypatch.setattr(channels, "CLEAR", 3)
    for expected in ({"batch", "acknowledged", "network"}, {"network"}):
        rig.put("k")
        rig.sync("alice", {"k": 0})
        rig.send_one().fail(Failure.NETWORK)
        rig.advance(1.0)
        rig.send_one().acknowledge()
        assert set(lines(plot.timeline(rig.trace))) == expected


# Queues.


def test_the_queue_lengths_are_those_of_stats_after_every_call() -> None:
    names = ("changed_holders", "ready_channels", "in_flight", "backing_off")
    found: list[tuple[int, ...]] = []
    length = 0
    for rig in history(11, 300):
        calls = len(np.unique(rig.trace.columns()["call"]))
        stats = rig.dispatcher.stats()
        # Handing over is a call of its own: only the last value of several can be seen from here.
        found += [(-1,) * 4] * (calls - length - 1) + [tuple(getattr(stats, name) for name in names)] * (calls > length)
        length = calls
    drawn = lines(plot.queue_lengths(rig.trace))
    for position, name in enumerate(names):
        values = drawn[name.replace("_", " ")].get_ydata()
        assert len(values) == length
        assert [
            (value, each[position])
            for value, each in zip(values, found, strict=True)
            if each[0] >= 0 and value != each[position]
        ] == []
        assert max(values) > 0


def test_long_queues_are_thinned_and_keep_their_peaks(monkeypatch: pytest.MonkeyPatch, rig: Recorded) -> None:
    monkeypatch.setattr(queues, "MANY", 100)
    monkeypatch.setattr(queues, "STEPS", 20)
    rig.put("k")
    for number in range(7):
        rig.sync(f"channel-{number}", {"k": 0})
    for number in range(400):
        if number == 200:
            rig.settle()
        rig.put("other")
        rig.advance(0.01)
    ax = plot.queue_lengths(rig.trace)
    mean = lines(ax)["ready channels"].get_ydata()
    assert len(mean) == 20
    assert (mean[0], mean[-1]) == (pytest.approx(7.0), pytest.approx(0.0))
    area = next(
        each for each in ax.collections if tuple(each.get_facecolor()[0][:3]) == mpl.colors.to_rgb(style.IN_FLIGHT)
    )
    assert area.get_paths()[0].vertices[:, 1].max() == 7


@pytest.mark.parametrize("seed", range(3))
def test_a_thinned_line_has_the_same_mean_and_extremes(seed: int) -> None:
    random = np.random.default_rng(seed)
    time = np.sort(random.integers(0, 50, 300)) / 10
    length = random.integers(0, 100, 300)
    edges, mean, least, greatest = queues.thinned(time, length)
    assert (least.min(), greatest.max()) == (length.min(), length.max())
    assert np.all((least <= mean + 1e-6) & (mean <= greatest + 1e-6))
    assert (mean * np.diff(edges)).sum() == pytest.approx((length[:-1] * np.diff(time)).sum())


def test_a_peak_that_lasted_no_time_is_not_lost() -> None:
    time = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    for at in range(len(time)):
        length = np.zeros(len(time), dtype=np.int64)
        length[at] = 9
        assert queues.thinned(time, length)[3].max() == 9


# Latency.


def test_latency_is_from_the_change_to_the_acknowledgement(rig: Recorded) -> None:
    rig.watch("alice", "k", "l")
    rig.advance(5.0)
    rig.put("k")
    rig.advance(0.5)
    rig.put("k")
    rig.put("l")
    rig.advance(0.25)
    batch = rig.send_one()
    rig.advance(0.25)
    batch.acknowledge()
    assert sorted(latencies.latencies(rig.trace)) == pytest.approx([0.5, 0.5])


def test_a_sending_that_failed_counts_to_the_acknowledgement_of_the_next(rig: Recorded) -> None:
    rig.watch("alice", "k")
    rig.put("k")
    rig.send_one().fail(Failure.NETWORK)
    rig.advance(1.0)
    rig.send_one().acknowledge([Result.ERROR])
    rig.advance(1.0)
    rig.send_one().acknowledge()
    assert list(latencies.latencies(rig.trace)) == pytest.approx([2.0])


def test_a_change_older_than_the_watch_has_no_latency(rig: Recorded) -> None:
    index = rig.put("k")
    rig.advance(100.0)
    rig.watch("alice", "k")
    rig.put("k")
    rig.advance(1.0)
    rig.sync("bob", {"k": index})
    rig.settle()
    assert list(latencies.latencies(rig.trace)) == pytest.approx([1.0])


def test_a_change_of_a_batch_of_operations_and_one_below_a_directory_have_a_latency(rig: Recorded) -> None:
    rig.put("d.k")
    rig.watch("alice", "d", "x")
    rig.tree.batch([Put("d.k", b"1"), Put("x", b""), Put("no.parent", b"")])
    rig.advance(3.0)
    rig.settle()
    assert list(latencies.latencies(rig.trace)) == pytest.approx([3.0, 3.0])


def quantiles(ax: Any) -> dict[str, list[tuple[float, float]]]:
    """The marked points of each colour: the time, and the share that was slower."""
    return {
        mpl.colors.to_hex(line.get_color()): [(float(x), round(float(y), 6)) for x, y in line.get_xydata()]
        for line in ax.lines
        if line.get_marker() == "o"
    }


def test_the_quantiles_are_marked_at_their_values(rig: Recorded) -> None:
    """Ten subscribers that need 1 to 10 seconds."""
    rig.put("k")
    for number in range(10):
        rig.watch(f"channel-{number}", "k")
    rig.put("k")
    for batch in rig.batches_by(rig.dispatch):
        rig.advance(1.0)
        batch.acknowledge()
    ax = plot.latency(rig.trace)
    ((p50, p99, p999),) = quantiles(ax).values()
    assert (p50, p99, p999) == ((pytest.approx(5.0), 0.5), (pytest.approx(10.0), 0.01), (pytest.approx(10.0), 0.001))
    assert {text.get_text() for text in ax.texts} == {"p50 5 s", "p99 10 s", "p99.9 10 s"}
    assert ax.get_xscale() == "log"


def test_the_quantiles_of_a_histogram_are_its_own() -> None:
    counts = (0, 600, 300, 0, 95, 4, 1)
    histogram = Histogram(counts, sum(counts))
    ((p50, p99, p999),) = quantiles(plot.latency(histogram)).values()
    assert [p50[0], p99[0], p999[0]] == pytest.approx([histogram.percentile(percent) for percent in (50, 99, 99.9)])


def test_several_latencies_are_named_in_the_legend(rig: Recorded) -> None:
    rig.watch("alice", "k")
    rig.put("k")
    rig.advance(0.002)
    rig.settle()
    ax = plot.latency({"_trace": rig.trace, "stats": rig.dispatcher.stats().latency, "none": Histogram((0, 0), 0)})
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [text.split(":")[0].strip() for text in texts] == ["_trace", "stats"]
    assert "p50 2 ms" in texts[0]
    assert "p50 ≤ 2.05 ms" in texts[1]
    assert len(quantiles(ax)) == 2


# Coalescing.


def test_coalescing_compares_changes_that_needed_no_notification_with_notifications(rig: Recorded) -> None:
    rig.watch("alice", "k")
    rig.watch("bob", "k")
    rig.put("other")
    rig.advance(10.0)
    begin = rig.clock()
    for _ in range(4):
        rig.put("k")  # each of the last three finds the holder queued, with two watches
    rig.settle()
    assert rig.clock() == begin
    rig.advance(2.0)
    rig.put("k")
    rig.settle()
    rig.advance(2.0)
    rig.settle()
    (line,) = plot.coalescing(rig.trace, window=2.0).lines
    assert [tuple(point) for point in line.get_xydata()] == [(0.5, 0.0), (2.0, 6 / 8), (0.5, 0.0)]


def test_windows_count_what_the_trace_counts() -> None:
    *_, rig = history(3, 600)
    counted = windows.windows(rig.trace, 1e9)
    stats = rig.dispatcher.stats()
    assert list(counted.coalesced) == [stats.coalesced]
    assert list(counted.notifications) == [stats.sent]
    columns = rig.trace.columns()
    is_change = np.isin(columns["event"], [Event.PUT, Event.MKDIR, Event.REMOVE]) & (columns["outcome"] == 0)
    assert list(counted.changes) == [is_change.sum()]


@pytest.mark.parametrize("window", [0, -1.0, float("nan"), float("inf")])
def test_a_window_must_have_a_length(rig: Recorded, window: float) -> None:
    with pytest.raises(ValueError, match="window"):
        plot.coalescing(rig.trace, window=window)


# Fill.


def test_batches_are_as_full_as_their_bytes_and_cut_ones_are_counted() -> None:
    rig = Recorded(max_batch_bytes=100)
    rig.put("k", b"x" * 15)  # 24 + 1 + 15 = 40 bytes
    rig.put("l", b"x" * 35)
    rig.put("m", b"x" * 175)
    rig.watch("alice", "k", "l", "m")
    batches = fill.batch_fills(rig.trace)
    assert list(batches.share) == pytest.approx([1.0, 2.0])
    assert list(batches.cut) == [True, False]
    ax = plot.batch_fill(rig.trace)
    assert "2 batches" in (texts := [text.get_text() for text in ax.get_legend().get_texts()])
    assert "of them 1 cut" in texts


def test_steps_are_as_full_as_their_busiest_part() -> None:
    rig = Recorded(max_batch_size=4)
    for number in range(7):
        rig.sync(f"channel-{number}", {"k": 0})
    rig.dispatch()
    rig.dispatch()
    rig.dispatch()
    for batch in rig.unanswered():
        batch.acknowledge()
    steps = fill.step_fills(rig.trace)
    assert (list(steps.share), list(steps.cut)) == ([1.0, 0.75], [True, False])
    rig.put("k")  # seven watches to look at, of which the second step finds three
    rig.dispatch()
    rig.dispatch()
    steps = fill.step_fills(rig.trace)
    assert (list(steps.share), list(steps.cut)) == ([1.0, 0.75, 1.0, 0.75], [True, False, True, False])


def heights(ax: Any, label: str) -> list[float]:
    (container,) = [each for each in ax.containers if each.get_label() == label]
    return [round(float(bar.get_height()), 6) for bar in container]


def test_each_bar_has_its_share_of_all() -> None:
    rig = Recorded(max_batch_bytes=100)
    rig.put("k", b"")
    rig.watch("alice", "k")
    for size in (30, 75, 100, 500):
        rig.put("k", b"x" * (size - 25))
        rig.settle()
    ax = plot.batch_fill(rig.trace)
    #        0    10   20   30   40   50   60   70   80   90   above
    assert heights(ax, "batches") == [0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 0.2, 0.2]
    assert sum(heights(ax, "batches cut")) == 0.0
    assert heights(ax, "steps")[0] == 1.0


# Tree.


def boxes(ax: Any) -> dict[str, tuple[str, str, bool, tuple[float, float]]]:
    """By text: the line style and the colour of its edge, whether it is bold, and where it stands."""
    found = {}
    for text in ax.texts:
        patch = text.get_bbox_patch()
        edge = (patch.get_linestyle(), mpl.colors.to_hex(patch.get_edgecolor())) if patch is not None else ("", "")
        found[text.get_text()] = (*edge, text.get_weight() == "bold", text.get_position())
    return found


def test_the_tree_shows_where_watches_hang(rig: Recorded) -> None:
    rig.put("app.db")
    rig.put("app.plain")
    rig.watch("alice", "app.db", "app.gone.key", "app.db2")
    rig.watch("bob", "app.db")
    drawn = {text: look[:3] for text, look in boxes(plot.tree(rig.dispatcher)).items()}
    assert drawn == {
        "(root)": ("-", "#b0b0b0", True),
        "app": (":", style.IN_FLIGHT, True),
        "db ×2": ("-", style.IN_FLIGHT, False),
        "db2 ×1": ("--", style.BACKING_OFF, False),
        "gone": (":", style.BACKING_OFF, False),
        "key ×1": ("--", style.BACKING_OFF, False),
        "plain": ("-", "#b0b0b0", False),
    }


def test_keys_stand_below_their_siblings_and_beside_their_first_child(rig: Recorded) -> None:
    rig.put("b.x")
    rig.put("b.y.z")
    rig.put("a")
    rig.watch("alice", "c.d")
    drawn = {text: look[3] for text, look in boxes(plot.tree(rig.dispatcher)).items()}
    assert {text: y for text, (_, y) in drawn.items()} == {
        "(root)": 0, "a": 0, "b": 1, "x": 1, "y": 2, "z": 2, "c": 3, "d ×1": 3
    }  # fmt: skip
    assert drawn["(root)"][0] < drawn["a"][0] == drawn["b"][0] == drawn["c"][0] < drawn["x"][0] < drawn["z"][0]


def test_a_watched_key_keeps_its_place_when_it_goes_and_comes(rig: Recorded) -> None:
    rig.put("app.db")
    rig.put("app.zone")
    rig.watch("alice", "app.db")

    def where() -> dict[str, tuple[float, float]]:
        return {text: look[3] for text, look in boxes(plot.tree(rig.dispatcher)).items()}

    before = where()
    rig.tree.remove("app.db")
    assert where() == before
    rig.put("app.db")
    assert where() == before


def test_a_key_that_is_to_be_kept_keeps_its_place_unseen(rig: Recorded) -> None:
    rig.put("a.b")
    rig.put("z")
    before = boxes(plot.tree(rig.dispatcher, keep=["a.b"]))
    rig.tree.remove("a", recursive=True)
    after = boxes(plot.tree(rig.dispatcher, keep=["a.b"]))
    assert set(before) - set(after) == {"a", "b"}
    assert after["z"] == before["z"]
    assert boxes(plot.tree(rig.dispatcher))["z"] != before["z"]
    rig.watch("alice", "z")
    assert [each.key for each in places.places(rig.dispatcher, "", 3, ["a.b"]) if not each.more] == ["", "a", "a.b"]


def test_a_changed_holder_has_a_strong_edge(rig: Recorded) -> None:
    rig.put("k")
    rig.watch("alice", "k")
    rig.put("k")
    assert boxes(plot.tree(rig.dispatcher))["k ×1"][:2] == ("-", style.CHANGED)
    rig.settle()
    assert boxes(plot.tree(rig.dispatcher))["k ×1"][:2] == ("-", style.IN_FLIGHT)


def test_a_large_tree_is_bounded_and_shows_watched_keys_first(rig: Recorded) -> None:
    for number in range(300):
        rig.put(f"d{number % 3}.k{number:03}")
    rig.watch("alice", "d2.k299", "d2.missing")
    found = places.places(rig.dispatcher, "", 8)
    assert [each.key for each in found if not each.more] == [
        "", "d0", "d0.k000", "d0.k003", "d1", "d2", "d2.k299", "d2.missing"
    ]  # fmt: skip
    assert {each.key: each.more for each in found if each.more} == {"d0": 98, "d1": 100, "d2": 99}
    texts = boxes(plot.tree(rig.dispatcher, most=8))
    assert {"… 98 more", "… 100 more", "… 99 more"} <= set(texts)


def test_the_drawing_can_begin_at_any_key(rig: Recorded) -> None:
    rig.put("a.b.c")
    rig.put("ab")
    rig.watch("alice", "a.x.y")
    assert set(boxes(plot.tree(rig.dispatcher, root="a"))) == {"a", "b", "c", "x", "y ×1"}
    assert set(boxes(plot.tree(rig.dispatcher, root="a.x"))) == {"a.x", "y ×1"}
    assert set(boxes(plot.tree(rig.dispatcher, root="nothing"))) == set()
    with pytest.raises(InvalidKey):
        plot.tree(rig.dispatcher, root="a..b")


def test_a_very_deep_tree_is_drawn(rig: Recorded) -> None:
    rig.put(".".join(["d"] * 3000))
    assert len(places.places(rig.dispatcher, "", 5000)) == 3001


def test_each_place_knows_its_parent(rig: Recorded) -> None:
    for key in ("a.b.c", "a.d", "e"):
        rig.put(key)
    found = places.places(rig.dispatcher, "", 4)
    for each in found[1:]:
        parent = found[each.parent].key
        assert parent == (each.key if each.more else each.key.rpartition(".")[0])


# All of them.


@pytest.mark.parametrize("draw", DRAWN_FROM_TRACES)
def test_given_axes_are_drawn_on_and_answered(rig: Recorded, draw: Any) -> None:
    rig.watch("alice", "k")
    rig.put("k")
    rig.settle()
    ax = Figure().subplots()
    assert draw(rig.trace, ax=ax) is ax
    assert ax.has_data()
    assert pyplot.get_fignums() == []


def test_the_tree_is_drawn_on_given_axes(rig: Recorded) -> None:
    ax = Figure().subplots(1, 2)[1]
    assert plot.tree(rig.dispatcher, ax=ax) is ax
    assert ax.texts
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("draw", DRAWN_FROM_TRACES)
def test_without_axes_a_new_figure_is_made_and_can_be_saved(draw: Any, tmp_path: Any) -> None:
    *_, rig = history(4, 200)
    ax = draw(rig.trace)
    assert pyplot.get_fignums() == [ax.figure.number]
    ax.figure.savefig(tmp_path / "run.png")
    plot.tree(rig.dispatcher).figure.savefig(tmp_path / "tree.png")


@pytest.mark.parametrize("draw", DRAWN_FROM_TRACES)
def test_an_empty_trace_is_empty_axes_with_labels(rig: Recorded, draw: Any, tmp_path: Any) -> None:
    ax = draw(rig.trace)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert len(ax.texts) == 1
    ax.figure.savefig(tmp_path / "empty.png")


@pytest.mark.parametrize("draw", DRAWN_FROM_TRACES)
def test_a_part_of_a_trace_can_be_drawn(draw: Any) -> None:
    *_, rig = history(5, 300)
    trace = rig.trace
    for part in (trace.cut(5.0, 20.0), trace.cut(3.0, 3.0), trace.filter(channel="a"), trace.filter(key="k")):
        draw(part).figure.canvas.draw()


@pytest.mark.parametrize("draw", [*DRAWN_FROM_TRACES, plot.tree])
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(draw: Any) -> None:
    with pytest.raises(TypeError, match=r"give|no latencies"):
        draw([1, 2])
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("most", [0, -1])
def test_nothing_to_draw_at_most_is_refused(rig: Recorded, most: int) -> None:
    for draw, thing in ((plot.timeline, rig.trace), (plot.tree, rig.dispatcher)):
        with pytest.raises(ValueError, match="most"):
            draw(thing, most=most)  # type: ignore[operator]
        with pytest.raises(TypeError, match="most"):
            draw(thing, most=1.5)  # type: ignore[operator]


def test_axes_must_be_axes(rig: Recorded) -> None:
    with pytest.raises(TypeError, match="axes"):
        plot.timeline(rig.trace, ax=Figure())  # type: ignore[arg-type]


def test_names_are_written_as_they_are(rig: Recorded, tmp_path: Any) -> None:
    for name in ("$x$", "_hidden", "a\nb", "x" * 100, r"\$1$", r"$\frac$"):
        rig.sync(name, {"$k$": 0})
    ax = plot.timeline(rig.trace)
    assert [text.get_text() for text in ax.get_yticklabels()][2] == r"a\nb"
    assert max(len(text.get_text()) for text in ax.get_yticklabels()) <= 26
    ax.figure.savefig(tmp_path / "names.png")
    plot.tree(rig.dispatcher).figure.savefig(tmp_path / "tree.png")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.0, "2 s"),
        (0.9999, "1 s"),
        (0.25, "250 ms"),
        (47.44e-3, "47.4 ms"),
        (1.5e-6, "1.5 µs"),
        (2e-9, "2 ns"),
        (90, "90 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert style.duration(seconds) == text


def test_no_setting_of_matplotlib_is_changed() -> None:
    before = dict(mpl.rcParams)
    *_, rig = history(4, 100)
    for draw in DRAWN_FROM_TRACES:
        draw(rig.trace)
    plot.tree(rig.dispatcher)
    assert dict(mpl.rcParams) == before


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_watchtree_imports_neither_numpy_nor_matplotlib() -> None:
    code = "import sys, watchtree, watchtree.trace; print({'numpy', 'matplotlib'} & set(sys.modules))"
    assert run(code) == "set()\n"


def test_without_matplotlib_the_error_says_what_to_install() -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
try:
    import watchtree.plot
except ImportError as error:
    print(error)
"""
    assert "pip install 'watchtree[plot]'" in run(code)
