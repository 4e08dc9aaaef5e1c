"""How many requests each client made, over all web processes together."""

from __future__ import annotations

import hashlib

from vomind_queue.calls import Rate
from vomind_queue.store import keys
from vomind_queue.store.connection import Gate


class FloodBook:
    """Counts requests in windows that begin with a client's first one."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def admit(self, client: str, rate: Rate) -> int:
        """Counts a request; ms until the next one is allowed, 0 when this one is.

        Raises StoreUnavailable.
        """
        digest = hashlib.sha256(client.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        key = keys.FLOOD + digest
        return int(self._gate.write("admit", [key], rate.max_starts, rate.window_ms)[0])
