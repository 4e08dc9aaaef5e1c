"""What people did to the queue, newest first, the last ten thousand of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vomind_queue.calls.deed import Deed, DeedSearch
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore

#: Entries kept.
KEPT = 10_000
#: Entries read at once.
SLICE = 500


class Activity:
    """The list of deeds. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def note(
        self, by: str, act: str, *, subject: str | None = None, details: Mapping[str, Any]
    ) -> None:
        """Put a deed in front of the list."""
        text = json.dumps({"by": by, "act": act, "subject": subject, "details": dict(details)})
        self._store.write("note_activity", [keys.ACTIVITY], text, KEPT)

    def find(self, search: DeedSearch) -> Sequence[Deed]:
        """Return the deeds of a page, newest first."""
        found = []
        for deed in self._all():
            if search.since_ms is not None and deed.at_ms < search.since_ms:
                break
            if search.wants(deed):
                found.append(deed)
            if len(found) == search.limit:
                break
        return found

    def _all(self) -> Iterator[Deed]:
        for start in range(0, KEPT, SLICE):
            lines = self._store.ask("LRANGE", keys.ACTIVITY, start, start + SLICE - 1)
            yield from map(_deed, lines)
            if len(lines) < SLICE:
                return


def _deed(line: str) -> Deed:
    number, at_ms, text = line.split(" ", 2)
    return Deed(number=int(number), at_ms=int(at_ms), **json.loads(text))
