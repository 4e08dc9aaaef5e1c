"""The list of calls where there is no call log: what the queue itself holds.

Its order is that of the queue, state by state: nothing there is in the order of acceptance. Filters
are judged record by record, so a page may hold fewer calls than were asked for, and yet another
one follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

from vomind_queue.call_log.models import CallRow, Search
from vomind_queue.calls.call import Priority, State
from vomind_queue.queue import call_record, keys
from vomind_queue.queue.call_queue import RECORDS
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.outbox import row_of

#: Records that one page reads at most.
READ = 2_000
#: Members that one command returns when all of a set are read.
SCANNED = 500
#: What a cursor begins with; a cursor of the call log begins with a time.
_CURSOR = "000000000000000-q:"


class QueueListing:
    """Reads the calls in the queue by filters. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def find(self, search: Search) -> tuple[Sequence[CallRow], str | None]:
        """Return the calls of one page, and the cursor of the next one."""
        sets = [name for state in _states(search) for name in self._sets_of(state)]
        at, offset = _place(search.after)
        found: list[CallRow] = []
        read = 0
        while at < len(sets) and read < READ:
            members = self._members(sets[at], offset)
            rows = self._rows(members)
            for taken, row in enumerate(rows, 1):
                if row is not None and search.wants(row):
                    found.append(row)
                if len(found) == search.limit:
                    return found, f"{_CURSOR}{at}:{offset + taken}"
            read += RECORDS
            at, offset = (at, offset + RECORDS) if len(members) == RECORDS else (at + 1, 0)
        return found, f"{_CURSOR}{at}:{offset}" if at < len(sets) else None

    def ids(self, search: Search) -> Iterator[str]:
        """Return the ids of all calls that match and stay where they are meanwhile, in no order."""
        for state in _states(search):
            for priority, name in zip(cycle(Priority), self._sets_of(state), strict=False):
                if state is State.WAITING and not _wanted(priority.value, search.priorities):
                    continue
                yield from self._ids_in(name, search)

    def _sets_of(self, state: State) -> Sequence[str]:
        campaigns = self._store.ask("ZRANGE", keys.OPEN_CAMPAIGNS, 0, -1)
        return keys.sets_of(state, campaigns)

    def _ids_in(self, name: str, search: Search) -> Iterator[str]:
        cursor = "0"
        while True:
            cursor, scored = self._store.ask("ZSCAN", name, cursor, "COUNT", SCANNED)
            members = [member for member, _ in scored]
            for offset in range(0, len(members), RECORDS):
                for row in self._rows(members[offset : offset + RECORDS]):
                    if row is not None and search.wants(row):
                        yield row.job_id
            if str(cursor) == "0":
                return

    def _members(self, name: str, offset: int) -> list[str]:
        newest = name in (keys.COMPLETED, keys.FAILED)
        command = "ZREVRANGE" if newest else "ZRANGE"
        found: list[str] = self._store.ask(command, name, offset, offset + RECORDS - 1)
        return found

    def _rows(self, members: Sequence[str]) -> list[CallRow | None]:
        if not members:
            return []
        ids = [member[1:] for member in members]
        records = self._store.read("records", [keys.job(ids[0])], *ids)
        pairs = [call_record.pairs(fields) for fields in records]
        return [
            row_of(job_id, fields, 0) if "at" in fields else None
            for job_id, fields in zip(ids, pairs, strict=True)
        ]


def _states(search: Search) -> list[State]:
    return [state for state in State if _wanted(state.value, search.states)]


def _wanted(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted


def _place(cursor: str | None) -> tuple[int, int]:
    """Return the set and the rank in it where a page begins."""
    at, _, offset = (cursor or "").removeprefix(_CURSOR).partition(":")
    return (int(at), int(offset)) if at.isdecimal() and offset.isdecimal() else (0, 0)
