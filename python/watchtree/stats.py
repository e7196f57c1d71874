"""What dispatchers, channels and subscribers count: for people, plots and monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Histogram:
    """Durations counted in buckets that double: bucket 0 is below 1 µs, bucket i is [2^(i-1), 2^i) µs, the last is open."""

    counts: tuple[int, ...]
    total: int
    """Number of durations counted."""

    def percentile(self, percent: float) -> float:
        """Seconds below which `percent` (0 to 100) of the durations lie, to the upper edge of a bucket; 0.0 if empty."""
        if not 0 <= percent <= 100:
            raise ValueError(f"percent is {percent}; give 0 to 100")
        wanted = self.total * percent / 100
        seen = 0
        for i, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return float((1 << i) * 1e-6)
        return 0.0


@dataclass(frozen=True)
class Counters:
    """What is counted for a dispatcher, over all epochs, and for each channel since it was made."""

    batches_sent: int
    """Batches built for the transport: tickets given out."""
    sent: int
    """Notifications in those batches."""
    acknowledged: int
    """Notifications answered OK, for a watch that was still the same registration."""
    resent: int
    """Notifications sent for a watch whose last sending, in the same registration, was not acknowledged."""
    coalesced: int
    """Changes that needed no notification of their own, counted for each watch.

    A change that found the holder queued already (once for each of its watches, and for the dispatcher alone, since a
    change does not visit the watchers); a due watch that phase 1 found ready or backing off; one that it found in flight
    a second time; one found in flight whose sending then failed.
    """
    batches_acknowledged: int
    """Batches answered with an acknowledgement, per-watch results of the right number, or the removal of all watches."""
    failures: Mapping[str, int]
    """Batches that failed, by the name of the `Failure`; every name is there. TIMEOUT counts overdue answers too."""
    watch_errors: int
    """Results other than OK and REMOVE_WATCH, for a watch that was still the same registration."""
    latency: Histogram
    """From the change that queued a key's holder to the acknowledgement of its notification, by the dispatcher's clock.

    First notifications of a registration are not counted. Resolution 4 µs; wraps at 73 minutes.
    """

    @property
    def success_rate(self) -> float:
        """Batches acknowledged out of those that ended by an answer or a failure, 0.0 to 1.0; 1.0 if none ended."""
        ended = self.batches_acknowledged + sum(self.failures.values())
        return self.batches_acknowledged / ended if ended else 1.0


@dataclass(frozen=True)
class DispatcherStats(Counters):
    """`Dispatcher.stats()`: the sizes of everything now, and the counters of all its channels together."""

    epoch: int
    channels: int
    watches: int
    holders: int
    """Watch holders, with those that stand for missing parts."""
    changed_holders: int
    """Holders in the queue of changed holders, and the one that a limit cut short."""
    ready_channels: int
    backing_off: int
    """Retries waiting: channels and single watches."""
    in_flight: int
    """Batches without an answer."""
    steps: int
    """Calls of `dispatch()`."""
    unfinished_steps: int
    """Those that returned False."""
    ignored_answers: int
    """Answers whose ticket named no batch in flight."""
    silent_channels: int
    """Channels closed by `channel_timeout`."""
    step_time: Histogram
    """Duration of a step without the transport, by the dispatcher's clock."""

    def _repr_html_(self) -> str:
        from watchtree.display import stats_html

        return stats_html(self)


@dataclass(frozen=True)
class ChannelStats(Counters):
    """`Dispatcher.channel(name)`: the state of one channel now, and its own counters."""

    name: str
    state: str
    """"idle", "ready", "in_flight" or "backing_off"."""
    watches: int
    ready_watches: int
    """Watches in the ready set."""
    backing_off: int
    """Retries waiting: the channel's and its watches'."""
    in_flight: int
    """Notifications in the batch without an answer, 0 if there is none."""
    ticket: int | None
    """The ticket of that batch."""
    failure_count: int
    """Failures in a row."""

    def _repr_html_(self) -> str:
        from watchtree.display import stats_html

        return stats_html(self)


@dataclass(frozen=True)
class SubscriberStats:
    """`Subscriber.stats()`: the sizes of everything now, and what was counted since it was made, over all its groups."""

    keys: int
    """Keys that the user follows."""
    waiting: int
    """Events that were not taken yet."""
    connected: int
    """Servers that it is connected to."""
    requests: int
    """Syncs and touches without an answer."""
    accepted: int
    """Notifications that were news."""
    dropped: int
    """Notifications whose index was not greater than the one it had."""
    refused: int
    """Notifications of keys that it does not follow, or from a server that it is not with."""
    coalesced: int
    """Events replaced by a newer one of their key before they were taken."""
    syncs: int
    """Syncs that were answered."""
    heartbeats: int
    """Touches that were answered."""
    forgotten: int
    """Those that found a server with another number of watches."""
    other_trees: int
    """Answers to a sync from a tree of another id than the one before."""
    failures: int
    """Times that a group gave up its server."""
    ignored_answers: int
    """Answers and news of connections that came late, again, or unasked for."""

    def _repr_html_(self) -> str:
        from watchtree.display import subscriber_html

        return subscriber_html(self)
