"""``GET /metrics``: what Prometheus reads.

Counts and ages of calls are kept in Redis by its scripts: they are the same whichever web process
on whichever machine is asked, and outlive them all. No number, no message, no id and no key is in
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from vomind_queue.api.http_meters import HttpMeters
from vomind_queue.attempts import Kind
from vomind_queue.calls import State, Stats
from vomind_queue.memory import Memory
from vomind_queue.meters import Distribution, Meters
from vomind_queue.overview import longest_ms
from vomind_queue.services import Services

#: Upper ends of the buckets are powers of two, ms: from 1 ms to 4.7 hours.
_OCTAVES = range(25)


class MetricsRoutes:
    """GET /metrics."""

    def __init__(self, services: Services, http: HttpMeters) -> None:
        self._queue = services.queue
        self._meters = services.meters
        self._http = http

    def blueprint(self) -> Blueprint:
        """The route, at the root."""
        routes = Blueprint("metrics", __name__)
        routes.get("/metrics")(self.show)
        return routes

    def show(self) -> Response:
        """All of them as text. Raises StoreUnavailable: no numbers are better than old ones."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Read(self._queue.stats(), self._meters.read()))
        text = generate_latest(registry) + generate_latest(self._http.registry())
        return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Read:
    """What was read, in the library's own words."""

    def __init__(self, stats: Stats, meters: Meters) -> None:
        self._stats = stats
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        yield from _states(self._stats)
        yield from _starts(self._stats)
        yield from _events(self._meters)
        yield _histogram(
            "vomind_wait_seconds", "Time in the queue before a start.", self._meters.waited
        )
        yield _histogram(
            "vomind_lateness_seconds",
            "How late calls for a given time were first started.",
            self._meters.late,
        )
        yield from _ages(self._meters)
        yield from _schedules(self._stats, self._meters)
        yield from _outbox(self._stats)
        yield from _memory(self._stats.memory)


def _states(stats: Stats) -> Iterator[Metric]:
    calls = GaugeMetricFamily("vomind_calls", "Calls by state.", labels=["state"])
    for state in State:
        calls.add_metric([state], getattr(stats, state))
    yield calls
    waiting = GaugeMetricFamily(
        "vomind_waiting_calls", "Waiting calls by priority.", labels=["priority"]
    )
    for priority, count in stats.by_priority.items():
        waiting.add_metric([priority], count)
    yield waiting
    yield _gauge("vomind_in_doubt", "Attempts whose outcome is being looked for.", stats.in_doubt)


def _starts(stats: Stats) -> Iterator[Metric]:
    use = stats.rate_use
    yield _gauge("vomind_workers", "Workers that asked for calls in the last 30 s.", stats.workers)
    yield _gauge("vomind_paused", "1 while the queue is paused.", int(stats.pause is not None))
    yield _gauge(
        "vomind_paused_by_system",
        "1 while the queue is paused because Twilio refuses the account or a setting.",
        int(stats.pause is not None and stats.pause.by == "system"),
    )
    yield _gauge(
        "vomind_breaker_open",
        "1 while starts are held back because Twilio refuses call after call.",
        int(stats.breaker_until_ms is not None),
    )
    yield _gauge(
        "vomind_limit_starts",
        "Starts allowed in a window; 0 without a limit.",
        use.rate.max_starts if use else 0,
    )
    yield _gauge("vomind_limit_used", "Starts in the window.", use.used if use else 0)
    yield _counter(
        "vomind_stray_rings",
        "Rings at Twilio that no attempt accounted for, ended there.",
        stats.stray_rings,
    )


def _events(meters: Meters) -> Iterator[Metric]:
    yield _labelled(
        "vomind_call_events", "What happened to calls, by event.", "event", meters.events
    )
    yield _labelled(
        "vomind_call_outcomes", "How calls ended on the line.", "outcome", meters.outcomes
    )
    yield _labelled(
        "vomind_attempt_failures",
        "Attempts that Twilio did not take, by kind; doubt: it may have.",
        "kind",
        {str(kind): meters.failures.get(kind, 0) for kind in Kind},
    )
    yield _counter("vomind_starts", "Requests to Twilio.", sum(meters.waited.counts.values()))
    yield _counter(
        "vomind_unknown_outcomes",
        "Attempts whose outcome was in doubt.",
        meters.events.get("in_doubt", 0),
    )
    yield _counter(
        "vomind_leases_lost",
        "Calls taken back from workers that said nothing any more.",
        meters.leases_lost,
    )


def _ages(meters: Meters) -> Iterator[Metric]:
    for name, help_text, age_ms in (
        ("oldest_waiting", "Age of the first call in the queue.", meters.oldest_waiting_ms),
        ("delayed_overdue", "How long the first delayed call is overdue.", meters.overdue_ms),
        ("oldest_in_doubt", "Age of the oldest attempt in doubt.", meters.oldest_doubt_ms),
        ("tick_overdue", "How long the first recurring run is overdue.", meters.tick_overdue_ms),
    ):
        yield _gauge(f"vomind_{name}_seconds", help_text, age_ms / 1000)
    yield _gauge("vomind_followed_calls", "Calls on the line or to be priced.", meters.followed)


def _schedules(stats: Stats, meters: Meters) -> Iterator[Metric]:
    yield _gauge("vomind_schedules", "Recurring calls with a next run.", stats.recurring)
    yield _gauge("vomind_scheduler_leads", "1 while a scheduler leads.", meters.scheduler_leads)
    if meters.scheduler_seen_ms is not None:
        yield _gauge(
            "vomind_scheduler_seen_seconds",
            "Time since a scheduler had seen to all that was due.",
            meters.scheduler_seen_ms / 1000,
        )


def _outbox(stats: Stats) -> Iterator[Metric]:
    outbox = stats.outbox
    yield _gauge("vomind_outbox_entries", "Entries that wait for the call log.", outbox.pending)
    yield _gauge("vomind_outbox_age_seconds", "Age of the oldest of them.", outbox.behind_ms / 1000)
    yield _gauge("vomind_outbox_shipping", "1 while a shipper runs.", int(outbox.shipping))
    yield _gauge("vomind_outbox_dead_letters", "Lines that the log refused.", outbox.dead)
    yield _labelled("vomind_outbox_lost", "What the outbox had no room for.", "part", outbox.lost)


def _memory(memory: Memory) -> Iterator[Metric]:
    yield _gauge("vomind_redis_memory_used_bytes", "Memory that Redis uses.", memory.used)
    yield _gauge("vomind_redis_memory_max_bytes", "Its maxmemory; 0 for none.", memory.limit)
    yield _gauge("vomind_redis_memory_ratio", "Part of maxmemory in use.", memory.share)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _labelled(name: str, help_text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=[label])
    for word, count in sorted(counts.items()):
        family.add_metric([word], count)
    return family


def _histogram(name: str, help_text: str, times: Distribution) -> Metric:
    buckets: list[tuple[str, float]] = []
    for octave in _OCTAVES:
        end_ms = 2**octave
        below = sum(count for half, count in times.counts.items() if longest_ms(half) <= end_ms)
        buckets.append((repr(end_ms / 1000), float(below)))
    buckets.append(("+Inf", float(sum(times.counts.values()))))
    return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=times.sum_ms / 1000)
