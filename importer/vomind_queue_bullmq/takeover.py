"""Moves the calls of a BullMQ queue here: none lost, none rung twice, in any number of runs."""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.calls.call import Priority, State
from vomind_queue.errors import VomindError
from vomind_queue.queue.recurring_store import RecurringStore
from vomind_queue.queue.takeover import TakenOver, Takeover
from vomind_queue_bullmq import jobs
from vomind_queue_bullmq.account import Account, Line
from vomind_queue_bullmq.jobs import Terms, Untranslatable
from vomind_queue_bullmq.recurrences import Schedules
from vomind_queue_bullmq.source import CHUNK, OldJob, Place, Source

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
    #: Which calls the service would refuse from an app, too.
    placeable: PlaceableCalls


class TakeOver:
    """One run. May raise SourceUnusable, StoreUnavailable, StillActive, OtherTarget."""

    def __init__(
        self,
        source: Source,
        takeover_store: Takeover,
        recurring_store: RecurringStore,
        wishes: Wishes,
        account: Account,
    ) -> None:
        self._source = source
        self._takeover_store = takeover_store
        self._wishes = wishes
        self.account = account
        self._schedules = Schedules(
            source, takeover_store, recurring_store, wishes.zone, wishes.placeable, account
        )
        self._last_id = 0
        #: The last place given among the waiting calls of a priority, ms.
        self._last_place: dict[Priority, int] = {}

    def survey(self) -> Account:
        """Return what a run would do. Changes nothing, here or there."""
        self._describe()
        for member in self._source.held():
            self.account.warnings.append(f"{member} is held since a run that was cut short")
        runs = self._schedules.survey()
        for place in (*_PLACES, Place.ACTIVE):
            for part in self._source.jobs(place):
                for job in part:
                    if not (place is Place.DELAYED and job.id in runs):
                        self._survey_job(job)
        return self.account

    def run(self) -> Account:
        """Take over all that is possible; leave the rest in the paused queue."""
        if not self._source.bind(self._takeover_store.store_name()):
            raise OtherTarget(
                "Another Redis has begun to take this queue over: go on with that one, "
                "or calls would be lost between the two."
            )
        self._source.pause()
        self._describe()
        self._await_active()
        self._complete(self._source.held())
        refused = self._schedules.take()
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
        ours = self._takeover_store.last_id()
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
        if state is State.DELAYED and inherited.place_ms <= self._takeover_store.now_ms():
            state = State.WAITING
        self.account.lines.append(Line(old=job.id, place=job.place, state=state))

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

    def _take_place(self, place: Place, refused: Container[str]) -> int:
        """Take over what stands there and can be; how much that was."""
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
        """Return its id and its place here; nothing for what cannot be taken over."""
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
        """Store what is held, and marks it as done."""
        for start in range(0, len(members), CHUNK):
            part = members[start : start + CHUNK]
            records = self._source.held_records(part)
            self._complete_jobs(
                [(m, r) for m, r in zip(part, records, strict=True) if m.startswith("job:")]
            )
            for member, record in zip(part, records, strict=True):
                if member.startswith("schedule:"):
                    self._schedules.complete(member, record, self._last_id)

    def _complete_jobs(self, held: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        taken: list[tuple[str, str, TakenOver]] = []
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
        ids = self._takeover_store.take_in([each for _, _, each in taken], self._last_id)
        self._source.finish(dict(zip((member for member, _, _ in taken), ids, strict=True)))
        for (member, place, inherited), new in zip(taken, ids, strict=True):
            old = member.removeprefix("job:")
            self.account.lines.append(
                Line(old=old, place=place, new=new, state=str(inherited.state))
            )

    def _tell_left(self, refused: Container[str]) -> None:
        """Report what is still in the source."""
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
            now_ms=self._takeover_store.now_ms(),
            past_grace_ms=self._wishes.past_grace_ms,
            max_attempts=self._wishes.max_attempts,
            placeable=self._wishes.placeable,
        )


def _held_job(member: str, record: Mapping[str, str]) -> OldJob:
    place = Place(record["vomind:state"])
    return OldJob(
        id=member.removeprefix("job:"),
        place=place,
        at_ms=int(record["vomind:place"]),
        fields=record,
    )


def _active_reason(job: OldJob) -> str:
    if job.locked:
        return "it is being placed by the old service"
    return "it was being placed when its worker died, and may have rung; see --abandoned"


def _active_in_words(active: Sequence[OldJob]) -> str:
    locked = sum(job.locked for job in active)
    lines = [f"Being placed by the old service: {locked}."] if locked else []
    if locked < len(active):
        lines.append(
            f"Being placed when their worker died: {len(active) - locked}. They may have rung; "
            "--abandoned takes them over as failed ones, to be judged by a person."
        )
    lines.append("Nothing was taken over; the old queue is paused. Run this again.")
    return " ".join(lines)
