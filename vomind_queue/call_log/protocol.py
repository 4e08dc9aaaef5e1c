"""What the product needs of a call log; everything may raise LogUnavailable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vomind_queue.call_log.models import Batch, CallEvent, CallRow, DeadLetter, Erased, Search


class CallLog(Protocol):
    """A log that takes the same lines twice without harm, and rows that come late without one."""

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Takes rows and events; answers those that it refuses for good."""
        ...

    def find(self, search: Search) -> Sequence[CallRow]:
        """Calls, the newest first."""
        ...

    def call(self, job_id: str) -> tuple[CallRow, Sequence[CallEvent]] | None:
        """The newest call with that id, and its events in order."""
        ...

    def erase(self, keys: Sequence[str]) -> Erased:
        """Takes out rows and their events."""
        ...

    def keys_of(self, number: str, limit: int) -> Sequence[str]:
        """Keys of up to ``limit`` calls to that number."""
        ...

    def expire(self, before_ms: int, limit: int, *, now_ms: int, anonymize: bool) -> int:
        """Erases calls that ended before a time, or blanks what is personal in them.

        Up to ``limit`` of them; answers how many there were.
        """
        ...
