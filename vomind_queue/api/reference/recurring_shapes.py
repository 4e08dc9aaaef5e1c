"""Shapes of answers about recurring calls."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api.recurring_schemas import OverlapRule
from vomind_queue.api.reference.records import IGNORED, SAID
from vomind_queue.api.reference.shapes import (
    COUNT,
    TEXT,
    TIME,
    Shape,
    answer,
    many,
    maybe,
    record,
    ref,
    told,
    words,
)
from vomind_queue.calls import Priority, State
from vomind_queue.schedules import ScheduleStatus

#: Where a recurring call is; `unreadable` stands in lists for one of another version.
_STATUS = told(
    words(ScheduleStatus), "`ended`: it has no run any more; `paused`: a person stopped it."
)
_ID = told(TEXT, "`recurring:` and a number.")
_OFFSET_TIME = {"type": "string", "format": "date-time"}

_COUNTED = record(
    "How many there were, and the last ten of them.",
    {"count": COUNT, "last": told(many(TIME), "The last ten, in UTC.")},
)

_SCHEDULE: Mapping[str, Shape] = {
    "jobId": _ID,
    "status": _STATUS,
    "data": ref("Call"),
    "priority": words(Priority),
    "cronExpression": TEXT,
    "timezone": TEXT,
    "description": maybe(TEXT),
    "startAt": maybe(TIME),
    "endAt": maybe(TIME),
    "maxRuns": maybe(COUNT),
    "graceMs": COUNT,
    "overlap": OverlapRule().shape(),
    "nextRuns": many(TIME),
    "lastJob": maybe(ref("Run")),
    "firedRuns": record("Runs that became calls.", {"count": COUNT}),
    "missedRuns": ref("CountedRuns"),
    "skippedRuns": ref("CountedRuns"),
    "pausedBy": told(maybe(TEXT), "Name of the API key that paused it, `API` without one."),
    "pausedAt": maybe(TIME),
    "createdAt": TIME,
    "updatedAt": TIME,
}
_WHOLE = {**_SCHEDULE, "lastRuns": many(ref("Run"))}
_FORGOTTEN = "null once its job has left history"

SCHEMAS: Mapping[str, Shape] = {
    "CountedRuns": _COUNTED,
    "Run": record(
        "A run of a recurring call; more of it stands in its job.",
        {
            "jobId": TEXT,
            "scheduledFor": TIME,
            "state": told(maybe(words(State)), f"Where the job is; {_FORGOTTEN}."),
        },
        {
            "attemptsMade": COUNT,
            "failedReason": maybe(TEXT),
            "startedAt": maybe(TIME),
            "finishedAt": maybe(TIME),
            "call": maybe(ref("CallAtTwilio")),
        },
    ),
    "RecurringCall": record("A recurring call.", _SCHEDULE),
    "UnreadableRecurringCall": record(
        "A recurring call that this version of the service cannot read.",
        {"jobId": _ID, "status": told(words(["unreadable"]), "It is of another version.")},
    ),
    "RecurringCallAnswer": answer(
        "A recurring call with its next and its last runs.",
        _WHOLE,
        {"message": SAID, **IGNORED},
    ),
    "RecurringCallsAnswer": answer(
        "Some recurring calls, the soonest first; each with one next run.",
        {
            "count": COUNT,
            "total": COUNT,
            "jobs": told(
                many({"anyOf": [ref("RecurringCall"), ref("UnreadableRecurringCall")]}),
                "The recurring calls.",
            ),
        },
    ),
    "RecurringScheduledAnswer": answer(
        "The call rings again and again.",
        {
            "message": SAID,
            "jobId": _ID,
            "status": _STATUS,
            "cronExpression": TEXT,
            "timezone": TEXT,
            "nextRuns": many(TIME, maxItems=3),
            "data": ref("Call"),
        },
        IGNORED,
    ),
    "RecurringStatusAnswer": answer(
        "Whether it rings.", {"message": SAID, "jobId": _ID, "status": _STATUS}, IGNORED
    ),
    "RecurringCancelledAnswer": answer(
        "It rings no more.",
        {
            "message": SAID,
            "jobId": _ID,
            "was": told(words(["recurring"]), "What it was."),
            "cancelledJobs": many(TEXT),
            "activeJobs": many(TEXT),
        },
    ),
    "PreviewAnswer": answer(
        "When a pattern would ring.",
        {
            "cronExpression": TEXT,
            "timezone": TEXT,
            "description": TEXT,
            "runs": many(record("A run.", {"local": _OFFSET_TIME, "utc": TIME})),
            "clockChanges": many(
                record(
                    "A change of the clock.",
                    {
                        "utc": TIME,
                        "from": told(_OFFSET_TIME, "What the clock showed when it was moved."),
                        "to": told(_OFFSET_TIME, "What it showed then."),
                    },
                )
            ),
        },
        IGNORED,
    ),
}
