"""While Redis does not answer, requests are refused at once.

Each would otherwise wait for its own time-out and keep a thread meanwhile, so that
the next ones wait for threads and nobody is answered within two seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from http import HTTPStatus

from flask import Flask, Response

from vomind_queue.api import shell
from vomind_queue.api.access import OPEN, PAGES
from vomind_queue.control import Control
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: A refusal that took longer was a time-out; those that come at once hold nobody up, s.
SLOW_S = 0.8
#: Endpoints that are answered from the call log alone.
WITHOUT_REDIS = frozenset({"history.find", "history.show"})
_UNAVAILABLE = int(HTTPStatus.SERVICE_UNAVAILABLE)
#: Between two looks whether Redis is back, s.
LOOK_S = 0.2


class Outage:
    """Knows whether Redis is away, from the first request that waited for it in vain."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._away = threading.Event()
        self._lock = threading.Lock()

    def install(self, app: Flask) -> None:
        """Goes before and behind every request of ``app``."""
        app.before_request(self._refuse)
        app.after_request(self._notice)

    def _refuse(self) -> None:
        shell.kept().began = time.monotonic()
        request = shell.asked()
        if not self._away.is_set() or request.blueprint in PAGES:
            return
        if request.endpoint not in OPEN | WITHOUT_REDIS:
            raise StoreUnavailable("Redis did not answer a moment ago.")

    def _notice(self, response: Response) -> Response:
        if (
            response.status_code == _UNAVAILABLE
            and not shell.notes().get("other_cause")
            and time.monotonic() - shell.notes().get("began", float("inf")) > SLOW_S
        ):
            self._watch()
        return response

    def _watch(self) -> None:
        with self._lock:
            if not self._away.is_set():
                self._away.set()
                threading.Thread(target=self._look_until_back, daemon=True).start()

    def _look_until_back(self) -> None:
        logger.warning("Redis does not answer: requests are refused")
        try:
            while not self._back():
                time.sleep(LOOK_S)
        finally:
            self._away.clear()
        logger.warning("Redis answers again")

    def _back(self) -> bool:
        try:
            self._control.ping()
        except StoreUnavailable:
            return False
        return True
