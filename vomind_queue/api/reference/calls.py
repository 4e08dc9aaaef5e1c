"""The reference of the endpoints that accept calls."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api import schemas
from vomind_queue.api.fields import MAX_CALLS
from vomind_queue.api.reference.examples import CALL, TO, invalid, problem, success
from vomind_queue.api.reference.operation import Example, Operation
from vomind_queue.api.reference.records import IGNORED, SAID
from vomind_queue.api.reference.shapes import (
    COUNT,
    OBJECT,
    TEXT,
    TIME,
    Shape,
    answer,
    many,
    record,
    ref,
    told,
    words,
)
from vomind_queue.api.reference.wording import FIELDS

TAG = "Calls"
_STATUS = words(["scheduled"])
_ACCEPTED = {"message": SAID, "jobId": TEXT, "status": _STATUS, "data": ref("Call")}

SCHEMAS: Mapping[str, Shape] = {
    "ScheduledAnswer": answer("The call is in the queue.", _ACCEPTED, IGNORED),
    "DelayedAnswer": answer(
        "The call is in the queue, for later.", {**_ACCEPTED, "scheduledFor": TIME}, IGNORED
    ),
    "BulkAnswer": answer(
        "All of the calls are in the queue.",
        {
            "message": SAID,
            "count": {"type": "integer", "minimum": 1},
            "jobs": many(
                record("A job of the bulk.", {"jobId": TEXT, "status": _STATUS}), minItems=1
            ),
        },
        IGNORED,
    ),
    "BulkPreviewRequest": record(
        "Calls as in a bulk; what is no call is told, too.",
        {"calls": told(many({}, minItems=1, maxItems=MAX_CALLS), FIELDS["calls"])},
    ),
    "BulkPreviewAnswer": answer(
        "What would become of a bulk.",
        {
            "count": COUNT,
            "valid": told(COUNT, "Calls with which nothing is wrong."),
            "errors": told(OBJECT, "What is wrong with the others, by index and field."),
        },
        IGNORED,
    ),
}

_MESSAGE = "Call scheduled successfully"
_REUSED = problem(
    422, "Unprocessable Entity", "This Idempotency-Key was sent before with another request."
)
_KEY = {"Idempotency-Key": "order-4711"}
_LATER = {"to": TO, "message": "In an hour", "delayMs": 3_600_000}
_PAST = "This was 2195 days 2 hours ago; at most 15 minutes is taken."

SCHEDULE = Operation(
    id="scheduleCall",
    method="POST",
    path="/api/queue/schedule-call",
    tag=TAG,
    summary="Place a call now",
    text="The call is dialed as soon as its turn comes: after those of a higher priority, after "
    "those of the same priority that came before it, and no faster than the limit allows.\n\n"
    "Once this is answered, the call is kept. Send an `Idempotency-Key` where an answer may be "
    "lost: the same request sent again then makes no second call.",
    answer=ref("ScheduledAnswer"),
    body=schemas.CALL,
    body_needed=True,
    replayable=True,
    headers={200: ["Location"]},
    leads_to=["getJob", "getWhy", "cancelJob", "retryJob"],
    examples=[
        Example(
            name="full",
            summary="With all of the plain fields",
            headers=_KEY,
            body={
                "to": TO,
                "message": "Hello",
                "lead_id": "123",
                "priority": "high",
                "metadata": {"campaign": "Q4 Outreach"},
            },
            answer=success(
                message=_MESSAGE,
                jobId="1",
                status="scheduled",
                data={
                    "to": TO,
                    "message": "Hello",
                    "lead_id": "123",
                    "priority": "high",
                    "metadata": {"campaign": "Q4 Outreach"},
                },
            ),
        ),
        Example(
            name="least",
            summary="A number, and nothing else",
            body={"to": TO},
            answer=success(message=_MESSAGE, jobId="1", status="scheduled", data=CALL),
        ),
        Example(
            name="machines",
            summary="For answering machines, and made again when nobody answers",
            body={
                "to": TO,
                "message": "Hello",
                "retryOn": ["busy", "no-answer"],
                "machineDetection": "detect-message-end",
                "voicemailMessage": "Please call us back.",
            },
            answer=success(
                message=_MESSAGE,
                jobId="1",
                status="scheduled",
                data={
                    **CALL,
                    "message": "Hello",
                    "retryOn": ["busy", "no-answer"],
                    "machineDetection": "detect-message-end",
                    "voicemailMessage": "Please call us back.",
                },
            ),
        ),
        Example(
            name="unknownField",
            summary="A field that is not known",
            body={"to": TO, "colour": "blue"},
            answer=success(
                message=_MESSAGE, jobId="1", status="scheduled", data=CALL, ignored=["colour"]
            ),
        ),
        Example(
            name="wrongPriority",
            summary="A word that is no priority",
            status=422,
            body={"to": TO, "priority": "urgent"},
            answer=invalid("priority", "Choose high, normal or low."),
        ),
        Example(
            name="slip",
            summary="A slip in a field's name, which never makes an immediate call",
            status=422,
            body={"to": TO, "scheduleAT": "2030-11-20T10:00:00Z"},
            answer=invalid(
                "scheduleAT",
                "There is no such field; if you meant scheduleAt: A call for later goes to "
                "/api/queue/schedule-delayed-call.",
            ),
        ),
        Example(
            name="reusedKey",
            summary="An Idempotency-Key that came with another body",
            status=422,
            headers=_KEY,
            body={"to": TO, "message": "Something else"},
            answer=_REUSED,
        ),
    ],
)

DELAYED = Operation(
    id="scheduleDelayedCall",
    method="POST",
    path="/api/queue/schedule-delayed-call",
    tag=TAG,
    summary="Place a call later",
    text="Give `delayMs`, or `scheduleAt` with its offset: exactly one of them. Refused are a time "
    "without an offset, more than a year ahead, or in the past by more than the setting "
    "`PAST_SCHEDULE_GRACE`. A call is never early.",
    answer=ref("DelayedAnswer"),
    body=schemas.DELAYED_CALL,
    body_needed=True,
    replayable=True,
    headers={200: ["Location"]},
    leads_to=["getJob", "getWhy", "cancelJob", "retryJob"],
    examples=[
        Example(
            name="inAnHour",
            summary="In an hour",
            body=_LATER,
            answer=success(
                message="Delayed call scheduled successfully",
                jobId="1",
                status="scheduled",
                scheduledFor="2026-11-24T13:58:48.983Z",
                data={**CALL, "message": "In an hour"},
            ),
        ),
        Example(
            name="tooLate",
            summary="A time that has passed",
            status=422,
            body={"to": TO, "scheduleAt": "2020-11-20T10:00:00Z"},
            answer=invalid("scheduleAt", _PAST),
        ),
        Example(
            name="noOffset",
            summary="A time without an offset, which could be anywhere",
            status=422,
            body={"to": TO, "scheduleAt": "2030-11-20T10:00:00"},
            answer=invalid(
                "scheduleAt",
                "Write the time as 2030-11-20T10:00:00Z or 2030-11-20T10:00:00+01:00, "
                "with its offset.",
            ),
        ),
    ],
)

BULK = Operation(
    id="scheduleBulkCalls",
    method="POST",
    path="/api/queue/schedule-bulk-calls",
    tag=TAG,
    summary="Place many calls",
    text="1 to 10,000 calls, all or none: one that is wrong refuses the whole, named by its index "
    "and field, and a crash in the middle leaves all or nothing. Each may carry `scheduleAt` or "
    "`delayMs`. `jobs` has the ids in the order sent.",
    answer=ref("BulkAnswer"),
    body=schemas.BULK,
    body_needed=True,
    replayable=True,
    examples=[
        Example(
            name="two",
            summary="One at once, one for later",
            body={
                "calls": [
                    {"to": "+1111111111", "message": "Alert", "priority": "high"},
                    {"to": "+2222222222", "message": "Later", "delayMs": 60_000},
                ]
            },
            answer=success(
                message="2 calls scheduled successfully",
                count=2,
                jobs=[
                    {"jobId": "1", "status": "scheduled"},
                    {"jobId": "2", "status": "scheduled"},
                ],
            ),
        ),
        Example(
            name="oneIsWrong",
            summary="One call is wrong, so none is accepted",
            status=422,
            body={"calls": [{"to": "+1111111111"}, {"to": "2222222222"}]},
            answer=problem(
                422,
                "Unprocessable Entity",
                "calls[1].to: Write the number as + and 7 to 15 digits: +1234567890.",
                {
                    "calls": {
                        "1": {"to": ["Write the number as + and 7 to 15 digits: +1234567890."]}
                    }
                },
            ),
        ),
    ],
)

PREVIEW = Operation(
    id="previewBulkCalls",
    method="POST",
    path="/api/queue/schedule-bulk-calls/preview",
    tag=TAG,
    summary="Ask what is wrong with many calls",
    text="Stores nothing, and says of each call by its index what is wrong with it, where a bulk "
    "would be refused.",
    answer=ref("BulkPreviewAnswer"),
    body=schemas.BULK,
    body_name="BulkPreviewRequest",
    body_needed=True,
    examples=[
        Example(
            name="oneIsFine",
            summary="One call is fine",
            body={"calls": [{"to": "+1111111111"}]},
            answer=success(count=1, valid=1, errors={}),
        ),
        Example(
            name="empty",
            summary="No call at all",
            status=422,
            body={"calls": []},
            answer=invalid("calls", "Give a list of 1 to 10,000 calls."),
        ),
    ],
)

OPERATIONS = [SCHEDULE, DELAYED, BULK, PREVIEW]
