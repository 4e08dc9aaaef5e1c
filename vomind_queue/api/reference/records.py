"""Shapes that several answers share: a call, a job, a page of them, a problem."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.api.fields import DetectionWord, LeadId, Outcomes, PhoneNumber
from vomind_queue.api.reference.shapes import (
    COUNT,
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
from vomind_queue.calls import Priority, State
from vomind_queue.progress import LineStatus

CALL = record(
    "A call as it was asked for, defaults filled in.",
    {
        "to": PhoneNumber().shape(),
        "message": TEXT,
        "priority": words(Priority),
        "metadata": OBJECT,
    },
    {
        "lead_id": LeadId().shape(),
        "retryOn": Outcomes().shape(),
        "machineDetection": DetectionWord().shape(),
        "voicemailMessage": TEXT,
    },
)

#: Twilio's words and ours, as they stand on a job.
LINE_STATUS = told(
    words(LineStatus),
    "How the call goes on the line, as Twilio reports it; `unknown`: Twilio no longer knows it.",
)

LINE = record(
    "A call at Twilio.",
    {
        "sid": TEXT,
        "status": LINE_STATUS,
        "duration": maybe(COUNT),
        "answeredBy": maybe(TEXT),
        "sipResponseCode": maybe(WHOLE),
        "price": maybe(TEXT),
        "priceUnit": maybe(TEXT),
    },
)

ATTEMPT = record(
    "One try at ringing the phone, under way or over.",
    {
        "number": {"type": "integer", "minimum": 1},
        "sid": maybe(TEXT),
        "status": maybe(LINE_STATUS),
        "startedAt": maybe(TIME),
        "endedAt": maybe(TIME),
        "duration": maybe(COUNT),
        "answeredBy": maybe(TEXT),
        "sipResponseCode": maybe(WHOLE),
        "failedReason": told(maybe(TEXT), "Why it came to nothing; null where it did not."),
    },
)

_JOB: Mapping[str, Shape] = {
    "jobId": TEXT,
    "state": words(State),
    "progress": {"type": "integer", "enum": [0, 50, 100]},
    "data": ref("Call"),
    "attemptsMade": COUNT,
    "failedReason": maybe(TEXT),
    "priority": words(Priority),
    "createdAt": TIME,
    "scheduledFor": maybe(TIME),
    "startedAt": maybe(TIME),
    "finishedAt": maybe(TIME),
    "call": maybe(ref("CallAtTwilio")),
    "attempts": many(ref("Attempt")),
    "timestamp": WHOLE,
    "processedOn": maybe(WHOLE),
    "finishedOn": maybe(WHOLE),
}

JOB = record("A call with its state and its story so far.", _JOB)
JOB_ANSWER = answer("A job.", _JOB)
JOBS_ANSWER = answer(
    "Some jobs of one state.", {"count": COUNT, "total": COUNT, "jobs": many(ref("Job"))}
)

#: Fields of a request that nothing was done with: in an answer only where there are any.
IGNORED: Mapping[str, Shape] = {"ignored": many(TEXT)}

DONE = answer("It was done.", {"message": told(TEXT, "What was done, for people.")}, IGNORED)

PROBLEM = record(
    "Why a request was not carried out (RFC 9457).",
    {
        "success": {"type": "boolean", "const": False},
        "error": TEXT,
        "type": told(TEXT, "`about:blank`: the status says which kind it is."),
        "title": TEXT,
        "status": told({"type": "integer", "minimum": 400, "maximum": 599}, "The HTTP status."),
        "detail": TEXT,
        "requestId": TEXT,
    },
    {"errors": OBJECT},
)

#: What answers say in words for people, beside their data.
SAID = told(TEXT, "What was done, for people.")

#: By their names among the components.
SCHEMAS: Mapping[str, Shape] = {
    "Call": CALL,
    "CallAtTwilio": LINE,
    "Attempt": ATTEMPT,
    "Job": JOB,
    "JobAnswer": JOB_ANSWER,
    "JobsAnswer": JOBS_ANSWER,
    "DoneAnswer": DONE,
    "Problem": PROBLEM,
}
