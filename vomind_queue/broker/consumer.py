"""Celery's consumer, with the pace kept by the store and quick reconnects."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer as StockConsumer
from celery.worker.state import maybe_shutdown

from vomind_queue.broker import remote_commands
from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.names import CONTEXT_OPTION, PLACE_CALL
from vomind_queue.calls.limits import Rate
from vomind_queue.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: Between two tries to reach Redis, s. Celery's own wait grows to 30 s.
RECONNECT_S = 0.5
#: Between two signs of life for Flower and the like, s.
HEARTBEAT_S = 5.0
#: Celery's units of a rate, ms.
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


class SeenRate(str):
    """A rate that this worker has acted on; `control rate_limit` puts a plain one in its place."""

    __slots__ = ()


class Consumer(StockConsumer):
    """One for each worker process."""

    def __init__(self, *args: Any, worker_options: Any = None, **kwargs: Any) -> None:
        # Workers meet in Redis: they need no news of each other, and no second of mingling.
        quiet = {
            "without_mingle": True,
            "without_gossip": True,
            "heartbeat_interval": HEARTBEAT_S,
        }
        remote_commands.install()
        self._initialised = False
        self._configured: str | None = None
        super().__init__(*args, worker_options={**(worker_options or {}), **quiet}, **kwargs)
        task = self.app.tasks.get(PLACE_CALL)
        self._configured = task.rate_limit if task else None
        self._initialised = True

    def bucket_for_task(self, type: Any) -> Any:  # noqa: A002 - Celery's name
        """No bucket for calls: the store keeps their pace, for all workers together."""
        if type.name == PLACE_CALL:
            return None
        return super().bucket_for_task(type)

    def reset_rate_limits(self) -> None:
        """Called at the start, and after `control rate_limit` has changed any task."""
        super().reset_rate_limits()
        task = self.app.tasks.get(PLACE_CALL)
        if task is None or isinstance(task.rate_limit, SeenRate):
            # Another task's was changed: the rate of calls stays.
            return
        rate = SeenRate(task.rate_limit or "")
        if self._initialised:
            self._change_rate(rate)
        task.rate_limit = rate

    def _change_rate(self, rate: str) -> None:
        worker_queue = self._context.worker_queue
        if rate == self._configured:
            worker_queue.reset_rate()
        else:
            worker_queue.change_rate(parse_rate(rate))
        logger.warning("rate changed by an operator to %s", rate or "off")

    def cancel_active_requests(self) -> None:
        """Nothing: no thread can be ended. At a cold shutdown the pool gives its calls back."""

    def ensure_connected(self, conn: Any) -> Any:
        """Try until Redis is back and takes writes, twice a second."""
        failures = 0

        def failed(error: Exception, _: float = 0) -> None:
            nonlocal failures
            if not failures:
                logger.error("Redis cannot be reached, trying again: %s", error)
            failures += 1

        conn = conn.ensure_connection(
            failed,
            max_retries=None,
            interval_start=RECONNECT_S,
            interval_step=0,
            interval_max=RECONNECT_S,
            callback=maybe_shutdown,
        )
        while error := self._refusal():
            failed(error)
            time.sleep(RECONNECT_S)
            maybe_shutdown()
        if failures:
            logger.warning("Redis answers again, after %d tries", failures)
        self.first_connection_attempt = False
        return conn

    def _refusal(self) -> StoreUnavailable | None:
        # A replica lets itself be connected to; its first refusal would end the connection.
        try:
            self._context.queue.check_writable()
        except StoreUnavailable as error:
            return error
        return None

    @property
    def _context(self) -> WorkerContext:
        context: WorkerContext = self.app.conf.broker_transport_options[CONTEXT_OPTION]
        return context


def parse_rate(text: str | float | None) -> Rate | None:
    """Return Celery's form of a rate (``10/m``, ``0.5/s``, ``100/h``, ``5``) as a window."""
    if not text:
        return None
    number, _, unit = str(text).partition("/")
    starts, window_ms = float(number), _UNIT_MS[unit or "s"]
    if starts <= 0:
        return None
    if starts < 1 or starts != int(starts):
        # Less than one a unit, or a fraction: one start, in as many units as that takes.
        return Rate(max_starts=1, window_ms=round(window_ms / starts))
    return Rate(max_starts=int(starts), window_ms=window_ms)
