"""When calls to a person started lately, for the caps."""

from __future__ import annotations

from collections.abc import Sequence

from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore


class PersonStarts:
    """Reads the starts that the dial marker's script noted. May raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def of(self, number: str) -> Sequence[int]:
        """Return the starts of calls to a number within 30 days, unix ms, the oldest first."""
        _, starts = self._store.read("person_starts", [keys.ACTIVE], number)
        return [int(start) for start in starts]
