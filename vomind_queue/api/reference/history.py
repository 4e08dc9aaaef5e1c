"""The reference of the endpoints about the call log, and about people to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vomind_queue.api import log_answers
from vomind_queue.api.log_search import SEARCH
from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference.operation import Content, Example, Operation
from vomind_queue.api.reference.records import LINE_STATUS, SAID
from vomind_queue.api.reference.shapes import (
    COUNT,
    FLAG,
    OBJECT,
    TEXT,
    TIME,
    WHOLE,
    Shape,
    answer,
    many,
    maybe,
    record,
    ref,
    told,
    words,
)
from vomind_queue.calls import Priority
from vomind_queue.logbook import OUTCOMES, STATES

TAG = "History and people"

_STATE = told(words(STATES), "Where the call is, as in the queue, or `cancelled`.")
_BLANKED = "null once it was blanked"
_ROW: Mapping[str, Shape] = {
    "jobId": TEXT,
    "state": _STATE,
    "to": told(maybe(TEXT), f"Number that was to ring; {_BLANKED}."),
    "lead_id": told(maybe(TEXT), "Your own name for the person, as a text."),
    "priority": words(Priority),
    "message": told(maybe(TEXT), f"What was to be spoken; {_BLANKED}."),
    "metadata": told(maybe(OBJECT), f"Your own object; {_BLANKED}."),
    "attemptsMade": COUNT,
    "outcome": maybe(words(OUTCOMES)),
    "failedReason": maybe(TEXT),
    "createdAt": TIME,
    "scheduledFor": maybe(TIME),
    "startedAt": maybe(TIME),
    "answeredAt": maybe(TIME),
    "finishedAt": maybe(TIME),
    "call": maybe(ref("LoggedCallAtTwilio")),
    "anonymizedAt": maybe(TIME),
}

SCHEMAS: Mapping[str, Shape] = {
    "LoggedCallAtTwilio": record(
        "A call at Twilio, as the log has it.",
        {
            "sid": TEXT,
            "status": maybe(LINE_STATUS),
            "duration": maybe(COUNT),
            "answeredBy": maybe(TEXT),
            "price": maybe(TEXT),
            "priceUnit": maybe(TEXT),
        },
    ),
    "LoggedCall": record("A call as it stands in the log.", _ROW),
    "Event": record(
        "One thing that happened to a call.",
        {
            "sequence": WHOLE,
            "at": TIME,
            "event": TEXT,
            "state": told(
                maybe(words(STATES)), "State from then on; null where it did not change."
            ),
            "attempt": maybe(COUNT),
            "sid": maybe(TEXT),
            "status": maybe(LINE_STATUS),
            "duration": maybe(COUNT),
            "details": OBJECT,
        },
    ),
    "LoggedCallAnswer": answer(
        "A call with all that happened to it.", {**_ROW, "events": many(ref("Event"))}
    ),
    "LoggedCallsAnswer": answer(
        "A page of the log, the newest call first.",
        {
            "count": COUNT,
            "calls": told(many(ref("LoggedCall")), "The calls."),
            "next": maybe(TEXT),
        },
    ),
    "ForgottenAnswer": answer(
        "What was done to forget a number.",
        {
            "message": SAID,
            "complete": FLAG,
            "cancelled": COUNT,
            "recurring": told(COUNT, "Recurring calls that were stopped for good."),
            "history": COUNT,
            "log": record(
                "What was erased in the call log.",
                {"calls": told(COUNT, "Calls."), "events": told(COUNT, "Events.")},
            ),
            "beingPlaced": many(TEXT),
        },
    ),
}

_CALL: dict[str, Any] = {
    "jobId": "1",
    "state": "waiting",
    "to": shown.TO,
    "lead_id": None,
    "priority": "normal",
    "message": "Hello from VoMindAI",
    "metadata": {},
    "attemptsMade": 0,
    "outcome": None,
    "failedReason": None,
    "createdAt": "2026-11-24T12:58:48.983Z",
    "scheduledFor": None,
    "startedAt": None,
    "answeredAt": None,
    "finishedAt": None,
    "call": None,
    "anonymizedAt": None,
}
_ACCEPTED: dict[str, Any] = {
    "sequence": 1795525128983001,
    "at": "2026-11-24T12:58:48.983Z",
    "event": "accepted",
    "state": "waiting",
    "attempt": None,
    "sid": None,
    "status": None,
    "duration": None,
    "details": {},
}
_TABLE = (
    f"{','.join(log_answers.COLUMNS)}\r\n"
    f"1,waiting,{shown.TO},,normal,Hello from VoMindAI,{{}},0,,,"
    "2026-11-24T12:58:48.983Z,,,,,,,,,,\r\n"
)

FIND = Operation(
    id="findCalls",
    method="GET",
    path="/api/calls",
    tag=TAG,
    summary="Search the call log",
    text="Calls of the past and of now, the newest first. A filter that does not exist is a 422: "
    "it would show other calls. A filter without a value counts as not given. `Accept: text/csv` "
    "brings a table; in it, a text that a spreadsheet would take for a formula begins with `'`.\n\n"
    "`next` has the cursor of the next page, and the header `Link` its address.",
    answer=ref("LoggedCallsAnswer"),
    query=SEARCH,
    open_filters=True,
    errors=[422],
    stored=False,
    headers={200: ["Link"]},
    contents={
        200: Content(media="text/csv", shape={"type": "string"}, example=_TABLE),
    },
    examples=[
        Example(
            name="number",
            summary="All calls to a number",
            query={"number": shown.TO, "limit": 20},
            answer=shown.success(count=1, calls=[_CALL], next=None),
        ),
        Example(
            name="wrongState",
            summary="A state that there is not",
            status=422,
            query={"state": "ringing"},
            answer=shown.invalid("state", f"Choose one of: {', '.join(STATES)}."),
        ),
    ],
)

SHOW = Operation(
    id="getLoggedCall",
    method="GET",
    path="/api/calls/{jobId}",
    tag=TAG,
    summary="Show a call of the log",
    text="With its events, in order. The call is there as long as the log keeps it, which is "
    "longer than the queue does.",
    answer=ref("LoggedCallAnswer"),
    errors=[404],
    stored=False,
    examples=[
        Example(
            name="accepted",
            summary="A call that was just accepted",
            path={"jobId": "1"},
            answer=shown.success(**_CALL, events=[_ACCEPTED]),
        ),
        Example(
            name="unknown",
            summary="No such call",
            status=404,
            path={"jobId": "1"},
            answer=shown.missing("There is no job 1."),
        ),
    ],
)

FORGET = Operation(
    id="forgetPerson",
    method="DELETE",
    path="/api/people/{number}",
    tag=TAG,
    summary="Forget a person",
    text="Calls to that number leave the queue, recurring ones included (they are not made), its "
    "history, the log and what was on its way to it. A call that is being placed stands in "
    "`beingPlaced`: send the request once more when it has ended.",
    answer=ref("ForgottenAnswer"),
    errors=[422],
    examples=[
        Example(
            name="one",
            summary="A number with one call that waits",
            path={"number": shown.TO},
            answer=shown.success(
                message="The number was forgotten",
                complete=True,
                cancelled=1,
                recurring=0,
                history=0,
                log={"calls": 1, "events": 1},
                beingPlaced=[],
            ),
        ),
        Example(
            name="noNumber",
            summary="What is no number",
            status=422,
            path={"number": "1234567890"},
            answer=shown.problem(
                422,
                "Unprocessable Entity",
                "Write the number as + and 7 to 15 digits: +1234567890.",
                {"_schema": ["Write the number as + and 7 to 15 digits: +1234567890."]},
            ),
        ),
    ],
)

OPERATIONS = [FIND, SHOW, FORGET]
