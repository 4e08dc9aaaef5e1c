"""The last events, as webhooks and the live stream read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.webhooks.event import Event

#: For how long events are made after the last reader of the live stream, ms.
WANTED_MS = 24 * 3_600_000
#: How long a reader waits for the next event at a time, ms.
WAIT_MS = 1_000


class KeptEvents:
    """Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events after one, in order."""
        with translate_errors(writes=False):
            found: Any = self._store.client.xrange(
                keys.EVENTS, min=f"{sequence + 1}-0", count=limit
            )
        return [_event(name, fields) for name, fields in found]

    def wait(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return the same; wait a moment where there is none."""
        streams: Any = {keys.EVENTS: f"{sequence}-0"}
        with translate_errors(writes=False):
            found: Any = self._store.client.xread(streams, count=limit, block=WAIT_MS)
        return [_event(name, fields) for _, events in found or () for name, fields in events]

    def one(self, sequence: int) -> Event | None:
        """Return an event; ``None`` if it is not kept any more."""
        found = self.after(sequence - 1, 1)
        return found[0] if found and found[0].sequence == sequence else None

    def last(self) -> int:
        """Return the number of the last event."""
        return int(self._store.ask("GET", keys.EVENTS_LAST) or 0)

    def erasures(self) -> int:
        """Return how often events of a forgotten person were removed."""
        return int(self._store.ask("GET", keys.EVENTS_ERASURES) or 0)

    def first(self) -> int | None:
        """Return the number of the oldest event that is kept; ``None`` without any."""
        found = self.after(0, 1)
        return found[0].sequence if found else None

    def want(self) -> int:
        """Have events made for the live stream; return the number of the last one."""
        return int(self._store.write("event_follow", [keys.EVENTS_WANTED], WANTED_MS)[0])

    def since(self, at_ms: int) -> int:
        """Return the number of the first event that is not older; of the next one without any."""
        low, high = self.first() or self.last() + 1, self.last() + 1
        while low < high:
            middle = (low + high) // 2
            found = self.after(middle - 1, 1)
            if found and found[0].at_ms < at_ms:
                low = found[0].sequence + 1
            else:
                high = middle
        return low


def _event(name: str, fields: Mapping[str, str]) -> Event:
    return Event(
        sequence=int(name.partition("-")[0]),
        type=fields["t"],
        at_ms=int(fields["a"]),
        call=fields["c"],
        campaign=fields.get("g", ""),
        data=fields["d"],
        words=fields["p"],
    )
