"""Calls that rules hold: woken when the rules have changed."""

from __future__ import annotations

from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.rules.law import HOLDING

#: Calls that one script wakes: it must not hold the server for 5 ms.
BATCH = 250


class HeldCalls:
    """What a worker sees to as it starts, and when a closed day was opened again.

    It may have come with other rules.
    """

    def __init__(self, store: RedisStore, digest: str) -> None:
        """``digest`` of the rules that hold now."""
        self._store = store
        self._digest = digest
        #: Whether calls that other rules held may still wait.
        self.pending = True

    def wake(self) -> int:
        """Have some judged again; return how many. After the last, nothing is pending."""
        _, woken = self._store.write("wake_held", [keys.RULES], self._digest, BATCH, *HOLDING)
        self.pending = woken > 0
        return int(woken)
