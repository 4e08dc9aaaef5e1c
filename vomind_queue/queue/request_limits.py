"""How many requests each client made, over all web processes together."""

from __future__ import annotations

import hashlib

from vomind_queue.calls.limits import Rate
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore


class RequestLimiter:
    """Counts requests in a rolling window, as starts of calls are counted."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def admit(self, client: str, rate: Rate) -> int:
        """Count a request. Return the ms until the next one is allowed, 0 when this one is.

        A request that is refused does not count. Raise StoreUnavailable.
        """
        digest = hashlib.sha256(client.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        key = keys.REQUEST_LIMIT + digest
        return int(self._store.write("limit_requests", [key], rate.max_starts, rate.window_ms)[0])
