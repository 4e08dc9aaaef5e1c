"""Forgetting a person: every call to one number leaves Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vomind_queue.errors import JobNotFound, StoreUnavailable
from vomind_queue.schedules import PREFIX
from vomind_queue.store import keys
from vomind_queue.store.codes import Code
from vomind_queue.store.connection import Gate, told
from vomind_queue.store.outbox import read_letter
from vomind_queue.store.timetable import Timetable

#: Recurring calls read at once.
SCHEDULES = 500


class People:
    """Takes the calls to one number out of Redis."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._timetable = Timetable(gate)

    def forget(self, number: str) -> tuple[Mapping[str, str], Sequence[str]]:
        """Ids with the states they were in, ``recurring`` among them; ids of calls being placed.

        Calls change their place meanwhile, so it is looked until a look finds nothing.
        """
        removed = self._forget_recurring(number)
        while True:
            # In the order in which calls go from one place to the next.
            found = self._scan(keys.DELAYED, number, "job")
            for rank in (1, 2, 3):
                found |= self._scan(f"{keys.WAITING}{rank}", number, "job")
            active = self._scan(keys.ACTIVE, number, "active")
            for finished in (keys.COMPLETED, keys.FAILED):
                found |= self._scan(finished, number, "job")
            gone = self._scan(keys.OUTBOX_GONE, number, "gone")
            removed |= found
            if not found and not gone:
                break
        self._forget_dead(number)
        return removed, list(active)

    def _forget_recurring(self, number: str) -> dict[str, str]:
        found: list[str] = []
        start = 0
        while views := self._timetable.page(start, start + SCHEDULES - 1).views:
            start += SCHEDULES
            # One that cannot be read is nobody's as far as can be told.
            readable = [each.schedule for each in views if not isinstance(each, str)]
            found += [each.id for each in readable if each.recurrence.call.to == number]
        removed: dict[str, str] = {}
        for schedule_id in found:
            try:
                removed |= dict.fromkeys(self._timetable.remove(schedule_id).cancelled, "waiting")
            except JobNotFound:
                # Somebody else removed it meanwhile.
                continue
            removed[PREFIX + schedule_id] = "recurring"
        return removed

    def _scan(self, name: str, number: str, what: str) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = "0"
        while True:
            deadline = self._gate.deadline_ms()
            answer = self._gate.write("forget", [name], deadline, cursor, number, what)
            if answer[0] == Code.LATE:
                raise StoreUnavailable("Redis was too slow; not all was taken out.")
            cursor = answer[2]
            found |= dict(zip(answer[3::3], answer[5::3], strict=True))
            if cursor == "0":
                return found

    def _forget_dead(self, number: str) -> None:
        with told(writes=True):
            client = self._gate.client
            for name, text in client.hscan_iter(keys.OUTBOX_DEAD, count=500):
                if read_letter(text).line.to_number == number:
                    client.hdel(keys.OUTBOX_DEAD, name)
