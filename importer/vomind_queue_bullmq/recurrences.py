"""Moves the recurring jobs of a BullMQ queue here."""

from __future__ import annotations

import time
from collections.abc import Mapping

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.calls.call import State
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.takeover import TakenOver, Takeover
from vomind_queue.recurring.schedule import PREFIX, Recurrence
from vomind_queue_bullmq import repeats
from vomind_queue_bullmq.account import Account, Line
from vomind_queue_bullmq.jobs import Untranslatable
from vomind_queue_bullmq.repeats import Translation
from vomind_queue_bullmq.source import OldSchedule, Source


class Schedules:
    """The recurring jobs of one run. May raise SourceUnusable, StoreUnavailable."""

    def __init__(
        self,
        source: Source,
        takeover_store: Takeover,
        recurring_store: RecurringStore,
        zone: str | None,
        placeable: PlaceableCalls,
        account: Account,
    ) -> None:
        """``zone``: the clock of the old worker, for jobs that name none."""
        self._source = source
        self._takeover_store = takeover_store
        self._recurring_store = recurring_store
        self._zone = zone
        self._placeable = placeable
        self._account = account
        #: Names of those that were read, by what would make two of them one here.
        self._identities: dict[str, str] = {}

    def survey(self) -> set[str]:
        """Report all recurring calls; return the ids of their next runs."""
        runs = set()
        for old in self._source.schedules():
            runs.add(old.run_id)
            try:
                taken = self._first_of_its_kind(old)
            except Untranslatable as error:
                self._left(old, "recurring", error)
            else:
                self._account.lines.append(_line(old, None, _note(old, taken)))
        return runs

    def take(self) -> set[str]:
        """Take them over; return the ids of the next runs of those that stay."""
        stay = set()
        for old in self._source.schedules():
            try:
                self._first_of_its_kind(old)
            except Untranslatable as error:
                self._left(old, "recurring", error)
                stay.add(old.run_id)
                continue
            if self._source.hold_schedule(old):
                member = f"schedule:{old.name}"
                record = self._source.held_records([member])[0]
                self.complete(member, record, self._source.last_id())
        return stay

    def complete(self, member: str, record: Mapping[str, str], last_id: int) -> None:
        """Store one that is held, and marks it as done."""
        old = self._held(member, record)
        try:
            taken = self._readable(old)
        except Untranslatable as error:
            self._left(old, "held recurring", error)
            return
        notes = [_note(old, taken)]
        done: dict[str, str] = {}
        if old.run and old.next_ms <= self._takeover_store.now_ms():
            done, note = self._take_due_run(old, taken.recurrence, last_id)
            notes.append(note)
        new = self._here(taken.recurrence)
        if new is None:
            new = self._recurring_store.put(taken.recurrence, taken.next_ms).schedule_id
        self._source.finish({**done, member: PREFIX + new})
        self._account.lines.append(_line(old, PREFIX + new, "; ".join(filter(None, notes))))

    def _held(self, member: str, record: Mapping[str, str]) -> OldSchedule:
        run_id = record.get("vomind:run", "")
        return OldSchedule(
            name=member.removeprefix("schedule:"),
            next_ms=int(record["vomind:next"]),
            fields=record,
            run_id=run_id,
            run=self._source.held_records([f"job:{run_id}"])[0] if run_id else {},
        )

    def _take_due_run(
        self, old: OldSchedule, recurrence: Recurrence, last_id: int
    ) -> tuple[dict[str, str], str]:
        """Take over a run that came due while no worker ran, unless it is too late for it."""
        if self._takeover_store.now_ms() - old.next_ms > recurrence.misfire_grace_ms:
            return {}, "its last run came while nothing ran, and is missed"
        inherited = TakenOver(
            origin=f"job:{old.run_id}",
            call=recurrence.call,
            state=State.WAITING,
            place_ms=old.next_ms,
            created_ms=old.next_ms,
            due_ms=old.next_ms,
        )
        new = self._takeover_store.take_in([inherited], last_id)[0]
        return {f"job:{old.run_id}": new}, f"its last run is late and waits as job {new}"

    def _first_of_its_kind(self, old: OldSchedule) -> Translation:
        """As `_readable`; raise Untranslatable for the second of two that would be one here."""
        taken = self._readable(old)
        first = self._identities.setdefault(taken.recurrence.dedup_key, old.name)
        if first != old.name:
            raise Untranslatable(
                f"number, pattern and zone are those of repeat:{first}; "
                "here the two would be one recurring call"
            )
        return taken

    def _readable(self, old: OldSchedule) -> Translation:
        """Return what it means. Raise Untranslatable, also if it would replace another one."""
        now_ms = self._takeover_store.now_ms()
        taken = repeats.translate(
            old,
            queue=self._source.queue,
            zone=self._zone,
            now_ms=now_ms,
            placeable=self._placeable,
        )
        if taken.next_ms is None:
            raise Untranslatable("it has no run left")
        self._here(taken.recurrence)
        return taken

    def _here(self, recurrence: Recurrence) -> str | None:
        """Return its id if an earlier run stored it. Raise Untranslatable if another has it."""
        number = self._takeover_store.schedule_of(recurrence.dedup_key)
        if number is None:
            return None
        if self._recurring_store.show(number).schedule.recurrence.call != recurrence.call:
            raise Untranslatable(
                f"{PREFIX}{number} has its number, pattern and zone already, and other contents"
            )
        return number

    def _left(self, old: OldSchedule, place: str, error: Untranslatable) -> None:
        self._account.lines.append(Line(old=f"repeat:{old.name}", place=place, left=str(error)))


def _line(old: OldSchedule, new: str | None, note: str) -> Line:
    return Line(old=f"repeat:{old.name}", place="recurring", new=new, state="recurring", note=note)


def _note(old: OldSchedule, taken: Translation) -> str:
    """Return what is not quite as it was."""
    if taken.note or taken.agrees:
        return taken.note
    return (
        f"the old service planned its next run for {_time(old.next_ms)}, "
        f"here it is {_time(taken.next_ms or 0)} (its pattern in {taken.recurrence.zone})"
    )


def _time(unix_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_ms / 1000))
