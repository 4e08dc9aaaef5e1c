"""Requests counted and timed, over all serving processes together.

The library keeps what each process counts in a file of that process; whichever of them is
asked adds them up. The parent makes the directory (`share`), and each serving process begins
to use it (`begin`) before it makes the application.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, values
from prometheus_client.multiprocess import MultiProcessCollector

from vomind_queue.api.shell import asked, kept, notes

logger = logging.getLogger(__name__)

#: The library's own name for the directory.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
#: Upper ends, s: a plain request takes one or two ms, a bulk of 10,000 some hundred, an outage 2 s.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
#: What stands for addresses that lead nowhere: their number has no end.
NOWHERE = "none"
#: How long an answer may not be counted yet, s.
WRITE_S = 0.25
#: How long is waited after a failure to write them, s …
RETRY_S = 5.0
#: … and how many are kept meanwhile.
_MOST_NOTED = 100_000
#: All others are counted as one.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


#: Route, method, status.
_Key = tuple[str, str, int]


@contextmanager
def share() -> Iterator[None]:
    """Gives the serving processes a directory for as long as the parent lives."""
    if os.environ.get(DIRECTORY):
        # The operator's own.
        yield
        return
    directory = tempfile.mkdtemp(prefix="vomind-http-")
    os.environ[DIRECTORY] = directory
    try:
        yield
    finally:
        del os.environ[DIRECTORY]
        shutil.rmtree(directory, ignore_errors=True)


def begin() -> None:
    """Lets this process count into the directory, where there is one."""
    if os.environ.get(DIRECTORY):
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


class _Sum:
    """Times of requests that are alike."""

    def __init__(self) -> None:
        self._seconds = 0.0
        #: How many lie in each bucket, that without an end included.
        self._counts = [0] * (len(BUCKETS) + 1)

    def add(self, seconds: float) -> None:
        """One more of them."""
        self._seconds += seconds
        self._counts[bisect_left(BUCKETS, seconds)] += 1

    def put_into(self, child: Histogram) -> None:
        """As so many calls of its own ``observe``."""
        child._sum.inc(self._seconds)  # noqa: SLF001
        for bucket, count in zip(child._buckets, self._counts, strict=True):  # noqa: SLF001
            if count:
                bucket.inc(count)


class HttpMeters:
    """Times the requests of one application."""

    def __init__(self) -> None:
        # When a series began is of no use to anybody, and a third more of them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._own = CollectorRegistry()
        self._seconds = Histogram(
            "vomind_http_request_duration_seconds",
            "Time until a request was answered, by route, method and status.",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=self._own,
        )
        #: Made once each: the library looks them up by text.
        self._children: dict[_Key, Histogram] = {}
        #: What was timed and is not in the histogram yet: writing there is a tenth of a request.
        self._noted: deque[tuple[_Key, float]] = deque(maxlen=_MOST_NOTED)
        #: What was noted and is not in it either, added up: it is written once for many.
        self._sums: dict[_Key, _Sum] = {}
        self._is_there = threading.Event()
        self._writing = threading.Lock()
        self._writer: threading.Thread | None = None

    def install(self, app: Flask) -> None:
        """Goes before everything else, so that refusals are counted, too."""
        app.before_request(self._start)
        app.after_request(self._stop)

    def registry(self) -> CollectorRegistry:
        """What is to be shown: of all processes where they share a directory."""
        self._write()
        directory = os.environ.get(DIRECTORY)
        if not directory:
            return self._own
        shared = CollectorRegistry()
        MultiProcessCollector(shared, path=directory)  # type: ignore[no-untyped-call]
        return shared

    def _start(self) -> None:
        kept().arrived = time.perf_counter()

    def _stop(self, response: Response) -> Response:
        began = notes().get("arrived")
        if began is not None:
            request = asked()
            rule = request.url_rule
            # Other words in a request line must not make series without end.
            method = request.method if request.method in _METHODS else "other"
            key = (NOWHERE if rule is None else rule.rule, method, response.status_code)
            self._noted.append((key, time.perf_counter() - began))
            if not self._is_there.is_set():
                self._is_there.set()
                self._follow()
        return response

    def _follow(self) -> None:
        """Starts the thread that writes down what is noted; there is none before a fork."""
        if self._writer is None or not self._writer.is_alive():
            self._writer = threading.Thread(target=self._write_on, name="meters", daemon=True)
            self._writer.start()

    def _write_on(self) -> None:
        while self._is_there.wait():
            time.sleep(WRITE_S)
            self._is_there.clear()
            try:
                self._write()
            except OSError as error:
                # No file or no room is left: what is noted stays for the next time.
                logger.warning("requests cannot be counted now", extra={"reason": str(error)})
                time.sleep(RETRY_S)
                self._is_there.set()

    def _write(self) -> None:
        with self._writing:
            for _ in range(len(self._noted)):
                key, seconds = self._noted.popleft()
                (self._sums.get(key) or self._sums.setdefault(key, _Sum())).add(seconds)
            while self._sums:
                key = next(iter(self._sums))
                child = self._children.get(key) or self._child(key)
                self._sums.pop(key).put_into(child)

    def _child(self, key: _Key) -> Histogram:
        route, method, status = key
        child = self._seconds.labels(route=route, method=method, status=str(status))
        self._children[key] = child
        return child
