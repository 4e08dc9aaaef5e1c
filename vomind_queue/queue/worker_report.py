"""What a worker says of its settings, so that one that differs from the others is noticed."""

from __future__ import annotations

import time

from vomind_queue.observability.queue_stats import Report
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.rules.law import Mode

#: Time between two reports, s, and for how long one holds, ms.
EVERY_S, HOLDS_MS = 30.0, 180_000


class WorkerReport:
    """The report of one worker. Without rules and without a key there is nothing to report."""

    def __init__(self, store: RedisStore, name: str, report: Report) -> None:
        self._store = store
        self._key = keys.WORKER_REPORT + name
        self._text = "" if report == Report() else f"{report.rules} {report.key}"
        self._noted_s = float("-inf")

    def note(self) -> None:
        """Report again, if it is time. Raise StoreUnavailable."""
        if not self._text or time.monotonic() - self._noted_s < EVERY_S:
            return
        with translate_errors(writes=False):
            self._store.client.set(self._key, self._text, px=HOLDS_MS)
        self._noted_s = time.monotonic()


def read_report(text: str) -> Report:
    """Return what a worker reported; one that reports nothing has neither rules nor key."""
    rules, _, key = text.partition(" ")
    return Report(rules=rules or Mode.OFF.value, key=key)
