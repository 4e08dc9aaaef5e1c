"""The interface of a call log; every method may raise LogUnavailable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vomind_queue.call_log.models import Batch, CallEvent, CallRow, DeadLetter, Erased, Search
from vomind_queue.call_log.trends import Step, Window


class CallLog(Protocol):
    """A call log whose writes may be repeated, and may arrive late, without harm."""

    def write(self, batch: Batch) -> Sequence[DeadLetter]:
        """Take rows and events; return those that it refuses for good."""
        ...

    def is_there(self) -> bool:
        """Return whether there is a log; ask nobody."""
        ...

    def find(self, search: Search) -> Sequence[CallRow]:
        """Calls, the newest first."""
        ...

    def count(self, search: Search) -> int:
        """Return how many calls match, whatever the search says of pages."""
        ...

    def call(self, job_id: str) -> tuple[CallRow, Sequence[CallEvent]] | None:
        """Return the newest call with that id, and its events in order."""
        ...

    def events(self, keys: Sequence[str], kinds: Sequence[str]) -> Sequence[CallEvent]:
        """Return the events of some kinds that happened to some calls."""
        ...

    def trends(self, window: Window) -> Sequence[Step]:
        """Return what became of the calls of that time; steps without a call are left out."""
        ...

    def erase(self, keys: Sequence[str]) -> Erased:
        """Take out rows and their events."""
        ...

    def keys_of(self, number: str, limit: int) -> Sequence[str]:
        """Return keys of up to ``limit`` calls to that number."""
        ...

    def expire(self, before_ms: int, limit: int, *, now_ms: int, anonymize: bool) -> int:
        """Erase calls that ended before a time, or blank their personal fields.

        Up to ``limit`` calls; return how many there were.
        """
        ...
