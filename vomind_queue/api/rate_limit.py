"""Limit the rate of each client's requests, so that one cannot slow down the others."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, request

from vomind_queue.api import auth
from vomind_queue.api.errors import Refused
from vomind_queue.calls.limits import Rate
from vomind_queue.queue.request_limits import RequestLimiter

logger = logging.getLogger(__name__)


class RateLimit:
    """Count the requests of each key; without keys, of each address."""

    def __init__(self, limiter: RequestLimiter, rate: Rate | None) -> None:
        """Take the limit of one client; ``None`` for no limit."""
        self._limiter = limiter
        self._rate = rate

    def install(self, app: Flask) -> None:
        """Run before the requests of ``app``, after the check of keys."""
        if self._rate is not None:
            app.before_request(self._admit)

    def _admit(self) -> None:
        if self._rate is None or auth.is_free():
            return
        client = auth.scope() or f"address:{request.remote_addr}"
        wait_ms = self._limiter.admit(client, self._rate)
        if wait_ms:
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Must be at most {self._rate.max_starts} requests in "
                f"{self._rate.window_ms / 1000:g} seconds; try again later.",
                headers={"Retry-After": str(-(-wait_ms // 1000))},
            )
