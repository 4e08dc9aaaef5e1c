"""The calls that this process holds.

A lease belongs to the process, not to a connection: a call goes on being placed
while its worker reconnects.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable


class LeaseBook:
    """Job ids held by this process, each with its lease token. Safe to share between threads."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tokens)

    def hold(self, job_id: str, token: str) -> None:
        """Notes a call that was just taken."""
        with self._lock:
            self._tokens[job_id] = token

    def exchange(self, job_id: str, taken: Iterable[tuple[str, str]]) -> None:
        """Forgets a call that is over for those that were taken with its end.

        At no moment do both count, nor neither.
        """
        with self._lock:
            self._tokens.pop(job_id, None)
            self._tokens.update(taken)

    def token(self, job_id: str) -> str | None:
        """The lease on a job, or ``None`` when this process does not hold it."""
        return self._tokens.get(job_id)

    def drop(self, job_id: str, token: str) -> bool:
        """Forgets a lease; false when that lease was not held (any more)."""
        with self._lock:
            if self._tokens.get(job_id) != token:
                return False
            del self._tokens[job_id]
            return True

    def held(self) -> list[tuple[str, str]]:
        """Job ids and lease tokens, as of now."""
        with self._lock:
            return list(self._tokens.items())
