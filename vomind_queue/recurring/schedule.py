"""Recurring calls and what is due of them: plain values, no I/O.

A *recurrence* is what an app asks for: a call and the times at which to place it.
A *schedule* is that recurrence with its story so far. Each *tick* that fires makes
an *occurrence*, which is a job like any other. All times are unix milliseconds on
the clock of the Redis server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from vomind_queue.calls.call import Call
from vomind_queue.calls.job import Job
from vomind_queue.calls.limits import Pause
from vomind_queue.recurring.cron import CronError
from vomind_queue.recurring.runs import read_cron, runs_of
from vomind_queue.recurring.time_zones import UTC_NAMES

#: What stands before a schedule's number in its id, and in those of its occurrences.
PREFIX = "recurring:"
#: A tick that is later than this is not made up for, unless a schedule says otherwise, ms.
DEFAULT_MISFIRE_GRACE_MS = 15 * 60_000
#: Times of missed ticks that are kept.
MISSED_KEPT = 10


class Overlap(StrEnum):
    """What happens to a tick while the occurrence before it has not ended."""

    #: It is left out, and counted.
    SKIP = "skip"
    #: It is queued all the same.
    QUEUE = "queue"


class ScheduleStatus(StrEnum):
    """Where a recurring call is."""

    #: It has a next tick.
    RECURRING = "recurring"
    #: A person stopped it.
    PAUSED = "paused"
    #: It has no further ticks.
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """A call that is to be placed again and again, defaults filled in."""

    call: Call
    #: Cron expression as it was written, or a macro; see `cron.Cron`.
    cron: str
    #: IANA name of the zone that the expression is meant in.
    zone: str
    #: No tick before this.
    start_ms: int | None = None
    #: No tick after this.
    end_ms: int | None = None
    #: Occurrences in all.
    max_runs: int | None = None
    #: How late a tick may fire, ms.
    misfire_grace_ms: int = DEFAULT_MISFIRE_GRACE_MS
    overlap: Overlap = Overlap.SKIP
    #: The app's own name for it, 1 to 128 printable ASCII characters; ``None``: it has none.
    key: str | None = None

    @property
    def dedup_key(self) -> str:
        """What makes two recurrences the same one: the key, or number, pattern and zone."""
        if self.key is not None:
            return dedup_key_of(self.key)
        return _digest(self.call.to, *self._timing)

    @property
    def timing(self) -> str:
        """Digest of pattern and zone: two with the same one mean the same times."""
        return _digest(*self._timing)

    @property
    def _timing(self) -> tuple[str, str]:
        zone = "UTC" if self.zone in UTC_NAMES else self.zone
        return read_cron(self.cron).pattern, zone

    def is_timed_as(self, other: Recurrence) -> bool:
        """Return whether both mean the same times, however they are written."""
        try:
            return self.timing == other.timing
        except CronError:
            return False

    def runs(self, after_ms: int) -> Iterator[int]:
        """Its ticks later than that, unix ms.

        Raise CronError if the expression or the zone cannot be read on this machine.
        """
        return runs_of(self.cron, self.zone, self.start_ms, self.end_ms, after_ms)

    def first(self, after_ms: int) -> int | None:
        """Return the first of `runs`, if there is one."""
        return next(self.runs(after_ms), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A stored recurrence with its history."""

    #: Number of the schedule, a decimal string that is never given out twice.
    id: str
    #: Grows with each change by a person.
    revision: int
    recurrence: Recurrence
    created_ms: int
    #: Its last change by a person.
    updated_ms: int
    #: Its next tick; ``None`` while it is paused and after its end.
    next_ms: int | None
    #: The last tick that fired or was missed or skipped: none before comes again.
    last_run_ms: int | None
    #: ``None`` while it runs.
    pause: Pause | None
    #: Ticks that made an occurrence.
    fired: int
    #: Ticks that were too late when somebody looked.
    missed: int
    #: Ticks left out because the occurrence before had not ended.
    skipped: int
    #: The last missed ticks, newest first.
    missed_ms: Sequence[int]
    #: The last skipped ticks, newest first.
    skipped_ms: Sequence[int]

    @property
    def job_id(self) -> str:
        """Its id in the REST API."""
        return PREFIX + self.id

    @property
    def status(self) -> ScheduleStatus:
        """Where it is."""
        if self.pause is not None:
            return ScheduleStatus.PAUSED
        return ScheduleStatus.ENDED if self.next_ms is None else ScheduleStatus.RECURRING

    def first_after(self, recurrence: Recurrence, now_ms: int) -> int | None:
        """Return the first tick that ``recurrence`` would have in its place."""
        return recurrence.first(
            now_ms if self.last_run_ms is None else max(now_ms, self.last_run_ms)
        )

    def next_runs(self, count: int) -> list[int]:
        """Its next ticks, unix ms; fewer when it ends before."""
        if self.next_ms is None:
            return []
        if self.recurrence.max_runs is not None:
            count = min(count, self.recurrence.max_runs - self.fired)
        return list(islice(self.recurrence.runs(self.next_ms - 1), count))


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """A tick that fired."""

    #: Id of its job.
    job_id: str
    due_ms: int
    #: ``None`` if it was removed, or trimmed from history.
    job: Job | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleView:
    """A schedule with its last occurrences, newest first."""

    schedule: Schedule
    occurrences: Sequence[Occurrence]


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulePage:
    """Some schedules, soonest first; each with its last occurrence at most."""

    #: The number alone where the record cannot be read.
    views: Sequence[ScheduleView | str]
    #: Number of all schedules.
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSearch:
    """Which schedules are asked for; ``None`` leaves a filter open."""

    #: The number that they ring.
    number: str | None = None
    #: The app's own name for the person, as text.
    lead_id: str | None = None
    #: The app's own name for the recurring call.
    key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What became of a removed schedule's jobs, by id."""

    #: Did not start, and never will.
    cancelled: Sequence[str]
    #: Being placed: they go on to their end.
    active: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """Another schedule that rings the number of one that was accepted."""

    #: Number of the schedule.
    schedule_id: str
    #: Unix ms.
    next_ms: int
    cron: str
    zone: str
    key: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """What was accepted: enough to build the first answer again for a replay."""

    #: Number of the schedule.
    schedule_id: str
    #: Where it is now: a pause stays, and so do the runs that are used up.
    status: ScheduleStatus
    #: Runs that are left of it, three at most.
    runs_left: int
    #: When it was accepted, unix ms.
    accepted_ms: int
    #: Whether it was there already.
    updated: bool = False
    #: Others that ring its number and have a next tick: how many, 100 at most, and the ten that
    #: come first.
    others_total: int = 0
    others: Sequence[Other] = ()
    #: Whether an earlier request with the same idempotency key stored it.
    replayed: bool = False


def dedup_key_of(key: str) -> str:
    """`Recurrence.dedup_key` of a recurrence with that key."""
    return f"key:{key}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def occurrence_id(schedule_id: str, tick_ms: int) -> str:
    """Return id of the job that a tick makes: the same for every maker, however often."""
    return f"{PREFIX}{schedule_id}:{tick_ms}"
