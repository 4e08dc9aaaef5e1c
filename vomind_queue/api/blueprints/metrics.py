"""``GET /metrics`` for Prometheus.

Redis scripts keep the counts and ages of calls, so every web process returns the same ones, and
they outlive all processes. They contain no phone number, message, id or key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files

import yaml
from flask import Blueprint, Flask, Response, current_app
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from vomind_queue.api.http_metrics import HttpMetrics
from vomind_queue.api.middleware import services
from vomind_queue.calls.attempts import Kind
from vomind_queue.calls.call import State
from vomind_queue.calls.campaign import NOT_ENDED
from vomind_queue.observability.last_hour import longest_ms
from vomind_queue.observability.overview_reasons import (
    SYSTEM,
    answers,
    workers_with_other_rules,
    workers_with_wrong_key,
)
from vomind_queue.observability.queue_metrics import Distribution, QueueMetrics
from vomind_queue.observability.queue_stats import Report, Stats
from vomind_queue.observability.webhook_stats import WebhookStats
from vomind_queue.rules.law import HOLDING

routes = Blueprint("metrics", __name__)
_HTTP = "vomind-http-metrics"
#: Upper ends of the buckets are powers of two, ms: from 1 ms to 4.7 hours.
_OCTAVES = range(25)


def install(app: Flask, http: HttpMetrics) -> None:
    """Add GET /metrics; ``http`` holds the application's own request metrics."""
    app.extensions[_HTTP] = http
    app.register_blueprint(routes)


@routes.get("/metrics")
def show() -> Response:
    """Return all metrics as text. Raise StoreUnavailable: none are better than old ones."""
    http: HttpMetrics = current_app.extensions[_HTTP]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Collector(
            services().queue.stats(),
            services().metrics_reader.read(),
            services().report,
            services().control.webhooks(),
            lacks_rules=services().rules.missing,
        )
    )
    text = generate_latest(registry) + generate_latest(http.registry())
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Collector:
    """Present what was read as the library's metric families."""

    def __init__(
        self,
        stats: Stats,
        metrics: QueueMetrics,
        report: Report,
        webhooks: WebhookStats,
        *,
        lacks_rules: bool,
    ) -> None:
        """``report``, ``lacks_rules``: as `reasons` takes them."""
        self._report = report
        self._lacks_rules = lacks_rules
        self._stats = stats
        self._metrics = metrics
        self._webhooks = webhooks

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; the registry calls this."""
        stats, metrics = self._stats, self._metrics
        held = {str(kind): stats.held.get(kind, 0) for kind in HOLDING}
        campaigns = {str(state): metrics.campaigns.get(state, 0) for state in NOT_ENDED}
        waiting = {str(priority): count for priority, count in stats.by_priority.items()}
        calls = {str(state): getattr(stats, state) for state in State}
        failures = {str(kind): metrics.failures.get(kind, 0) for kind in Kind}
        for name, label, counts in (
            ("vomind_calls", "state", calls),
            ("vomind_waiting_calls", "priority", waiting),
            ("vomind_held_calls", "by", held),
            ("vomind_campaigns", "state", campaigns),
            ("vomind_webhooks", "state", self._webhooks.by_state),
        ):
            yield _filled(GaugeMetricFamily(name, _texts()[name], labels=[label]), counts)
        rules = {
            "vomind_rules_missing": self._lacks_rules,
            "vomind_workers_with_other_rules": workers_with_other_rules(stats, self._report),
            "vomind_workers_with_wrong_key": workers_with_wrong_key(stats),
            "vomind_do_not_call_list_missing": stats.lacks_list,
            "vomind_notifiers": self._webhooks.notifiers,
            "vomind_webhook_lag_seconds": self._webhooks.lag_ms / 1000,
        }
        for name, value in {**_of_queue(stats), **_of_metrics(metrics), **rules}.items():
            yield GaugeMetricFamily(name, _texts()[name], value=value)
        kinds: Sequence[tuple[str, str, Mapping[str, int]]] = (
            ("vomind_call_events", "event", metrics.events),
            ("vomind_call_outcomes", "outcome", metrics.outcomes),
            ("vomind_attempt_failures", "kind", failures),
            ("vomind_outbox_lost", "part", stats.outbox.lost),
            ("vomind_webhook_deliveries", "result", self._webhooks.by_result),
        )
        for name, label, found in kinds:
            family = CounterMetricFamily(name, _texts()[name], labels=[label])
            yield _filled(family, dict(sorted(found.items())))
        for name, count in {
            "vomind_starts": sum(metrics.waited.counts.values()),
            "vomind_unknown_outcomes": metrics.events.get("in_doubt", 0),
            "vomind_leases_lost": metrics.leases_lost,
            "vomind_orphaned_calls": stats.orphaned_calls,
            "vomind_events_lost": self._webhooks.lost,
            "vomind_events_undelivered": self._webhooks.undelivered,
            "vomind_do_not_call_calls": metrics.failures.get("do-not-call", 0),
        }.items():
            yield CounterMetricFamily(name, _texts()[name], value=count)
        yield _histogram("vomind_wait_seconds", metrics.waited)
        yield _histogram("vomind_lateness_seconds", metrics.late)


def _of_queue(stats: Stats) -> Mapping[str, float]:
    pause, use, outbox, memory = stats.pause, stats.rate_use, stats.outbox, stats.memory
    return {
        "vomind_unresolved_attempts": stats.unknown_outcomes,
        "vomind_unanswered": not answers(stats),
        "vomind_unanswered_attempts": stats.unanswered.attempts,
        "vomind_unanswered_since_timestamp_seconds": (stats.unanswered.since_ms or 0) / 1000,
        "vomind_reconciled_by_timestamp_seconds": _reconciled_by_s(stats),
        "vomind_on_the_line": sum(asdict(stats.on_the_line).values()),
        "vomind_workers": stats.workers,
        "vomind_paused": pause is not None,
        "vomind_paused_by_system": pause is not None and pause.by == SYSTEM,
        "vomind_circuit_open": stats.circuit_open_until_ms is not None,
        "vomind_limit_starts": use.rate.max_starts if use else 0,
        "vomind_limit_used": use.used if use else 0,
        "vomind_recurring_calls": stats.recurring,
        "vomind_outbox_entries": outbox.pending,
        "vomind_outbox_age_seconds": outbox.behind_ms / 1000,
        "vomind_shipper_active": outbox.shipper_active,
        "vomind_outbox_dead_letters": outbox.dead,
        "vomind_redis_memory_used_bytes": memory.used,
        "vomind_redis_memory_max_bytes": memory.limit,
        "vomind_redis_memory_ratio": memory.share,
    }


def _reconciled_by_s(stats: Stats) -> float:
    return (stats.unanswered.reconciled_by_ms or 0) / 1000 if stats.unknown_outcomes else 0


def _of_metrics(metrics: QueueMetrics) -> Mapping[str, float]:
    found = {
        "vomind_oldest_waiting_seconds": metrics.oldest_waiting_ms / 1000,
        "vomind_delayed_overdue_seconds": metrics.overdue_ms / 1000,
        "vomind_oldest_unresolved_seconds": metrics.oldest_unresolved_ms / 1000,
        "vomind_recurring_overdue_seconds": metrics.recurring_overdue_ms / 1000,
        "vomind_polled_calls": metrics.polled,
        "vomind_do_not_call_numbers": metrics.listed_numbers,
        "vomind_scheduler_active": metrics.scheduler_active,
    }
    if metrics.scheduler_seen_ms is not None:
        found["vomind_scheduler_seen_seconds"] = metrics.scheduler_seen_ms / 1000
    return found


@cache
def _texts() -> Mapping[str, str]:
    """Return what each metric means."""
    text = (files("vomind_queue.api.blueprints") / "metrics.yaml").read_text("utf-8")
    found: Mapping[str, str] = yaml.safe_load(text)
    return found


def _filled(family: GaugeMetricFamily | CounterMetricFamily, counts: Mapping[str, int]) -> Metric:
    for word, count in counts.items():
        family.add_metric([word], count)
    return family


def _histogram(name: str, times: Distribution) -> Metric:
    buckets: list[tuple[str, float]] = []
    for octave in _OCTAVES:
        end_ms = 2**octave
        below = sum(count for half, count in times.counts.items() if longest_ms(half) <= end_ms)
        buckets.append((repr(end_ms / 1000), float(below)))
    buckets.append(("+Inf", float(sum(times.counts.values()))))
    sum_s = times.sum_ms / 1000
    return HistogramMetricFamily(name, _texts()[name], buckets=buckets, sum_value=sum_s)
