"""Parts that several examples share, as a service showed them once."""

from __future__ import annotations

from typing import Any

#: A number of nobody's.
TO = "+1234567890"
SID = "CA5a630822d60d44009d35d29bad774749"
REQUEST_ID = "78c7586c74949a7f35cbc4fe1fbab927"

CALL: dict[str, Any] = {
    "to": TO,
    "message": "Hello from VoMindAI",
    "priority": "normal",
    "metadata": {},
}

#: A call that was just accepted.
WAITING: dict[str, Any] = {
    "jobId": "1",
    "state": "waiting",
    "progress": 0,
    "data": CALL,
    "attemptsMade": 0,
    "failedReason": None,
    "priority": "normal",
    "createdAt": "2026-11-24T12:58:48.983Z",
    "scheduledFor": None,
    "startedAt": None,
    "finishedAt": None,
    "call": None,
    "attempts": [],
    "timestamp": 1795525128983,
    "processedOn": None,
    "finishedOn": None,
}

DELAYED = {**WAITING, "state": "delayed", "scheduledFor": "2026-11-24T13:58:48.983Z"}

ACTIVE = {
    **WAITING,
    "state": "active",
    "progress": 50,
    "startedAt": "2026-11-24T12:58:48.986Z",
    "processedOn": 1795525128986,
    "attempts": [
        {
            "number": 1,
            "sid": None,
            "status": None,
            "startedAt": "2026-11-24T12:58:48.986Z",
            "endedAt": None,
            "duration": None,
            "answeredBy": None,
            "sipResponseCode": None,
            "failedReason": None,
        }
    ],
}

#: A call that was answered and is over.
COMPLETED = {
    **WAITING,
    "state": "completed",
    "progress": 100,
    "attemptsMade": 1,
    "startedAt": "2026-11-24T12:58:48.986Z",
    "finishedAt": "2026-11-24T12:58:48.995Z",
    "call": {
        "sid": SID,
        "status": "completed",
        "duration": 4,
        "answeredBy": None,
        "sipResponseCode": 200,
        "price": None,
        "priceUnit": None,
    },
    "attempts": [
        {
            "number": 1,
            "sid": SID,
            "status": "completed",
            "startedAt": "2026-11-24T12:58:48.986Z",
            "endedAt": "2026-11-24T12:58:55.012Z",
            "duration": 4,
            "answeredBy": None,
            "sipResponseCode": 200,
            "failedReason": None,
        }
    ],
    "processedOn": 1795525128986,
    "finishedOn": 1795525128995,
}

REASON = "Twilio will not place this call: Invalid 'To' Phone Number (error 21211, HTTP 400)."

FAILED = {
    **WAITING,
    "state": "failed",
    "attemptsMade": 1,
    "failedReason": REASON,
    "startedAt": "2026-11-24T12:58:48.986Z",
    "finishedAt": "2026-11-24T12:58:48.995Z",
    "attempts": [
        {
            "number": 1,
            "sid": None,
            "status": None,
            "startedAt": "2026-11-24T12:58:48.986Z",
            "endedAt": "2026-11-24T12:58:48.995Z",
            "duration": None,
            "answeredBy": None,
            "sipResponseCode": None,
            "failedReason": REASON,
        }
    ],
    "processedOn": 1795525128986,
    "finishedOn": 1795525128995,
}

#: One call waits, and nobody is there to dial it.
STATS: dict[str, Any] = {
    "stats": {"waiting": 1, "active": 0, "completed": 0, "failed": 0, "delayed": 0, "total": 1},
    "paused": False,
    "pausedBy": None,
    "pausedAt": None,
    "pauseReason": None,
    "byPriority": {"high": 0, "normal": 1, "low": 0},
    "breakerOpenUntil": None,
    "inDoubt": 0,
    "strayRings": 0,
    "workers": 0,
    "callLog": {
        "pending": 1,
        "behindMs": 81,
        "deadLetters": 0,
        "lost": 0,
        "shipping": False,
    },
    "recurring": 0,
    "schedulerLeads": False,
}
RATE_LIMIT = {"max": 10, "windowMs": 60_000, "used": 0, "overridden": False}


def success(**document: Any) -> dict[str, Any]:
    """A 200's document."""
    return {"success": True, **document}


def page(*jobs: dict[str, Any]) -> dict[str, Any]:
    """A list that has no more than these."""
    return success(count=len(jobs), total=len(jobs), jobs=list(jobs))


def problem(
    status: int, title: str, detail: str, errors: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A refusal's document."""
    document: dict[str, Any] = {
        "success": False,
        "error": detail,
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return {**document, "requestId": REQUEST_ID}


def invalid(field: str, message: str) -> dict[str, Any]:
    """A 422 about one field."""
    return problem(422, "Unprocessable Entity", f"{field}: {message}", {field: [message]})


def conflict(detail: str) -> dict[str, Any]:
    """A 409."""
    return problem(409, "Conflict", detail)


def missing(detail: str) -> dict[str, Any]:
    """A 404."""
    return problem(404, "Not Found", detail)
