"""While Redis does not answer, requests are refused at once.

Each would otherwise wait for its own time-out and keep a thread meanwhile, so that
the next ones wait for threads and nobody is answered within two seconds.
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

#: A refusal that took longer was a time-out; those that come at once hold nobody up, s.
SLOW_S = 0.8
#: Between two looks whether Redis is back, s.
LOOK_S = 0.2


class Outage:
    """Knows whether Redis is away, from the first request that waited for it in vain."""

    def __init__(self, queue: CallQueue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        #: Set while Redis is away.
        self.away = threading.Event()

    def respond(self, error: StoreUnavailable) -> Response:
        """Return the answer to a request that ended in ``error``, and note what it means."""
        if time.perf_counter() - request.environ[ARRIVED] > SLOW_S:
            self._watch()
        return errors.respond(error)

    def _watch(self) -> None:
        with self._lock:
            if not self.away.is_set():
                self.away.set()
                threading.Thread(target=self._look_until_back, daemon=True).start()

    def _look_until_back(self) -> None:
        logger.warning("Redis does not answer: requests are refused")
        try:
            while not self._back():
                time.sleep(LOOK_S)
        finally:
            self.away.clear()
        logger.warning("Redis answers again")

    def _back(self) -> bool:
        try:
            self._queue.ping()
        except StoreUnavailable:
            return False
        return True
