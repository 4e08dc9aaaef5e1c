"""The reference of the endpoints that take in and list recurring calls."""

from __future__ import annotations

from vomind_queue.api import schemas
from vomind_queue.api.recurring_schemas import PREVIEW, RECURRING
from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference import recurring_one
from vomind_queue.api.reference.operation import Example, Operation
from vomind_queue.api.reference.recurring_examples import DATA, NEXT, PATTERN, SCHEDULE
from vomind_queue.api.reference.shapes import ref

TAG = recurring_one.TAG

ACCEPT = Operation(
    id="scheduleRecurringCall",
    method="POST",
    path="/api/queue/schedule-recurring-call",
    tag=TAG,
    summary="Place a call again and again",
    text="Number, pattern and time zone are what makes a recurring call: the same again updates "
    "the rest under the same id, so that an edited message never rings twice. A pause stays, and "
    "so do the counts.\n\n"
    "A time of day that the clock jumps over rings just after the jump, once; one that comes "
    "twice rings the first time. A run that nobody saw rings late, up to `graceMs`; later it is "
    "counted in `missedRuns`.",
    answer=ref("RecurringScheduledAnswer"),
    body=RECURRING,
    body_needed=True,
    replayable=True,
    headers={200: ["Location"]},
    examples=[
        Example(
            name="workdays",
            summary="At nine on workdays, in Berlin",
            body={"to": shown.TO, "message": "Daily reminder", **PATTERN},
            answer=shown.success(
                message="Recurring call scheduled successfully",
                jobId="recurring:1",
                status="recurring",
                **PATTERN,
                nextRuns=NEXT,
                data=DATA,
            ),
        ),
        Example(
            name="never",
            summary="A pattern that never fires",
            status=422,
            body={"to": shown.TO, "cronExpression": "0 0 30 2 *"},
            answer=shown.invalid(
                "cronExpression",
                "It never fires: no day is day of month 30, month 2 and day of week *.",
            ),
        ),
        Example(
            name="abbreviation",
            summary="An abbreviation that may mean several zones",
            status=422,
            body={"to": shown.TO, "cronExpression": "@daily", "timezone": "EST"},
            answer=shown.invalid(
                "timezone", "Name a place's IANA time zone; did you mean America/New_York?"
            ),
        ),
    ],
)

PREVIEWED = Operation(
    id="previewRecurringCall",
    method="POST",
    path="/api/queue/schedule-recurring-call/preview",
    tag=TAG,
    summary="Ask when a pattern would ring",
    text="Stores nothing. The runs, on the wall clock of the zone and in UTC, and how the clock is "
    "moved among them.",
    answer=ref("PreviewAnswer"),
    body=PREVIEW,
    body_needed=True,
    examples=[
        Example(
            name="clockChange",
            summary="Over the night on which Europe's clocks go forward",
            body={
                "cronExpression": "30 2 * * *",
                "timezone": "Europe/Berlin",
                "from": "2027-03-27T00:00:00Z",
                "count": 3,
            },
            answer=shown.success(
                cronExpression="30 2 * * *",
                timezone="Europe/Berlin",
                description="At 02:30 every day",
                runs=[
                    {"local": "2027-03-27T02:30:00+01:00", "utc": "2027-03-27T01:30:00.000Z"},
                    {"local": "2027-03-28T03:00:00+02:00", "utc": "2027-03-28T01:00:00.000Z"},
                    {"local": "2027-03-29T02:30:00+02:00", "utc": "2027-03-29T00:30:00.000Z"},
                ],
                clockChanges=[
                    {
                        "utc": "2027-03-28T01:00:00.000Z",
                        "from": "2027-03-28T02:00:00+01:00",
                        "to": "2027-03-28T03:00:00+02:00",
                    }
                ],
            ),
        ),
        Example(
            name="sixFields",
            summary="A pattern of six fields",
            status=422,
            body={"cronExpression": "0 0 9 * * 1-5"},
            answer=shown.invalid(
                "cronExpression",
                "It has six fields. Write five: a call repeats once a minute at most, so seconds "
                "are not taken.",
            ),
        ),
    ],
)

PAGE = Operation(
    id="listRecurring",
    method="GET",
    path="/api/queue/recurring",
    tag=TAG,
    summary="List recurring calls",
    text="The soonest first, those without a next run last. Each shows one next run; one that is "
    "asked for shows five.",
    answer=ref("RecurringCallsAnswer"),
    query=schemas.PAGE,
    errors=[422],
    examples=[
        Example(
            name="first",
            summary="The first page",
            query={"start": 0, "end": 10},
            answer=shown.page(SCHEDULE),
        ),
        Example(
            name="backwards",
            summary="An end before the start",
            status=422,
            query={"start": 10, "end": 0},
            answer=shown.invalid("end", "It lies before start."),
        ),
    ],
)

OPERATIONS = [ACCEPT, PREVIEWED, PAGE, *recurring_one.OPERATIONS]
