"""The record of a recurring call in Redis, and the schedule that it means.

It is an entry of RedBeat's. Fields of its hash, absent where they have nothing to say:

==============  ================================================================
``definition``  RedBeat's: task, schedule (pattern, zone, start, end), whether it is
                switched on; see `redbeat_entry`
``meta``        RedBeat's: the last tick that was seen to, and how many fired
``rev``         grows with each change by a person
``identity``    see `Recurrence.identity`
``key``         the app's own name for it
``timing``      of one that has a key: see `Recurrence.timing`
``at``          when it was accepted, unix ms
``updated``     its last change by a person, unix ms
``data``        the call as the app sent it, JSON
``priority``    rank: 1 high, 2 normal, 3 low
``cron``        the expression as it was written; this and the next three are what
                the definition says, for when RedBeat's own class has saved it
``zone``        IANA name
``start``       no tick before, unix ms
``end``         no tick after, unix ms
``maxruns``     occurrences in all
``grace``       how late a tick may fire, ms
``overlap``     ``skip`` or ``queue``
``pausedby``    by whom it was paused
``pausedat``    when, unix ms
``next``        its next tick, unix ms, while it is looked at again later than that
``done``        the last tick that fired or was missed or skipped, unix ms
``fired``       ticks that made an occurrence
``missed``      ticks that were too late
``missedat``    the last of them, unix ms, newest first, separated by spaces
``skipped``     ticks left out because the occurrence before had not ended
``skippedat``   the last of them, likewise
==============  ================================================================

The score in RedBeat's sorted set is its next tick in s, or -1 for none: paused or ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.calls.limits import Pause
from vomind_queue.queue import call_record, redbeat_entry
from vomind_queue.queue.codes import Code
from vomind_queue.queue.idempotency_keys import refuse_misuse
from vomind_queue.recurring.schedule import (
    Occurrence,
    Other,
    Overlap,
    Recurrence,
    Registered,
    Schedule,
    SchedulePage,
    ScheduleStatus,
    ScheduleView,
    occurrence_id,
)
from vomind_queue.recurring.ticks import Due

#: What reading a record raises that another version has written, or somebody by hand.
UNREADABLE = (KeyError, ValueError, TypeError)


def or_empty(number: int | None) -> int | str:
    """Return how the scripts are told of a number that may be absent."""
    return "" if number is None else number


def fields_of(recurrence: Recurrence) -> list[Any]:
    """Return what a person sets, field and value in turn; empty for absent."""
    fields: dict[str, Any] = {
        "data": call_record.encode(recurrence.call),
        "priority": recurrence.call.priority.rank,
        "cron": recurrence.cron,
        "zone": recurrence.zone,
        "start": or_empty(recurrence.start_ms),
        "end": or_empty(recurrence.end_ms),
        "maxruns": or_empty(recurrence.max_runs),
        "grace": recurrence.misfire_grace_ms,
        "overlap": str(recurrence.overlap),
        "key": recurrence.key or "",
        "timing": recurrence.timing if recurrence.key else "",
    }
    return [value for pair in fields.items() for value in pair]


def recurrence_of(fields: Mapping[str, str]) -> Recurrence:
    """Return what was asked for. Raise what `UNREADABLE` says when it cannot be read."""
    schedule, _ = redbeat_entry.read(fields.get("definition"))
    return _recurrence(fields, fields if schedule is None else schedule)


def _recurrence(fields: Mapping[str, str], times: Mapping[str, Any]) -> Recurrence:
    return Recurrence(
        call=call_record.decode(fields["data"]),
        cron=times["cron"],
        zone=times["zone"],
        start_ms=call_record.number(times, "start"),
        end_ms=call_record.number(times, "end"),
        max_runs=call_record.number(fields, "maxruns"),
        misfire_grace_ms=int(fields["grace"]),
        overlap=Overlap(fields["overlap"]),
        key=fields.get("key"),
    )


def due(schedule_id: str, fields: Mapping[str, str]) -> Due | None:
    """Return a schedule whose tick has come; raise as `recurrence_of` does.

    ``None`` where RedBeat's own class has saved it, or switched it on or off: `is_foreign` of
    `includes/entry.lua`.
    """
    schedule, enabled = redbeat_entry.read(fields.get("definition"))
    if schedule is None or enabled == ("pausedby" in fields):
        return None
    return Due(
        id=schedule_id,
        revision=int(fields["rev"]),
        recurrence=_recurrence(fields, schedule),
        tick_ms=int(fields["next"]),
        last_run_ms=call_record.number(fields, "done"),
    )


def view(schedule_id: str, fields: Mapping[str, str], runs: Sequence[Any]) -> ScheduleView:
    """Return a schedule with its last occurrences, each an instant and the record of its job."""
    occurrences = [
        _occurrence(schedule_id, int(instant), call_record.pairs(job))
        for instant, job in zip(runs[::2], runs[1::2], strict=True)
    ]
    pause = None
    if "pausedby" in fields:
        pause = Pause(by=fields["pausedby"], at_ms=int(fields["pausedat"]), reason=None)
    schedule = Schedule(
        id=schedule_id,
        revision=int(fields["rev"]),
        recurrence=recurrence_of(fields),
        created_ms=int(fields["at"]),
        updated_ms=int(fields["updated"]),
        next_ms=call_record.number(fields, "next"),
        last_run_ms=call_record.number(fields, "done"),
        pause=pause,
        fired=int(fields.get("fired", 0)),
        missed=int(fields.get("missed", 0)),
        skipped=int(fields.get("skipped", 0)),
        missed_ms=_times(fields, "missedat"),
        skipped_ms=_times(fields, "skippedat"),
    )
    return ScheduleView(schedule=schedule, occurrences=occurrences)


def page(answer: Sequence[Any]) -> SchedulePage:
    """Return some schedules, as the scripts answer them."""
    total, *flat = answer
    views: list[ScheduleView | str] = []
    for schedule_id, fields, runs in zip(*[iter(flat)] * 3, strict=True):
        try:
            views.append(view(schedule_id, call_record.pairs(fields), runs))
        except UNREADABLE:
            views.append(schedule_id)
    return SchedulePage(views=views, total=total)


def registered(answer: list[Any]) -> Registered:
    """Return what was accepted, as `schedule.lua` answers it. Raise KeyReused."""
    refuse_misuse(answer)
    schedule_id, place, accepted = answer[2:5]
    head, _, others = str(place).partition("\n")
    status, left, *updated = head.split(":")
    others_shown: list[Any] = json.loads(others) if others else [0]
    return Registered(
        schedule_id=str(schedule_id),
        status=ScheduleStatus(status),
        runs_left=int(left),
        accepted_ms=int(accepted),
        updated=bool(updated),
        others_total=others_shown[0],
        others=[
            Other(schedule_id=number, next_ms=int(next_ms), cron=cron, zone=zone, key=key or None)
            for number, next_ms, cron, zone, key in others_shown[1:]
        ],
        replayed=answer[0] == Code.REPLAY,
    )


def _occurrence(schedule_id: str, instant: int, fields: Mapping[str, str]) -> Occurrence:
    job_id = occurrence_id(schedule_id, instant)
    return Occurrence(job_id=job_id, due_ms=instant, job=call_record.read(job_id, fields))


def _times(fields: Mapping[str, str], name: str) -> list[int]:
    return [int(time) for time in fields.get(name, "").split()]
