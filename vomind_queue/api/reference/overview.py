"""The reference of the endpoints for people who look after the queue."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api import schemas
from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference import queue
from vomind_queue.api.reference.operation import Example, Operation
from vomind_queue.api.reference.records import IGNORED, SAID
from vomind_queue.api.reference.shapes import (
    COUNT,
    FLAG,
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
from vomind_queue.calls import State
from vomind_queue.overview import Condition, Level

TAG = "Looking after it"

_ENDS: Shape = {
    "type": "object",
    "additionalProperties": COUNT,
    "description": "How calls ended: Twilio's words, `machine`, and `not-placed`.",
}
_STARTS = told(COUNT, "Calls that began to ring, or were refused by Twilio.")
_UNTIL = told(maybe(TIME), "When it changes by itself; null when it does not.")
_WAIT = maybe(COUNT)

SCHEMAS: Mapping[str, Shape] = {
    "Reason": record(
        "One thing that a person should know, with what to do about it.",
        {
            "kind": told(TEXT, "A word for programs: `paused`, `limit` …"),
            "level": told(words(Level), "How bad it is."),
            "title": told(TEXT, "A few words."),
            "detail": TEXT,
            "remedy": told(TEXT, "What to do; empty when there is nothing to be done."),
            "until": _UNTIL,
        },
    ),
    "LastHour": record(
        "What happened in the last hour.",
        {
            "starts": _STARTS,
            "outcomes": _ENDS,
            "waitMs": record(
                "How long calls had waited in their turn, to the next half octave; null without "
                "any.",
                {
                    "p50": told(_WAIT, "Half of them waited no longer."),
                    "p90": told(_WAIT, "Nine in ten of them waited no longer."),
                    "max": told(_WAIT, "None waited longer."),
                },
            ),
            "minutes": told(
                many(
                    record(
                        "A minute in which something happened.",
                        {"at": told(TIME, "Its beginning."), "starts": _STARTS, "outcomes": _ENDS},
                    )
                ),
                "The minutes in which something happened.",
            ),
        },
    ),
    "OverviewAnswer": answer(
        "How the queue stands.",
        {
            "state": told(words(Condition), "How the queue as a whole stands."),
            "level": told(words(Level), "Of the gravest reason."),
            "reasons": told(many(ref("Reason")), "Why, the gravest first."),
            "version": told(TEXT, "Changes whenever anything happens to any call."),
            **queue.STATS,
            "rateLimit": maybe(
                record(
                    "How much of the allowance is used up.",
                    {
                        "max": COUNT,
                        "windowMs": COUNT,
                        "used": COUNT,
                        "overridden": FLAG,
                        "nextStartAt": told(
                            maybe(TIME), "When the next start is allowed; null while there is room."
                        ),
                    },
                )
            ),
            "lastHour": told(ref("LastHour"), "What happened in the last hour."),
        },
    ),
    "WhyAnswer": answer(
        "What stands between a call and its ring.",
        {
            "jobId": TEXT,
            "state": words(State),
            "reasons": told(
                many(
                    record(
                        "One thing between a call and its ring.",
                        {
                            "kind": told(TEXT, "A word for programs: `behind`, `due`, `limit` …"),
                            "text": told(TEXT, "One sentence."),
                            "until": _UNTIL,
                        },
                    )
                ),
                "Why it has not rung yet, the nearest cause first.",
            ),
            "ahead": told(COUNT, "Calls that are dialed before it."),
            "expectedAt": told(
                maybe(TIME), "When it rings at the earliest, as far as can be told now."
            ),
        },
    ),
    "FailureReasonsAnswer": answer(
        "Why calls failed.",
        {
            "count": COUNT,
            "total": told(COUNT, "Failed calls of all of these kinds."),
            "reasons": told(
                many(
                    record(
                        "A kind of failure.",
                        {
                            "kind": told(TEXT, "Names the kind in a request."),
                            "count": told(COUNT, "Failed calls of this kind."),
                            "example": told(TEXT, "The last failure of this kind, in words."),
                        },
                    )
                ),
                "The most frequent kind first.",
            ),
        },
    ),
    "RetriedAnswer": answer(
        "The calls wait again.",
        {
            "message": SAID,
            "count": COUNT,
            "jobIds": told(many(TEXT), "The calls that wait again."),
            "more": told(FLAG, "Whether there are more of that kind."),
        },
        IGNORED,
    ),
}

OVERVIEW = Operation(
    id="getOverview",
    method="GET",
    path="/api/overview",
    tag=TAG,
    summary="How does the queue stand?",
    text="Whether calls go out, and if not, why and what to do; the numbers; the last hour. One "
    "look at Redis serves all who ask within a second. With `If-None-Match` the answer is a 304 "
    "while nothing has changed, so that it can be asked every second or two.",
    answer=ref("OverviewAnswer"),
    headers={200: ["ETag"]},
    examples=[
        Example(
            name="noWorker",
            summary="A call waits, and no worker runs",
            answer=shown.success(
                state="stuck",
                level="error",
                reasons=[
                    {
                        "kind": "no-worker",
                        "level": "error",
                        "title": "No worker is running",
                        "detail": "None asked for calls in the last 30 seconds, so no call is "
                        "placed.",
                        "remedy": "Start one: celery -A celery_app worker. If one runs, compare "
                        "its Redis settings with those of web.",
                        "until": None,
                    }
                ],
                version="1795544426406010",
                **shown.STATS,
                rateLimit=shown.RATE_LIMIT | {"nextStartAt": None},
                lastHour={
                    "starts": 0,
                    "outcomes": {},
                    "waitMs": {"p50": None, "p90": None, "max": None},
                    "minutes": [],
                },
            ),
        )
    ],
)

WHY = Operation(
    id="getWhy",
    method="GET",
    path="/api/queue/job/{jobId}/why",
    tag=TAG,
    summary="Why has a call not rung yet?",
    text="In words, the nearest cause first; and when it rings at the earliest.",
    answer=ref("WhyAnswer"),
    errors=[404],
    examples=[
        Example(
            name="noWorker",
            summary="A call that waits while no worker runs",
            path={"jobId": "1"},
            answer=shown.success(
                jobId="1",
                state="waiting",
                reasons=[
                    {"kind": "next", "text": "It is the next one to be dialed.", "until": None},
                    {"kind": "no-worker", "text": "No worker is running.", "until": None},
                ],
                ahead=0,
                expectedAt=None,
            ),
        ),
        Example(
            name="unknown",
            summary="No such job",
            status=404,
            path={"jobId": "1"},
            answer=shown.missing("There is no job 1."),
        ),
    ],
)

REASONS = Operation(
    id="listFailureReasons",
    method="GET",
    path="/api/queue/failed/reasons",
    tag=TAG,
    summary="Why did calls fail?",
    text="Failed calls by kind of reason, the most frequent kind first.",
    answer=ref("FailureReasonsAnswer"),
    examples=[
        Example(
            name="one",
            summary="One failed call",
            answer=shown.success(
                count=1,
                total=1,
                reasons=[{"kind": "twilio-21211", "count": 1, "example": shown.REASON}],
            ),
        )
    ],
)

RETRY = Operation(
    id="retryFailed",
    method="POST",
    path="/api/queue/retry-failed",
    tag=TAG,
    summary="Retry failed calls of a kind",
    text="Failed calls of one kind, or of all, wait again with a full set of attempts, the last "
    "one to fail first: 1,000 at most in one request. `more` says whether there are others left.",
    answer=ref("RetriedAnswer"),
    body=schemas.RETRY_FAILED,
    examples=[
        Example(
            name="one",
            summary="All of one kind",
            body={"reason": "twilio-21211"},
            answer=shown.success(message="1 call queued again", count=1, jobIds=["1"], more=False),
        ),
        Example(
            name="words",
            summary="What is no kind",
            status=422,
            body={"reason": "No such"},
            answer=shown.invalid("reason", "Give a kind that GET /api/queue/failed/reasons names."),
        ),
    ],
)

OPERATIONS = [OVERVIEW, WHY, REASONS, RETRY]
