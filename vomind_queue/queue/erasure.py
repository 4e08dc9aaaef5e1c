"""Forgetting a person: every call to one number leaves Redis.

Older versions stored numbers as they came. So calls are looked for by the last digits, which all
spellings of a number share, and what is found there is compared as a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vomind_queue.calls.call import State
from vomind_queue.calls.phone_number import PhoneNumber, canonical
from vomind_queue.errors import JobNotFound, StoreUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.outbox import read_letter
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.staged_lists import StagedLists
from vomind_queue.recurring.schedule import PREFIX, ScheduleSearch

#: Recurring calls seen to at once.
SCHEDULES = 500
#: Scans in a row that must find nothing. Calls move forward, and back to be made again: one that
#: moves during a scan can be missed by it, but not by a scan in the other direction.
EMPTY_SCANS = 3


#: Digits at the end of a number by which other spellings of it are looked for.
LAST_DIGITS = 4


class Person:
    """The number of a person, in all spellings that were found so far."""

    def __init__(self, number: str) -> None:
        self._number = number
        self.spellings = {number, *PhoneNumber(number).other_spellings}
        #: By which others are looked for.
        self.last_digits = number[-LAST_DIGITS:]

    def learn(self, others: Iterable[str]) -> None:
        """Add those that are spellings of this number."""
        self.spellings |= {other for other in set(others) if self.has(other)}

    def has(self, number: str) -> bool:
        """Return whether that is this number."""
        return canonical(number) == self._number


class Erasure:
    """Takes the calls to one number out of Redis."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._recurring_store = RecurringStore(store)
        self._staged = StagedLists(store)

    def forget(self, number: str) -> tuple[Mapping[str, str], Sequence[str]]:
        """Return ids with the states they were in, and ids of calls being placed.

        The latter are ended and erased once it is known what they come to. The states include
        ``recurring``. Calls move meanwhile, so scans go on until none finds any.
        """
        self._staged.forget(number)
        person = Person(number)
        removed = self._forget_recurring(person)
        being_placed: set[str] = set()
        empty = 0
        while empty < EMPTY_SCANS:
            known = len(person.spellings)
            found = self._scan_all(person, backward=empty % 2 == 1)
            being_placed = {job_id for job_id, state in found.items() if state == State.ACTIVE}
            out = {job_id: found[job_id] for job_id in found.keys() - being_placed}
            gone = self._scan(keys.OUTBOX_GONE, person, "gone")
            removed |= out
            empty = 0 if out or gone or len(person.spellings) > known else empty + 1
        self._forget_dead(person)
        # The notifier removes the events that name the number.
        for each in person.spellings:
            self._store.write("forget_events", [keys.EVENTS_OUTBOX], each)
        return removed, sorted(being_placed)

    def _scan_all(self, person: Person, *, backward: bool) -> dict[str, str]:
        """Remove calls that are not being placed; return the states of all by id."""
        waiting = keys.sets_of(State.WAITING, self._campaigns())
        places = [keys.DELAYED, *waiting, keys.ACTIVE, keys.COMPLETED, keys.FAILED]
        found: dict[str, str] = {}
        for place in reversed(places) if backward else places:
            found |= self._scan(place, person, "active" if place == keys.ACTIVE else "job")
        return found

    def _campaigns(self) -> Sequence[str]:
        """Return the campaigns that have calls which wait, those that were cancelled among them."""
        found = (keys.OPEN_CAMPAIGNS, keys.SWEEPING)
        return [each for name in found for each in self._store.ask("ZRANGE", name, 0, -1)]

    def _scan(self, name: str, person: Person, what: str) -> dict[str, str]:
        """Remove the calls in one set; return their states by id."""
        found: dict[str, str] = {}
        cursor = "0"
        while True:
            deadline = self._store.deadline_ms()
            answer = self._store.write(
                "forget", [name], deadline, cursor, what, person.last_digits, *person.spellings
            )
            if answer[0] == Code.LATE:
                raise StoreUnavailable("Redis was too slow; not all was taken out.")
            _, _, cursor, others, *flat = answer
            found |= dict(zip(flat[::2], flat[1::2], strict=True))
            person.learn(others)
            if cursor == "0":
                return found

    def _forget_recurring(self, person: Person) -> dict[str, str]:
        self._index_all()
        person.learn(self._indexed_numbers(person.last_digits))
        removed: dict[str, str] = {}
        for number in person.spellings:
            # Found by number, not by rank: a tick that fires meanwhile hides no recurring call.
            while found := self._remove_some(number):
                removed |= found
            # What entries that were deleted by RedBeat's means left there.
            with translate_errors(writes=True):
                prefix = f"n{number} "
                client = self._store.client
                client.zremrangebylex(keys.RECURRING_INDEX, f"[{prefix}", f"({prefix}{{")
        return removed

    def _indexed_numbers(self, last_digits: str) -> set[str]:
        """Return the numbers of recurring calls that end so."""
        with translate_errors(writes=False):
            like = f"n*{last_digits} *"
            entries = self._store.client.zscan_iter(keys.RECURRING_INDEX, match=like, count=500)
            return {str(entry)[1:].partition(" ")[0] for entry, _ in entries}

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

    def _forget_dead(self, person: Person) -> None:
        with translate_errors(writes=True):
            client = self._store.client
            for name, text in client.hscan_iter(keys.OUTBOX_DEAD, count=500):
                if person.has(read_letter(text).line.to_number or ""):
                    client.hdel(keys.OUTBOX_DEAD, name)
