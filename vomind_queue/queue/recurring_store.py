"""Recurring calls in Redis, moved by one script at a time. Each is an entry of RedBeat's.

Changes carry a deadline on the server's clock, as those of `queue.CallQueue` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.encoding import compact
from vomind_queue.errors import JobNotFound, ScheduleChanged, ScheduleExists, ScheduleUnreadable
from vomind_queue.queue import call_record, keys, redbeat_entry
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, in_time
from vomind_queue.queue.idempotency_keys import asked, recalled
from vomind_queue.queue.recurring_record import (
    UNREADABLE,
    due,
    fields_of,
    or_empty,
    page,
    recurrence_of,
    registered,
    view,
)
from vomind_queue.recurring.schedule import (
    PREFIX,
    Recurrence,
    Registered,
    Removed,
    Schedule,
    SchedulePage,
    ScheduleSearch,
    ScheduleView,
    dedup_key_of,
)
from vomind_queue.recurring.ticks import Advance, DueEntries, Outcome

#: Occurrences that are shown with a schedule.
SHOWN = 10
#: By whom a schedule is paused whose entry was switched off by RedBeat's means.
REDBEAT = "RedBeat"


class RecurringStore:
    """The recurring calls, behind one script a request."""

    def __init__(self, store: RedisStore, expiry_ms: int | None = None) -> None:
        """``expiry_ms``: how long after its tick a run may start; ``None``: without limit."""
        self._store = store
        self._expiry_ms = expiry_ms

    def now_ms(self) -> int:
        """Return Unix ms on the server's clock."""
        return self._store.now_ms()

    def recall(self, key: IdempotencyKey) -> Registered | None:
        """Return what an earlier request with this key was answered; raise KeyReused."""
        answer = recalled(self._store, key)
        return None if answer is None else registered(answer)

    def put(
        self, recurrence: Recurrence, next_ms: int | None, key: IdempotencyKey | None = None
    ) -> Registered:
        """Store a recurring call; one with the same dedup key is updated.

        Raise KeyReused, and ScheduleChanged when the next tick lies too early by now.
        """
        fields, dedup_key = fields_of(recurrence), recurrence.dedup_key
        # The script names the one that it becomes.
        definition = _definition("", recurrence)
        place = (*asked(key), "", "", dedup_key, or_empty(next_ms), "1", definition)
        answer = self._store.run_with_deadline("schedule", keys.SCHEDULES, *place, *fields)
        _refuse_conflict(answer, "The recurring call", dedup_key)
        return registered(answer)

    def change(
        self, old: Schedule, recurrence: Recurrence, next_ms: int | None, *, keep_due: bool
    ) -> None:
        """Change a schedule that was not changed since it was read.

        ``keep_due``: a tick that is due and did not fire yet will fire all the same.
        Raise JobNotFound, ScheduleChanged, and ScheduleExists when another schedule has
        that number, pattern and zone.
        """
        keep, fields = "1" if keep_due else "", fields_of(recurrence)
        definition = _definition(old.id, recurrence)
        self._alter(old, recurrence.dedup_key, next_ms, keep, definition, *fields)

    def pause(self, old: Schedule, by: str) -> None:
        """No tick fires from now on. Raise as `change` does."""
        at_ms = self.now_ms()
        self._alter(old, "", None, "", "", "pausedby", by, "pausedat", at_ms)

    def resume(self, old: Schedule, next_ms: int | None) -> None:
        """Ticks fire again. Raise as `change` does."""
        self._alter(old, "", next_ms, "", "", "pausedby", "", "pausedat", "")

    def remove(self, schedule_id: str) -> Removed:
        """Remove a schedule, and its jobs that did not start. Raise JobNotFound."""
        answer = self._store.run_with_deadline("unschedule", keys.SCHEDULES, schedule_id)
        if answer[0] == Code.MISSING:
            raise JobNotFound(PREFIX + schedule_id)
        jobs = list(zip(answer[2::2], answer[3::2], strict=True))
        return Removed(
            cancelled=[job_id for job_id, what in jobs if what == "removed"],
            active=[job_id for job_id, what in jobs if what == "active"],
        )

    def show(self, schedule_id: str) -> ScheduleView:
        """Return a schedule with its last occurrences. Raise JobNotFound, ScheduleUnreadable."""
        fields, runs = self._store.read("runs", [keys.SCHEDULES], schedule_id, SHOWN)
        if not fields:
            raise JobNotFound(PREFIX + schedule_id)
        try:
            return view(schedule_id, call_record.pairs(fields), runs)
        except UNREADABLE as error:
            raise ScheduleUnreadable(
                f"{PREFIX}{schedule_id} was stored by another version and cannot be read "
                f"({error!r}); delete it, or go back to that version."
            ) from error

    def page(self, start: int, end: int) -> SchedulePage:
        """Return schedules ``start`` to ``end``, both included, soonest first."""
        return page(self._store.read("recurring_page", [keys.SCHEDULES], start, end))

    def find(self, search: ScheduleSearch, start: int, end: int) -> SchedulePage:
        """Return the same of those that are sought."""
        lead = "" if search.lead_id is None else compact(search.lead_id)[1:-1]
        dedup_key = "" if search.key is None else dedup_key_of(search.key)
        sought = (search.number or "", lead, dedup_key)
        return page(self._store.read("find_recurring", [keys.SCHEDULES], start, end, *sought))

    def due_entries(self, wanted: int) -> DueEntries:
        """Return schedules that are due, so many at most, and RedBeat's due ordinary entries."""
        now, wait_ms, old, ordinary, *flat = self._store.write(
            "due_entries", [keys.SCHEDULES], wanted
        )
        self._store.clock.note(now)
        found, unreadable = {}, {}
        for schedule_id, fields in _records(flat):
            try:
                found[schedule_id] = due(schedule_id, fields)
            except UNREADABLE as error:
                unreadable[schedule_id] = repr(error)
        return DueEntries(
            now_ms=now,
            due=[each for each in found.values() if each is not None],
            unreadable=unreadable,
            foreign=[schedule_id for schedule_id, each in found.items() if each is None],
            ordinary=ordinary,
            old=old,
            next_in_ms=None if wait_ms < 0 else wait_ms,
        )

    def postpone(self, schedule_id: str, until_ms: int) -> None:
        """Look at a schedule that is due no sooner than then; its record stays as it is."""
        self._store.write("postpone", [keys.SCHEDULES], schedule_id, until_ms)

    def adopt(self, wanted: int) -> int:
        """Move schedules of the form of an older version; return how many it has seen to."""
        flat = self._store.read("old_schedules", [keys.OLD_SCHEDULES], wanted)
        moved = [
            value
            for schedule_id, fields in _records(flat)
            for value in (schedule_id, fields.get("rev", ""), _old_definition(schedule_id, fields))
        ]
        _, count = self._store.write("adopt", [keys.SCHEDULES], *moved)
        return int(count)

    def sweep(self, cursor: str, wanted: int) -> tuple[str, list[str]]:
        """Look at some of all schedules: those whose entries are gone leave nothing behind.

        Answers with the next cursor, and the numbers of those that `mend` is for.
        """
        cursor, *foreign = self._store.write("sweep", [keys.DEDUP_KEYS], cursor, wanted)
        return cursor, foreign

    def mend(self, schedule_id: str) -> None:
        """Follow what was done to a schedule with RedBeat's own class, which knows no pattern.

        Switched off by it means paused, switched on resumed; its next tick is the one that it had.
        Raise JobNotFound, ScheduleChanged, ScheduleUnreadable, CronError.
        """
        old = self.show(schedule_id).schedule
        fields = call_record.pairs(self._store.read("runs", [keys.SCHEDULES], schedule_id, 0)[0])
        _, enabled = redbeat_entry.read(fields.get("definition"))
        definition = _definition(schedule_id, old.recurrence)
        if not enabled:
            pause = [old.pause.by, old.pause.at_ms] if old.pause else [REDBEAT, self.now_ms()]
            named = ("pausedby", pause[0], "pausedat", pause[1])
            self._alter(old, "", None, "mend", definition, *named)
            return
        since_ms = self.now_ms() if old.pause else old.updated_ms
        first = old.recurrence.first(max(since_ms, old.last_run_ms or 0))
        self._alter(old, "", first, "mend", definition, "pausedby", "", "pausedat", "")

    def fire(self, advances: Sequence[Advance], deadline_ms: int) -> list[Outcome]:
        """Turn ticks into jobs and moves their schedules on.

        Raise StoreUnavailable, also when the server came to it after the deadline.
        """
        flat = [value for each in advances for value in (*_flat_advance(each), self._latest(each))]
        answer = self._store.write("fire", [keys.SCHEDULES], deadline_ms, *flat)
        return [Outcome(outcome) for outcome in in_time(answer)[2:]]

    def _latest(self, advance: Advance) -> int | str:
        """Return the latest start of a run, or ''; its own grace holds in any case."""
        if self._expiry_ms is None or advance.fire_ms is None:
            return ""
        grace_ms = advance.due.recurrence.misfire_grace_ms
        return advance.fire_ms + max(self._expiry_ms, grace_ms)

    def _alter(
        self,
        old: Schedule,
        dedup_key: str,
        next_ms: int | None,
        keep: str,
        definition: str,
        *fields: Any,
    ) -> None:
        place = (*asked(None), old.id, old.revision, dedup_key, or_empty(next_ms), keep, definition)
        answer = self._store.run_with_deadline("schedule", keys.SCHEDULES, *place, *fields)
        if answer[0] == Code.MISSING:
            raise JobNotFound(old.job_id)
        _refuse_conflict(answer, old.job_id, dedup_key)


def _records(flat: Sequence[Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Return numbers and records, as the scripts answer them in turn."""
    for schedule_id, fields in zip(flat[::2], flat[1::2], strict=True):
        yield schedule_id, call_record.pairs(fields)


def _definition(schedule_id: str, recurrence: Recurrence) -> str:
    return redbeat_entry.definition(schedule_id, redbeat_entry.schedule_of(recurrence))


def _old_definition(schedule_id: str, fields: dict[str, str]) -> str:
    """Of a record of the old form; one that cannot be read is moved as it is."""
    try:
        return _definition(schedule_id, recurrence_of(fields))
    except UNREADABLE:
        schedule = redbeat_entry.encode(fields.get("cron", ""), fields.get("zone", ""), None, None)
        return redbeat_entry.definition(schedule_id, schedule)


def _refuse_conflict(answer: list[Any], what: str, dedup_key: str) -> None:
    if answer[0] == Code.SUPERSEDED:
        raise ScheduleChanged(
            f"{what} was changed at the same time; try again.", last_run_ms=int(answer[2])
        )
    if answer[0] == Code.WRONG_STATE:
        keyed = dedup_key.startswith(dedup_key_of(""))
        taken = "this key" if keyed else "this number, pattern and time zone"
        raise ScheduleExists(f"{PREFIX}{answer[2]} has {taken} already.")


def _flat_advance(advance: Advance) -> list[Any]:
    return [
        advance.due.id,
        advance.due.revision,
        advance.due.tick_ms,
        or_empty(advance.fire_ms),
        advance.missed,
        " ".join(map(str, advance.missed_ms)),
        advance.last_run_ms,
        or_empty(advance.next_ms),
    ]
