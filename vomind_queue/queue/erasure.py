"""Forgetting a person: every call to one number leaves Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vomind_queue.errors import JobNotFound, StoreUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.outbox import read_letter
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.recurring.schedule import PREFIX, ScheduleSearch

#: Recurring calls seen to at once.
SCHEDULES = 500
#: Scans in a row that must find nothing. Calls move forward, and back to be made again: one that
#: moves during a scan can be missed by it, but not by a scan in the other direction.
EMPTY_SCANS = 3


class Erasure:
    """Takes the calls to one number out of Redis."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._recurring_store = RecurringStore(store)

    def forget(self, number: str) -> tuple[Mapping[str, str], Sequence[str]]:
        """Return ids with the states they were in, and ids of calls being placed.

        The states include ``recurring``. Calls move meanwhile, so scans go on until none finds any.
        """
        removed = self._forget_recurring(number)
        active: set[str] = set()
        empty = 0
        while empty < EMPTY_SCANS:
            found, active = self._scan_all(number, backward=empty % 2 == 1)
            gone = self._scan(keys.OUTBOX_GONE, number, "gone")
            removed |= found
            empty = 0 if found or gone else empty + 1
        self._forget_dead(number)
        return removed, sorted(active)

    def _scan_all(self, number: str, *, backward: bool) -> tuple[dict[str, str], set[str]]:
        """Remove calls; return their states by id, and ids of those being placed."""
        waiting = [f"{keys.WAITING}{rank}" for rank in (1, 2, 3)]
        places = [keys.DELAYED, *waiting, keys.ACTIVE, keys.COMPLETED, keys.FAILED]
        found: dict[str, str] = {}
        active: set[str] = set()
        for place in reversed(places) if backward else places:
            if place == keys.ACTIVE:
                active |= self._scan(place, number, "active").keys()
            else:
                found |= self._scan(place, number, "job")
        return found, active

    def _forget_recurring(self, number: str) -> dict[str, str]:
        self._index_all()
        removed: dict[str, str] = {}
        # Found by number, not by rank: a tick that fires meanwhile hides no recurring call.
        while found := self._remove_some(number):
            removed |= found
        # What entries that were deleted by RedBeat's means left there.
        with translate_errors(writes=True):
            prefix = f"n{number} "
            client = self._store.client
            client.zremrangebylex(keys.RECURRING_INDEX, f"[{prefix}", f"({prefix}{{")
        return removed

    def _index_all(self) -> None:
        """Bring recurring calls that an older version stored into the index."""
        cursor, _ = self._recurring_store.sweep("0", SCHEDULES)
        # The second number is where the index itself is gone through.
        while not cursor.startswith("0 "):
            cursor, _ = self._recurring_store.sweep(cursor, SCHEDULES)

    def _remove_some(self, number: str) -> dict[str, str]:
        removed: dict[str, str] = {}
        views = self._recurring_store.find(ScheduleSearch(number=number), 0, SCHEDULES - 1).views
        for each in views:
            removed |= self._remove(each if isinstance(each, str) else each.schedule.id)
        return removed

    def _remove(self, schedule_id: str) -> dict[str, str]:
        try:
            cancelled = self._recurring_store.remove(schedule_id).cancelled
        except JobNotFound:
            # Somebody else removed it meanwhile.
            return {}
        return {**dict.fromkeys(cancelled, "waiting"), PREFIX + schedule_id: "recurring"}

    def _scan(self, name: str, number: str, what: str) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = "0"
        while True:
            deadline = self._store.deadline_ms()
            answer = self._store.write("forget", [name], deadline, cursor, number, what)
            if answer[0] == Code.LATE:
                raise StoreUnavailable("Redis was too slow; not all was taken out.")
            cursor = answer[2]
            found |= dict(zip(answer[3::3], answer[5::3], strict=True))
            if cursor == "0":
                return found

    def _forget_dead(self, number: str) -> None:
        with translate_errors(writes=True):
            client = self._store.client
            for name, text in client.hscan_iter(keys.OUTBOX_DEAD, count=500):
                if read_letter(text).line.to_number == number:
                    client.hdel(keys.OUTBOX_DEAD, name)
