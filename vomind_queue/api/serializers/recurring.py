"""What is answered about recurring calls, in the words of the REST contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.serializers.times import iso, iso_or_none
from vomind_queue.recurring.cron import Cron, CronError
from vomind_queue.recurring.schedule import (
    HORIZON_MS,
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
    read_cron,
    read_zone,
)
from vomind_queue.recurring.time_zones import OffsetChange, offset_changes

#: Runs to come that are shown of one that is asked for.
SHOWN_RUNS = 5
#: Changes of the clock that a preview shows: a pattern of once a year has 100 of them.
MOST_CHANGES = 100


def scheduled(recurrence: Recurrence, registered: Registered, ignored: Sequence[str]) -> Response:
    """The answer to a recurring call; a function of its arguments alone, as replays need it."""
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
    ScheduleStatus.PAUSED: "Recurring call updated; it is paused, and rings again once resumed",
    ScheduleStatus.ENDED: (
        "Recurring call updated; its runs are used up, so it rings no more: "
        "raise maxRuns, or delete it first to begin anew"
    ),
}


def view(shown: ScheduleView) -> dict[str, Any]:
    """A schedule with its next and its last runs."""
    return {**_schedule(shown, SHOWN_RUNS), "lastRuns": [*map(_run, shown.occurrences)]}


def page(shown: SchedulePage) -> dict[str, Any]:
    """A slice of the list; each with its next run alone, which costs no reckoning."""
    jobs = [
        {"jobId": PREFIX + each, "status": "unreadable"}
        if isinstance(each, str)
        else _schedule(each, 1)
        for each in shown.views
    ]
    return {"count": len(jobs), "total": shown.total, "jobs": jobs}


def removed(schedule_id: str, jobs: Removed) -> dict[str, Any]:
    """A schedule is gone, and its jobs with it that did not start."""
    return {
        "message": "Recurring call cancelled successfully",
        "jobId": PREFIX + schedule_id,
        "was": "recurring",
        "cancelledJobs": list(jobs.cancelled),
        "activeJobs": list(jobs.active),
    }


def preview(cron: Cron, zone_name: str, from_ms: int, count: int) -> dict[str, Any]:
    """Runs of a pattern on the wall clock and in UTC, and how the clock is moved among them."""
    zone = read_zone(zone_name)
    # A run at that very time is one of them.
    planned = takewhile(lambda at_ms: at_ms <= HORIZON_MS, cron.runs(zone, from_ms - 1))
    runs = list(islice(planned, count))
    changes = offset_changes(zone, from_ms, runs[-1], MOST_CHANGES) if runs else []
    return {
        "cronExpression": cron.text,
        "timezone": zone_name,
        "description": cron.in_words(),
        "runs": [{"local": _local(zone, run_ms), "utc": iso(run_ms)} for run_ms in runs],
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
        "graceMs": wanted.grace_ms,
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
        # Of another version; the scheduler tells of it in its log.
        return None


def _next_runs(schedule: Schedule, count: int) -> Sequence[int]:
    known = [schedule.next_ms] if schedule.next_ms is not None else []
    try:
        return known if count == 1 else schedule.next_runs(count)
    except CronError:
        # Its time zone is not known on this machine; what is stored is known all the same.
        return known


def _run(occurrence: Occurrence) -> dict[str, Any]:
    job = job_serializer.job(occurrence.job) if occurrence.job else {"state": None}
    outcome = {name: job[name] for name in _OUTCOME if name in job}
    return {"jobId": occurrence.job_id, "scheduledFor": iso(occurrence.due_ms), **outcome}


#: What is told of a run; the rest stands in its job.
_OUTCOME = ("state", "attemptsMade", "failedReason", "startedAt", "finishedAt", "call")


def _local(zone: ZoneInfo, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).isoformat()


def _change(zone: ZoneInfo, change: OffsetChange) -> dict[str, Any]:
    # What the clock showed when it was moved, and what it showed then.
    before = timezone(timedelta(seconds=change.before_s))
    shown = datetime.fromtimestamp(change.at_ms // 1000, before).isoformat()
    return {"utc": iso(change.at_ms), "from": shown, "to": _local(zone, change.at_ms)}
