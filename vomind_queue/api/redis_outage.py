"""Refuse requests at once while Redis does not answer.

Otherwise each would hold a thread until its own time-out, and none would be
answered within two seconds.
"""

from __future__ import annotations

import logging
import threading
import time

from flask import Response, request

from vomind_queue.api import errors
from vomind_queue.api.middleware import ARRIVED
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue.call_queue import CallQueue

logger = logging.getLogger(__name__)

#: A refusal that took longer was a time-out, s.
SLOW_S = 0.8
#: Between two checks whether Redis is back, s.
CHECK_S = 0.2


class Outage:
    """Remember that Redis is unreachable, from the first request that timed out."""

    def __init__(self, queue: CallQueue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        #: Set while Redis is unreachable.
        self.away = threading.Event()

    def respond(self, error: StoreUnavailable) -> Response:
        """Return the answer to a request that ended in ``error``, and record an outage."""
        if time.perf_counter() - request.environ[ARRIVED] > SLOW_S:
            self._watch()
        return errors.respond(error)

    def _watch(self) -> None:
        with self._lock:
            if not self.away.is_set():
                self.away.set()
                threading.Thread(target=self._wait_until_back, daemon=True).start()

    def _wait_until_back(self) -> None:
        logger.warning("Redis unavailable, requests refused")
        try:
            while not self._back():
                time.sleep(CHECK_S)
        finally:
            self.away.clear()
        logger.warning("Redis available again")

    def _back(self) -> bool:
        try:
            self._queue.ping()
        except StoreUnavailable:
            return False
        return True
