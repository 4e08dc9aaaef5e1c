"""What all endpoints have in common: headers, parameters, refusals, keys, and the first page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vomind_queue.api.reference import around, calls, history, jobs, overview, queue, recurring
from vomind_queue.api.reference.examples import problem
from vomind_queue.api.reference.operation import PROBLEM
from vomind_queue.api.reference.shapes import Shape, ref

TEXT = """\
A queue for scheduled outbound phone calls: REST in, a ringing phone out.

**JSON** in and out, in UTF-8. Every success is a 200. Times are UTC, as in
`2030-11-20T10:00:00.000Z`; `*Ms` and `grace` are milliseconds. `null` for an optional field means
that it is absent. A field that looks like a slip (`scheduleAT`) is refused with a hint, so that a
slip never becomes an immediate call; other unknown fields are named in the answer's `ignored`.

**Errors** are `application/problem+json` (RFC 9457), those of unknown paths (404) and methods
(405, with `Allow`) included. `detail` is one sentence that a person can act on, `errors` has the
messages by field.

**Keys.** Where the service has `API_KEYS`, each request shows one: `Authorization: Bearer <key>`,
or `X-API-Key: <key>`. Twilio's requests are signed instead. In a browser, only pages of the
service itself may change anything; those of others get a 403.

**Lost answers.** Send an `Idempotency-Key` with the four requests that schedule. The same key and
body within 24 hours get the first answer again and make no second call; the key with another body
is a 422. Keys are kept apart by endpoint and API key.

**Requests** are known by an id, the header `X-Request-Id` of the answer; send your own to choose
it.
"""

TAGS: Mapping[str, str] = {
    calls.TAG: "Accepting calls: at once, for later, many in one go.",
    recurring.TAG: "Calls that are made again and again, each in its own time zone.",
    jobs.TAG: "A call with its state and its story: looked at, cancelled, retried.",
    queue.TAG: "Numbers, lists, history, and the pause.",
    overview.TAG: "Whether calls go out, why one has not rung yet, why others failed.",
    history.TAG: "The call log, which outlives the queue; and people who are to be forgotten.",
    around.HEALTH: "For load balancers and alarms; no key is wanted.",
    around.TWILIO: "What Twilio asks, once the setting `PUBLIC_URL` is there.",
    around.DOCUMENT.tag: "The reference itself; no key is wanted.",
}

SECURITY: Mapping[str, Shape] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the service's `API_KEYS`; none is wanted where it has none.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same in a header of its own.",
    },
    "twilioSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Twilio-Signature",
        "description": "Twilio's signature over the address and the parameters.",
    },
}

HEADERS: Mapping[str, Shape] = {
    "X-Request-Id": {
        "description": "Name of the request in the log of the service.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Path of the job.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": "Address of the next page, where there is one (RFC 8288).",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Of this answer, for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Allow": {
        "description": "The methods that there are.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How a key is shown.",
        "required": True,
        "schema": {"type": "string"},
    },
}

#: By their names among the components; those of a path have the path's names.
PARAMETERS: Mapping[str, Any] = {
    "jobId": {
        "in": "path",
        "name": "jobId",
        "required": True,
        "description": "The `jobId` of an earlier answer.",
        # Recurring calls have paths of their own.
        "schema": {
            "type": "string",
            "pattern": "^(?!recurring:[1-9][0-9]{0,15}$)[!-~]{1,128}$",
        },
        "examples": {"first": {"summary": "The first job of all", "value": "1"}},
    },
    "scheduleId": {
        "in": "path",
        "name": "scheduleId",
        "required": True,
        "description": "The number behind `recurring:` in the `jobId` of an earlier answer.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
        "examples": {"first": {"summary": "The first recurring call of all", "value": "1"}},
    },
    "number": {
        "in": "path",
        "name": "number",
        "required": True,
        "description": "The number to forget: `+` and 7 to 15 digits.",
        "schema": {"type": "string", "pattern": r"^\+[0-9]{7,15}$"},
        "examples": {"number": {"summary": "A number of nobody's", "value": "+1234567890"}},
    },
    "token": {
        "in": "path",
        "name": "token",
        "required": True,
        "description": "Name of the attempt, as Twilio was given it.",
        "schema": {"type": "string"},
        "examples": {"one": {"summary": "An attempt", "value": "bRlQ3wX5hT0k"}},
    },
    "idempotencyKey": {
        "in": "header",
        "name": "Idempotency-Key",
        "description": "Makes this request one that can be sent again: 1 to 255 printable ASCII "
        "characters.",
        "schema": {"type": "string", "format": "idempotency-key", "pattern": "^[ -~]{1,255}$"},
        "examples": {"order": {"summary": "The app's own name for it", "value": "order-4711"}},
    },
}


def _refusal(
    description: str, summary: str, example: dict[str, Any], *headers: str
) -> dict[str, Any]:
    names = ["X-Request-Id", *headers]
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {
            PROBLEM: {
                "schema": ref("Problem"),
                "examples": {"common": {"summary": summary, "value": example}},
            }
        },
    }


#: Answers that are the same wherever they occur, by status.
_MISPLACED = "Not taken here. A call for later goes to /api/queue/schedule-delayed-call."

REFUSALS: Mapping[str, Any] = {
    "BadRequest": _refusal(
        "The body is no readable JSON.",
        "Half a document",
        problem(
            400,
            "Bad Request",
            "The body is not readable JSON: Expecting property name enclosed in double quotes "
            "(line 1, column 2).",
        ),
    ),
    "Unauthorized": _refusal(
        "The API key is missing or wrong.",
        "No key",
        problem(
            401,
            "Unauthorized",
            "Show one of the API keys: Authorization: Bearer <key>, or X-API-Key: <key>.",
        ),
        "WWW-Authenticate",
    ),
    "Foreign": _refusal(
        "A page of another origin may change nothing.",
        "A page of another site",
        problem(
            403,
            "Forbidden",
            "A browser may change the queue from this server's own pages only.",
        ),
    ),
    "TooLarge": _refusal(
        "The body is too long: 10 MiB are taken.",
        "Too long",
        problem(
            413,
            "Request Entity Too Large",
            "The body is longer than 10 MiB; send it in several requests.",
        ),
    ),
    "NotJson": _refusal(
        "The body is not `application/json` in UTF-8.",
        "A form",
        problem(
            415,
            "Unsupported Media Type",
            "The body must be JSON; send it with Content-Type: application/json.",
        ),
    ),
    "Misplaced": _refusal(
        "The body has a field that would count elsewhere, or is no object; `errors` names it.",
        "A time where none is taken",
        {
            **problem(422, "Unprocessable Entity", f"delayMs: {_MISPLACED}"),
            "errors": {"delayMs": [_MISPLACED]},
        },
    ),
    "TooMany": _refusal(
        "More requests than the setting `REQUEST_RATE_LIMIT` allows.",
        "Too many requests",
        problem(
            429,
            "Too Many Requests",
            "At most 600 requests are taken from you in 60 seconds; try again later.",
        ),
        "Retry-After",
    ),
    "Unavailable": _refusal(
        "Redis, or the database of the call log, cannot be reached or did not answer in time. "
        "`detail` says whether something may have been carried out.",
        "Redis is away",
        problem(
            503,
            "Service Unavailable",
            "The queue cannot be reached; nothing was changed. Try again in a few seconds.",
        ),
        "Retry-After",
    ),
}
#: Which of them stands for which status.
BY_STATUS: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Foreign",
    413: "TooLarge",
    415: "NotJson",
    422: "Misplaced",
    429: "TooMany",
    503: "Unavailable",
}
