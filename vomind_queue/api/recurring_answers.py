"""What is answered about recurring calls, in the words of the REST contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from vomind_queue.api import answers
from vomind_queue.api.recurring_schemas import Preview
from vomind_queue.api.times import iso, iso_or_none
from vomind_queue.cron import CronError
from vomind_queue.schedules import (
    PREFIX,
    Occurrence,
    OffsetChange,
    Recurrence,
    Registered,
    Schedule,
    SchedulePage,
    ScheduleView,
    offset_changes,
    read_cron,
    read_zone,
)

#: Runs to come that are shown of an accepted one, and of one that is asked for.
ACCEPTED_RUNS = 3
SHOWN_RUNS = 5
#: Changes of the clock that a preview shows: a pattern of once a year has 100 of them.
MOST_CHANGES = 100


def scheduled(recurrence: Recurrence, registered: Registered, ignored: Sequence[str]) -> Response:
    """The answer to a recurring call; a function of its arguments alone, as replays need it."""
    job_id = PREFIX + registered.schedule_id
    runs = islice(recurrence.runs(registered.accepted_ms), registered.runs_left)
    document = {
        "message": "Recurring call scheduled successfully",
        "jobId": job_id,
        "status": "recurring",
        "cronExpression": recurrence.cron,
        "timezone": recurrence.zone,
        "nextRuns": [iso(run_ms) for run_ms in runs],
        "data": recurrence.call.as_data(),
    }
    response = answers.success(document, ignored)
    response.headers["Location"] = f"/api/queue/job/{job_id}"
    return response


def view(shown: ScheduleView) -> dict[str, Any]:
    """A schedule with its last runs."""
    return {
        **_schedule(shown),
        "lastRuns": [_run(occurrence) for occurrence in shown.occurrences],
    }


def page(shown: SchedulePage) -> dict[str, Any]:
    """A slice of the list."""
    return {
        "count": len(shown.views),
        "total": shown.total,
        "jobs": [_schedule(each) for each in shown.views],
    }


def removed(schedule_id: str, jobs: Sequence[str]) -> dict[str, Any]:
    """A schedule is gone, and its unstarted jobs with it."""
    return {
        "message": "Recurring call cancelled successfully",
        "jobId": PREFIX + schedule_id,
        "was": "recurring",
        "cancelledJobs": list(jobs),
    }


def preview(asked: Preview, from_ms: int) -> dict[str, Any]:
    """Runs of a pattern on the wall clock and in UTC, and how the clock is moved among them."""
    zone = read_zone(asked.zone)
    # A run at that very time is one of them.
    runs = list(islice(asked.cron.runs(zone, from_ms - 1), asked.count))
    changes = offset_changes(zone, from_ms, runs[-1], MOST_CHANGES) if runs else []
    return {
        "cronExpression": asked.cron.text,
        "timezone": asked.zone,
        "description": asked.cron.in_words(),
        "runs": [{"local": _local(zone, run_ms), "utc": iso(run_ms)} for run_ms in runs],
        "clockChanges": [_change(zone, change) for change in changes],
    }


def _schedule(shown: ScheduleView) -> dict[str, Any]:
    schedule = shown.schedule
    wanted = schedule.recurrence
    last = shown.occurrences[0] if shown.occurrences else None
    return {
        "jobId": schedule.job_id,
        "status": _status(schedule),
        "data": wanted.call.as_data(),
        "priority": wanted.call.priority.value,
        "cronExpression": wanted.cron,
        "timezone": wanted.zone,
        "description": read_cron(wanted.cron).in_words(),
        "startAt": iso_or_none(wanted.start_ms),
        "endAt": iso_or_none(wanted.end_ms),
        "maxRuns": wanted.max_runs,
        "graceMs": wanted.grace_ms,
        "overlap": wanted.overlap.value,
        "nextRuns": [iso(run_ms) for run_ms in _next_runs(schedule)],
        "lastJob": None if last is None else _run(last),
        "firedRuns": {"count": schedule.fired},
        "missedRuns": {"count": schedule.missed, "last": [*map(iso, schedule.missed_ms)]},
        "skippedRuns": {"count": schedule.skipped, "last": [*map(iso, schedule.skipped_ms)]},
        "pausedBy": schedule.pause.by if schedule.pause else None,
        "pausedAt": iso(schedule.pause.at_ms) if schedule.pause else None,
        "createdAt": iso(schedule.created_ms),
        "updatedAt": iso(schedule.updated_ms),
    }


def _status(schedule: Schedule) -> str:
    if schedule.pause:
        return "paused"
    return "ended" if schedule.ended else "recurring"


def _next_runs(schedule: Schedule) -> Sequence[int]:
    try:
        return schedule.next_runs(SHOWN_RUNS)
    except CronError:
        # Its time zone is not known on this machine; what is stored is known all the same.
        return [schedule.next_ms] if schedule.next_ms is not None else []


def _run(occurrence: Occurrence) -> dict[str, Any]:
    document: dict[str, Any] = {
        "jobId": occurrence.job_id,
        "scheduledFor": iso(occurrence.due_ms),
        "state": None,
    }
    if occurrence.job is not None:
        job = answers.job(occurrence.job)
        document |= {name: job[name] for name in _OUTCOME}
    return document


#: What is told of a run; the rest stands in its job.
_OUTCOME = ("state", "attemptsMade", "failedReason", "startedAt", "finishedAt", "call")


def _local(zone: ZoneInfo, at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).isoformat()


def _change(zone: ZoneInfo, change: OffsetChange) -> dict[str, Any]:
    # What the clock showed when it was moved, and what it showed then.
    before = datetime.fromtimestamp(
        change.at_ms // 1000, timezone(timedelta(seconds=change.before_s))
    )
    return {
        "utc": iso(change.at_ms),
        "from": before.isoformat(),
        "to": _local(zone, change.at_ms),
    }
