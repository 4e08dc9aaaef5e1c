"""Moves the calls of a BullMQ queue here: nothing lost, nothing rung twice, in any number of runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vomind_queue.bullmq import jobs, repeats
from vomind_queue.bullmq.account import Account, Line
from vomind_queue.bullmq.jobs import Terms, Untranslatable
from vomind_queue.bullmq.repeats import Taken
from vomind_queue.bullmq.source import CHUNK, OldJob, OldSchedule, Place, Source
from vomind_queue.calls import Priority, State
from vomind_queue.errors import VomindError
from vomind_queue.schedules import PREFIX, Recurrence
from vomind_queue.store.inheritance import Inheritance, Inherited
from vomind_queue.store.timetable import Timetable

logger = logging.getLogger(__name__)

#: Kinds of place that are gone through, in the order in which BullMQ serves them.
_PLACES = (Place.WAIT, Place.PAUSED, Place.PRIORITIZED, Place.DELAYED, Place.FAILED)
_WAITING = (Place.WAIT, Place.PAUSED, Place.PRIORITIZED)
#: How often all places are gone through again: jobs move while the old service still runs.
_PASSES = 10
#: Between two looks at the calls that are being placed, s.
_LOOK_S = 0.5


class StillActive(VomindError):
    """Calls are being placed by the old service, or were when it died."""


class OtherTarget(VomindError):
    """Another Redis has begun to take this queue over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """How it is to be done."""

    #: IANA name: the clock of the old worker, for recurring jobs without a zone.
    zone: str | None
    #: How long calls being placed are waited for, s.
    wait_s: float
    #: Whether calls that no living worker holds become failed ones.
    abandoned: bool
    past_grace_ms: int | None
    max_attempts: int


class TakeOver:
    """One run. May raise SourceUnusable, StoreUnavailable, StillActive, OtherTarget."""

    def __init__(
        self,
        source: Source,
        inheritance: Inheritance,
        timetable: Timetable,
        wishes: Wishes,
        account: Account,
    ) -> None:
        self._source = source
        self._inheritance = inheritance
        self._timetable = timetable
        self._wishes = wishes
        self.account = account
        self._last_id = 0
        #: The last place given among the waiting calls of a priority, ms.
        self._last_place: dict[Priority, int] = {}

    def survey(self) -> Account:
        """What a run would do. Changes nothing, here or there."""
        self._describe()
        identities: dict[str, str] = {}
        runs = set()
        for old in self._source.schedules():
            try:
                taken = self._readable(old, identities)
            except Untranslatable as error:
                self._left(f"repeat:{old.name}", "recurring", error)
            else:
                self._note(f"repeat:{old.name}", "recurring", taken.note or _differs(old, taken))
            runs.add(old.run_id)
        for place in (*_PLACES, Place.ACTIVE):
            for part in self._source.jobs(place):
                for job in part:
                    if not (place is Place.DELAYED and job.id in runs):
                        self._survey_job(job)
        return self.account

    def run(self) -> Account:
        """Takes over what can be; what cannot is left as it is, in a paused queue."""
        self._source.pause()
        self._describe()
        self._await_active()
        self._complete(self._source.held())
        refused = self._take_schedules()
        places = (*_PLACES, Place.ACTIVE) if self._wishes.abandoned else _PLACES
        for _ in range(_PASSES):
            if not sum(self._take_place(place, refused) for place in places):
                break
        self._tell_left(refused)
        self.account.mapping = self._source.done()
        return self.account

    def _describe(self) -> None:
        counts = self._source.counts()
        self.account.paused = self._source.is_paused()
        self.account.completed = counts[Place.COMPLETED]
        self._last_id = self._source.last_id()
        self.account.mapping = self._source.done()
        if counts[Place.CHILDREN]:
            self.account.warnings.append(
                f"{counts[Place.CHILDREN]} jobs wait for other jobs (flows); they are left there"
            )
        ours = self._inheritance.last_id()
        if ours and not self.account.mapping:
            self.account.warnings.append(
                f"ids 1 to {ours} were given out here already: an old id up to that names another "
                "call here; use the new ids of the report"
            )

    # ------------------------------------------------------------- dry run

    def _survey_job(self, job: OldJob) -> None:
        if job.place is Place.ACTIVE and (job.locked or not self._wishes.abandoned):
            self._left(job.id, job.place, Untranslatable(_active_reason(job)))
            return
        try:
            inherited = jobs.translate(job, self._terms())
        except Untranslatable as error:
            self._left(job.id, job.place, error)
            return
        state = inherited.state
        if state is State.DELAYED and inherited.place_ms <= self._inheritance.now_ms():
            state = State.WAITING
        self.account.lines.append(Line(old=job.id, place=job.place, state=state))

    def _note(self, old: str, place: str, note: str) -> None:
        self.account.lines.append(Line(old=old, place=place, state="recurring", note=note))

    def _left(self, old: str, place: str, error: Untranslatable) -> None:
        self.account.lines.append(Line(old=old, place=place, left=str(error)))

    # ------------------------------------------------------------- the run

    def _await_active(self) -> None:
        until = time.monotonic() + self._wishes.wait_s
        while active := [job for part in self._source.jobs(Place.ACTIVE) for job in part]:
            if self._wishes.abandoned and not any(job.locked for job in active):
                return
            if time.monotonic() >= until:
                raise StillActive(_active_in_words(active))
            time.sleep(_LOOK_S)

    def _take_schedules(self) -> dict[str, Untranslatable]:
        """Takes over the recurring jobs; answers with what is in the way, by the next run's id."""
        refused = {}
        identities: dict[str, str] = {}
        for old in self._source.schedules():
            try:
                self._readable(old, identities)
            except Untranslatable as error:
                self._left(f"repeat:{old.name}", "recurring", error)
                refused[old.run_id] = error
                continue
            if self._source.hold_schedule(old):
                self._complete([f"schedule:{old.name}"])
        return refused

    def _take_place(self, place: Place, refused: Mapping[str, Untranslatable]) -> int:
        """Takes over what stands there and can be; how much that was."""
        count = 0
        for part in self._source.jobs(place):
            wanted = []
            for job in part:
                if not (place is Place.DELAYED and job.id in refused) and not job.locked:
                    wanted += self._placed(job)
            held = self._source.hold(wanted, place) if wanted else []
            self._complete([f"job:{job_id}" for job_id in held])
            count += len(held)
        return count

    def _placed(self, job: OldJob) -> list[tuple[str, int]]:
        """Its id and its place here; nothing for what cannot be taken over."""
        try:
            inherited = jobs.translate(job, self._terms())
        except Untranslatable:
            return []
        if job.place not in _WAITING:
            return [(job.id, job.at_ms)]
        # In the order in which BullMQ would have started them.
        rank = inherited.call.priority
        place = max(inherited.place_ms, self._last_place.get(rank, 0))
        self._last_place[rank] = place
        return [(job.id, place)]

    def _complete(self, members: Sequence[str]) -> None:
        """Stores what is held, and marks it as done."""
        for start in range(0, len(members), CHUNK):
            part = members[start : start + CHUNK]
            records = self._source.held_records(part)
            self._complete_jobs(
                [(m, r) for m, r in zip(part, records, strict=True) if m.startswith("job:")]
            )
            for member, record in zip(part, records, strict=True):
                if member.startswith("schedule:"):
                    self._complete_schedule(member, record)

    def _complete_jobs(self, held: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        taken: list[tuple[str, str, Inherited]] = []
        for member, record in held:
            job = _held_job(member, record)
            try:
                inherited = jobs.translate(job, self._terms())
            except Untranslatable as error:
                self._left(job.id, f"held {job.place}", error)
                continue
            if job.place in _WAITING and inherited.state is State.WAITING:
                inherited = replace(inherited, place_ms=int(record["vomind:place"]))
            taken.append((member, str(job.place), inherited))
        ids = self._inheritance.take_in([each for _, _, each in taken], self._last_id)
        self._source.finish(dict(zip((member for member, _, _ in taken), ids, strict=True)))
        for (member, place, inherited), new in zip(taken, ids, strict=True):
            old = member.removeprefix("job:")
            self.account.lines.append(
                Line(old=old, place=place, new=new, state=str(inherited.state))
            )

    def _complete_schedule(self, member: str, record: Mapping[str, str]) -> None:
        run_id = record.get("vomind:run", "")
        run = self._source.held_records([f"job:{run_id}"])[0] if run_id else {}
        old = OldSchedule(
            name=member.removeprefix("schedule:"),
            next_ms=int(record["vomind:next"]),
            fields=record,
            run_id=run_id,
            run=run,
        )
        try:
            taken = self._readable(old, {})
        except Untranslatable as error:
            self._left(f"repeat:{old.name}", "held recurring", error)
            return
        note = taken.note or _differs(old, taken)
        recurrence = taken.recurrence
        done = {}
        if run and old.next_ms <= self._inheritance.now_ms():
            done, told = self._take_due_run(old, recurrence)
            note = "; ".join(filter(None, (note, told)))
        new = self._schedule_here(recurrence) or self._store(recurrence, taken.next_ms)
        self._source.finish({**done, member: PREFIX + new})
        self.account.lines.append(
            Line(
                old=f"repeat:{old.name}",
                place="recurring",
                new=PREFIX + new,
                state="recurring",
                note=note,
            )
        )

    def _store(self, recurrence: Recurrence, next_ms: int | None) -> str:
        return self._timetable.put(recurrence, next_ms).schedule_id

    def _take_due_run(
        self, old: OldSchedule, recurrence: Recurrence
    ) -> tuple[dict[str, str], str]:
        """A run whose time came while no worker ran: rung once, unless it is too late for that."""
        late_ms = self._inheritance.now_ms() - old.next_ms
        if late_ms > recurrence.grace_ms:
            return {}, "its last run came while nothing ran and is missed"
        inherited = Inherited(
            origin=f"job:{old.run_id}",
            call=recurrence.call,
            state=State.WAITING,
            place_ms=old.next_ms,
            created_ms=old.next_ms,
            due_ms=old.next_ms,
        )
        new = self._inheritance.take_in([inherited], self._last_id)[0]
        return {f"job:{old.run_id}": new}, f"its last run is late and waits as job {new}"

    def _readable(self, old: OldSchedule, identities: dict[str, str]) -> Taken:
        """The recurring call; raises Untranslatable, also where it would take another one's place.

        ``identities``: those of the recurring jobs before, which this one is added to.
        """
        taken = repeats.translate(
            old,
            queue=self._source.queue,
            zone=self._wishes.zone,
            now_ms=self._inheritance.now_ms(),
        )
        identity = taken.recurrence.identity
        if taken.next_ms is None:
            raise Untranslatable("it has no run left")
        if identity in identities:
            raise Untranslatable(
                f"number, pattern and zone are those of repeat:{identities[identity]}; "
                "here they would be one recurring call"
            )
        self._schedule_here(taken.recurrence)
        identities[identity] = old.name
        return taken

    def _schedule_here(self, recurrence: Recurrence) -> str | None:
        """Its number, where an earlier run has stored it. Raises Untranslatable for another's."""
        number = self._inheritance.schedule_of(recurrence.identity)
        if number is None:
            return None
        if self._timetable.show(number).schedule.recurrence.call != recurrence.call:
            raise Untranslatable(
                f"{PREFIX}{number} has its number, pattern and zone already, and other contents"
            )
        return number

    def _tell_left(self, refused: Mapping[str, Untranslatable]) -> None:
        """Names what stands in the source still."""
        for place in (*_PLACES, Place.ACTIVE):
            for part in self._source.jobs(place):
                for job in part:
                    if not (place is Place.DELAYED and job.id in refused):
                        self._left(job.id, place, self._reason(job))

    def _reason(self, job: OldJob) -> Untranslatable:
        if job.place is Place.ACTIVE:
            return Untranslatable(_active_reason(job))
        try:
            jobs.translate(job, self._terms())
        except Untranslatable as error:
            return error
        return Untranslatable("it came in or moved meanwhile; run this again")

    def _terms(self) -> Terms:
        return Terms(
            queue=self._source.queue,
            now_ms=self._inheritance.now_ms(),
            past_grace_ms=self._wishes.past_grace_ms,
            max_attempts=self._wishes.max_attempts,
        )


def _held_job(member: str, record: Mapping[str, str]) -> OldJob:
    place = Place(record["vomind:state"])
    return OldJob(
        id=member.removeprefix("job:"),
        place=place,
        at_ms=int(record["vomind:place"]),
        fields=record,
    )


def _differs(old: OldSchedule, taken: Taken) -> str:
    if taken.agrees:
        return ""
    return (
        f"the old service planned its next run for {_time(old.next_ms)}, "
        f"here it is {_time(taken.next_ms or 0)} ({taken.recurrence.zone})"
    )


def _time(unix_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_ms / 1000))


def _active_reason(job: OldJob) -> str:
    if job.locked:
        return "it is being placed by the old service"
    return "it was being placed when its worker died, and may have rung; see --abandoned"


def _active_in_words(active: Sequence[OldJob]) -> str:
    locked = sum(job.locked for job in active)
    told = [f"{locked} calls are being placed by the old service."] if locked else []
    if locked < len(active):
        told.append(
            f"{len(active) - locked} calls were being placed when their worker died, and may have "
            "rung: --abandoned takes them over as failed ones, to be judged by a person."
        )
    told.append("Nothing was taken over; the old queue is paused. Run this again.")
    return " ".join(told)
