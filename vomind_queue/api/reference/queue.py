"""The reference of the endpoints about the queue as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api import schemas
from vomind_queue.api.reference import examples as shown
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
)
from vomind_queue.calls import Priority, State

TAG = "Queue"

_STATES = [*(state.value for state in State), "total"]

#: Numbers of jobs, and what governs the starts; the limit is told in one of two ways.
STATS: Mapping[str, Shape] = {
    "stats": record("Numbers of jobs by state.", dict.fromkeys(_STATES, COUNT)),
    "paused": FLAG,
    "pausedBy": maybe(TEXT),
    "pausedAt": maybe(TIME),
    "pauseReason": maybe(TEXT),
    "byPriority": record(
        "Waiting calls by priority.",
        dict.fromkeys((priority.value for priority in Priority), COUNT),
    ),
    "breakerOpenUntil": maybe(TIME),
    "inDoubt": COUNT,
    "strayRings": COUNT,
    "workers": COUNT,
    "callLog": record(
        "How far the call log is behind.",
        {
            "pending": COUNT,
            "behindMs": COUNT,
            "deadLetters": COUNT,
            "lost": COUNT,
            "shipping": FLAG,
        },
    ),
    "recurring": COUNT,
    "schedulerLeads": FLAG,
}

SCHEMAS: Mapping[str, Shape] = {
    "RateLimit": record(
        "How much of the allowance is used up.",
        {
            "max": COUNT,
            "windowMs": COUNT,
            "used": COUNT,
            "resetMs": COUNT,
            "overridden": FLAG,
        },
    ),
    "StatsAnswer": answer(
        "All numbers, read at one moment.", {**STATS, "rateLimit": maybe(ref("RateLimit"))}
    ),
    "CleanAnswer": answer(
        "The jobs that were removed from history.",
        {
            "message": SAID,
            "completedCleaned": many(TEXT),
            "failedCleaned": many(TEXT),
            "total": COUNT,
        },
        IGNORED,
    ),
    "CleanableAnswer": answer(
        "What would be removed.",
        {
            "completed": COUNT,
            "failed": COUNT,
            "total": told(COUNT, "How many of them would be removed."),
        },
        IGNORED,
    ),
}

SHOW = Operation(
    id="getStats",
    method="GET",
    path="/api/queue/stats",
    tag=TAG,
    summary="Show the numbers",
    text="Jobs by state, and beside them what governs the starts. It costs the same at ten calls "
    "as at a million.",
    answer=ref("StatsAnswer"),
    examples=[
        Example(
            name="one",
            summary="One call waits, and no worker runs",
            answer=shown.success(**shown.STATS, rateLimit=shown.RATE_LIMIT | {"resetMs": 0}),
        )
    ],
)

_ORDERS = {
    State.WAITING: ("in the order of dialing", shown.WAITING),
    State.DELAYED: ("the soonest first", shown.DELAYED),
    State.ACTIVE: ("the oldest first", shown.ACTIVE),
    State.COMPLETED: ("the newest first", shown.COMPLETED),
    State.FAILED: ("the newest first", shown.FAILED),
}


def _list(state: State) -> Operation:
    order, job = _ORDERS[state]
    return Operation(
        id=f"list{state.value.title()}",
        method="GET",
        path=f"/api/queue/{state.value}",
        tag=TAG,
        summary=f"List {state.value} calls",
        text=f"Calls that are {state.value}, {order}. `start` and `end` count from 0, and **`end` "
        "is included**: 0 and 10 are eleven jobs. Past the end the list is empty.",
        answer=ref("JobsAnswer"),
        query=schemas.PAGE,
        errors=[422],
        examples=[
            Example(
                name="first",
                summary="The first page",
                query={"start": 0, "end": 10},
                answer=shown.page(job),
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


CLEAN = Operation(
    id="cleanQueue",
    method="POST",
    path="/api/queue/clean",
    tag=TAG,
    summary="Remove old calls from history",
    text="Removes completed and failed calls that finished at least `grace` ms ago, the oldest "
    "first, over both states together. Waiting, delayed and active calls are never touched.",
    answer=ref("CleanAnswer"),
    body=schemas.CLEAN,
    examples=[
        Example(
            name="all",
            summary="All that have finished",
            body={"grace": 0, "limit": 1000},
            answer=shown.success(
                message="Old jobs cleaned",
                completedCleaned=["1"],
                failedCleaned=["2"],
                total=2,
            ),
        ),
        Example(
            name="negative",
            summary="A grace that lies ahead",
            status=422,
            body={"grace": -1},
            answer=shown.invalid("grace", "Give a whole number from 0 to 3,153,600,000,000."),
        ),
    ],
)

CLEANABLE = Operation(
    id="previewClean",
    method="POST",
    path="/api/queue/clean/preview",
    tag=TAG,
    summary="Ask what would be removed",
    text="How many calls finished at least `grace` ms ago, and how many of them `limit` lets go. "
    "Removes nothing.",
    answer=ref("CleanableAnswer"),
    body=schemas.CLEAN,
    examples=[
        Example(
            name="all",
            summary="All that have finished",
            body={"grace": 0},
            answer=shown.success(completed=1, failed=1, total=2),
        ),
        Example(
            name="noLimit",
            summary="A limit of none",
            status=422,
            body={"limit": 0},
            answer=shown.invalid("limit", "Give a whole number from 1 to 1,000,000."),
        ),
    ],
)

PAUSE = Operation(
    id="pauseQueue",
    method="POST",
    path="/api/queue/pause",
    tag=TAG,
    summary="Pause the queue",
    text="Once this is answered no call starts, on any worker, those started later included, and "
    "over restarts of everything, until the queue is resumed. Calls being placed finish. New calls "
    "are accepted all the while.",
    answer=ref("DoneAnswer"),
    examples=[Example(name="pause", summary="Pause", answer=shown.success(message="Queue paused"))],
)

RESUME = Operation(
    id="resumeQueue",
    method="POST",
    path="/api/queue/resume",
    tag=TAG,
    summary="Resume the queue",
    text="Calls start again. A queue that runs goes on running.",
    answer=ref("DoneAnswer"),
    examples=[
        Example(name="resume", summary="Resume", answer=shown.success(message="Queue resumed"))
    ],
)

OPERATIONS = [SHOW, *(_list(state) for state in _ORDERS), CLEAN, CLEANABLE, PAUSE, RESUME]
