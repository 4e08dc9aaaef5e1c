"""Build the answers about recurring calls, as the REST contract defines them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.instants import iso
from vomind_queue.calls.job import Held
from vomind_queue.recurring.cron import Cron, CronError
from vomind_queue.recurring.runs import HORIZON_MS, read_cron, read_zone
from vomind_queue.recurring.schedule import (
    PREFIX,
    Occurrence,
    Other,
    Recurrence,
    Registered,
    Removed,
    Schedule,
    SchedulePage,
    ScheduleStatus,
    ScheduleView,
)
from vomind_queue.recurring.time_zones import OffsetChange, offset_changes

#: Future runs that are shown of a single recurring call.
SHOWN_RUNS = 5
#: Clock changes that a preview shows: a yearly pattern has 100 of them.
MOST_CHANGES = 100


def scheduled(recurrence: Recurrence, registered: Registered, ignored: Sequence[str]) -> Response:
    """Return the answer to a recurring call, from its arguments alone, as replays require."""
    job_id = PREFIX + registered.schedule_id
    left = registered.runs_left if registered.status is ScheduleStatus.RECURRING else 0
    runs = islice(recurrence.runs(registered.accepted_ms), left)
    document: dict[str, Any] = {
        "message": _MESSAGES[registered.status],
        "jobId": job_id,
        "status": registered.status.value,
        "cronExpression": recurrence.cron,
        "timezone": recurrence.zone,
        "nextRuns": [iso(run_ms) for run_ms in runs],
        "data": recurrence.call.as_data(),
    }
    if recurrence.key is not None:
        document["key"] = recurrence.key
    if registered.updated:
        document["updated"] = True
    if registered.others_total:
        jobs = [_other(each) for each in registered.others]
        document["others"] = {"total": registered.others_total, "jobs": jobs}
    response = job_serializer.success(document, ignored)
    response.headers["Location"] = f"/api/queue/job/{job_id}"
    return response


def _other(other: Other) -> dict[str, Any]:
    return {
        "jobId": PREFIX + other.schedule_id,
        "cronExpression": other.cron,
        "timezone": other.zone,
        "nextRun": iso(other.next_ms),
        "key": other.key,
    }


_MESSAGES = {
    ScheduleStatus.RECURRING: "Recurring call scheduled successfully",
    ScheduleStatus.PAUSED: "Recurring call updated; it stays paused until resumed",
    ScheduleStatus.ENDED: (
        "Recurring call updated; it has no runs left: "
        "raise maxRuns, or delete it and schedule it again"
    ),
}


def view(shown: ScheduleView) -> dict[str, Any]:
    """Return a recurring call with its next and its last runs."""
    return {**_schedule(shown, SHOWN_RUNS), "lastRuns": [*map(_run, shown.occurrences)]}


def page(shown: SchedulePage) -> dict[str, Any]:
    """Return a page of the list, each with its next run only, which is stored."""
    jobs = [
        {"jobId": PREFIX + each, "status": "unreadable"}
        if isinstance(each, str)
        else _schedule(each, 1)
        for each in shown.views
    ]
    return {"count": len(jobs), "total": shown.total, "jobs": jobs}


def removed(schedule_id: str, jobs: Removed) -> dict[str, Any]:
    """Return that a recurring call was removed, with its jobs that had not started."""
    return {
        "message": "Recurring call cancelled successfully",
        "jobId": PREFIX + schedule_id,
        "was": "recurring",
        "cancelledJobs": list(jobs.cancelled),
        "activeJobs": list(jobs.active),
    }


def preview(
    cron: Cron,
    zone_name: str,
    from_ms: int,
    count: int,
    forecast: Callable[[Sequence[int]], Sequence[Held | None]],
) -> dict[str, Any]:
    """Return a pattern's runs in local time and UTC, and the clock changes among them.

    ``forecast`` says which rules would hold the calls of runs.
    """
    zone = read_zone(zone_name)
    # Includes a run at exactly that time.
    planned = takewhile(lambda at_ms: at_ms <= HORIZON_MS, cron.runs(zone, from_ms - 1))
    runs = list(islice(planned, count))
    changes = offset_changes(zone, from_ms, runs[-1], MOST_CHANGES) if runs else []
    return {
        "cronExpression": cron.text,
        "timezone": zone_name,
        "description": cron.in_words(),
        "runs": [
            {
                "local": _local(zone, run_ms),
                "utc": iso(run_ms),
                **({"held": job_serializer.held(held)} if held else {}),
            }
            for run_ms, held in zip(runs, forecast(runs), strict=True)
        ],
        "clockChanges": [_change(zone, change) for change in changes],
    }


def _schedule(shown: ScheduleView, runs: int) -> dict[str, Any]:
    schedule = shown.schedule
    wanted = schedule.recurrence
    last = shown.occurrences[0] if shown.occurrences else None
    return {
        "jobId": schedule.job_id,
        **({} if wanted.key is None else {"key": wanted.key}),
        "status": schedule.status.value,
        "data": wanted.call.as_data(),
        "priority": wanted.call.priority.value,
        "cronExpression": wanted.cron,
        "timezone": wanted.zone,
        "description": _in_words(wanted.cron),
        "startAt": iso_or_none(wanted.start_ms),
        "endAt": iso_or_none(wanted.end_ms),
        "maxRuns": wanted.max_runs,
        "graceMs": wanted.misfire_grace_ms,
        "overlap": wanted.overlap.value,
        "nextRuns": [iso(run_ms) for run_ms in _next_runs(schedule, runs)],
        "lastJob": None if last is None else _run(last),
        "firedRuns": {"count": schedule.fired},
        "missedRuns": {"count": schedule.missed, "last": [*map(iso, schedule.missed_ms)]},
        "skippedRuns": {"count": schedule.skipped, "last": [*map(iso, schedule.skipped_ms)]},
        "pausedBy": schedule.pause.by if schedule.pause else None,
        "pausedAt": iso(schedule.pause.at_ms) if schedule.pause else None,
        "createdAt": iso(schedule.created_ms),
        "updatedAt": iso(schedule.updated_ms),
    }


def _in_words(cron: str) -> str | None:
    try:
        return read_cron(cron).in_words()
    except CronError:
        # Written by another version; the scheduler logs it.
        return None


def _next_runs(schedule: Schedule, count: int) -> Sequence[int]:
    known = [schedule.next_ms] if schedule.next_ms is not None else []
    try:
        return known if count == 1 else schedule.next_runs(count)
    except CronError:
        # Its time zone is unknown on this machine; the stored run is known all the same.
        return known


def _run(occurrence: Occurrence) -> dict[str, Any]:
    job = job_serializer.job(occurrence.job) if occurrence.job else {"state": None}
    outcome = {name: job[name] for name in _OUTCOME if name in job}
    return {"jobId": occurrence.job_id, "scheduledFor": iso(occurrence.due_ms), **outcome}


#: Fields of a run; its job has the others.
_OUTCOME = ("state", "attemptsMade", "failedReason", "startedAt", "finishedAt", "call")


def _local(zone: ZoneInfo, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).isoformat()


def _change(zone: ZoneInfo, change: OffsetChange) -> dict[str, Any]:
    # What the clock showed just before and just after the change.
    before = timezone(timedelta(seconds=change.before_s))
    shown = datetime.fromtimestamp(change.at_ms // 1000, before).isoformat()
    return {"utc": iso(change.at_ms), "from": shown, "to": _local(zone, change.at_ms)}
