"""Looking at the queue and acting on it: what the API and the operators ask for."""

from __future__ import annotations

import logging
from typing import Protocol

from vomind_queue.calls import Cleaned, Job, Page, State, Stats

logger = logging.getLogger(__name__)


class Queue(Protocol):
    """What control needs of the queue."""

    def job(self, job_id: str) -> Job: ...
    def cancel(self, job_id: str) -> State: ...
    def retry(self, job_id: str) -> None: ...
    def stats(self) -> Stats: ...
    def page(self, state: State, start: int, end: int) -> Page: ...
    def clean(self, grace_ms: int, limit: int) -> Cleaned: ...
    def pause(self, by: str, reason: str | None = None) -> None: ...
    def resume(self) -> None: ...
    def ping(self) -> None: ...
    def check_writable(self) -> None: ...


class Control:
    """Answers questions and carries out orders. Everything may raise StoreUnavailable."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def job(self, job_id: str) -> Job:
        """Raises JobNotFound."""
        return self._queue.job(job_id)

    def cancel(self, job_id: str) -> State:
        """Takes a call out of the queue or out of history; answers the state it was in.

        Raises JobNotFound, and WrongState while the call is being placed.
        """
        was = self._queue.cancel(job_id)
        logger.info("call removed, was %s", was, extra={"job_id": job_id})
        return was

    def retry(self, job_id: str) -> None:
        """Gives a failed call a new set of attempts. Raises JobNotFound, WrongState."""
        self._queue.retry(job_id)
        logger.info("📞 ⏰ failed call queued again", extra={"job_id": job_id})

    def stats(self) -> Stats:
        """All numbers, read at one moment."""
        return self._queue.stats()

    def page(self, state: State, start: int, end: int) -> Page:
        """Jobs ``start`` to ``end``, both included, in the state's own order."""
        return self._queue.page(state, start, end)

    def clean(self, grace_ms: int, limit: int) -> Cleaned:
        """Removes up to ``limit`` calls that ended at least ``grace_ms`` ago, oldest first."""
        cleaned = self._queue.clean(grace_ms, limit)
        removed = len(cleaned.completed) + len(cleaned.failed)
        logger.info("history cleaned: %d calls removed", removed)
        return cleaned

    def pause(self, by: str, reason: str | None = None) -> None:
        """Once this returns no call starts, on any worker, until `resume`."""
        self._queue.pause(by, reason)
        logger.warning("queue paused by %s", by)

    def resume(self) -> None:
        """Calls start again."""
        self._queue.resume()
        logger.info("queue resumed")

    def ping(self) -> None:
        """Raises StoreUnavailable when the queue cannot be reached."""
        self._queue.ping()

    def check_writable(self) -> None:
        """Raises StoreUnavailable when the queue takes no calls now."""
        self._queue.check_writable()
