"""Count and time requests over all serving processes.

This is prometheus_client's multiprocess mode. Where ``PROMETHEUS_MULTIPROC_DIR`` is set before
the library is imported, each process keeps its counts in files there. The process that serves
``/metrics`` adds them up, those of ended processes included.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

#: Upper ends, s: a plain request takes one or two ms, a bulk of 10,000 some hundred, an outage 2 s.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class HttpMetrics:
    """Durations of the requests to one application, and the count of wrong keys."""

    def __init__(self) -> None:
        # Creation times would add a third more series that nobody uses.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._own = CollectorRegistry()
        self.seconds = Histogram(
            "vomind_http_request_duration_seconds",
            "Time until a request was answered, by route, method and status.",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=self._own,
        )
        self.wrong_keys = Counter(
            "vomind_wrong_api_keys",
            "Requests that were refused for a wrong API key.",
            registry=self._own,
        )

    def registry(self) -> CollectorRegistry:
        """Return the registry to show: of all processes where they share a directory."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._own
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return shared
