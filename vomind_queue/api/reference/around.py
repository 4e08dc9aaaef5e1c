"""The reference of what stands around the API: health, Twilio's side, this document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vomind_queue.api.reference import examples as shown
from vomind_queue.api.reference.operation import Content, Example, Operation
from vomind_queue.api.reference.shapes import COUNT, FLAG, OBJECT, Shape, answer, ref, told, words

HEALTH = "Health"
TWILIO = "Twilio's side"

SCHEMAS: Mapping[str, Shape] = {
    "AliveAnswer": answer("The process is up.", {"status": told(words(["up"]), "That it is up.")}),
    "ReadyAnswer": answer(
        "Calls can go out.",
        {
            "status": told(words(["ready"]), "That it is ready."),
            "redis": told(words(["ready"]), "That Redis answers."),
            "workers": COUNT,
            "schedulerLeads": FLAG,
        },
    ),
}

ALIVE = Operation(
    id="getHealth",
    method="GET",
    path="/healthz",
    tag=HEALTH,
    summary="Is the process up?",
    text="For whatever restarts processes. It asks nobody else.",
    answer=ref("AliveAnswer"),
    keyed=False,
    stored=False,
    examples=[Example(name="up", summary="It is", answer=shown.success(status="up"))],
)

READY = Operation(
    id="getReadiness",
    method="GET",
    path="/readyz",
    tag=HEALTH,
    summary="Can calls go out?",
    text="For load balancers and alarms: Redis answers, a worker asked for calls within 30 seconds "
    "and, where there are recurring calls, a scheduler looked after them. A 503 says which of them "
    "did not.",
    answer=ref("ReadyAnswer"),
    keyed=False,
    examples=[
        Example(
            name="ready",
            summary="One worker",
            answer=shown.success(status="ready", redis="ready", workers=1, schedulerLeads=False),
        ),
        Example(
            name="noWorker",
            summary="No worker",
            status=503,
            answer=shown.problem(
                503,
                "Service Unavailable",
                "No worker was seen in the last 30 s.",
                {"worker": ["No worker was seen in the last 30 s."]},
            ),
        ),
    ],
)

METRICS = Operation(
    id="getMetrics",
    method="GET",
    path="/metrics",
    tag=HEALTH,
    summary="Numbers for Prometheus",
    text="Counts, ages and distributions over all processes, as text. Besides the keys of the API "
    "the one in the setting `METRICS_KEY` opens it. Where Redis is away it is a 503.",
    contents={
        200: Content(
            media="text/plain",
            shape={"type": "string"},
            example='vomind_calls{state="waiting"} 5.0\nvomind_starts_total 31.0\n',
        )
    },
)

#: Parameters of a callback that count here; Twilio sends many more.
_REPORT: Shape = {
    "type": "object",
    "required": ["CallSid"],
    "properties": {
        "CallSid": {
            "type": "string",
            "pattern": "^CA[0-9a-fA-F]{32}$",
            "description": "Twilio's SID of the call.",
        },
        "CallStatus": {"type": "string", "description": "How the call goes."},
        "SequenceNumber": {"type": "string", "description": "Order of a call's callbacks."},
        "CallDuration": {"type": "string", "description": "Seconds on the line."},
        "AnsweredBy": {"type": "string", "description": "Who answered."},
        "SipResponseCode": {"type": "string", "description": "The network's answer."},
    },
}
_UNSIGNED = shown.problem(403, "Forbidden", "This request is not signed by Twilio.")
_NO_CALL = shown.problem(422, "Unprocessable Entity", "CallSid: it names no call.")
_ATTEMPT = {"jobId": "1", "token": "bRlQ3wX5hT0k"}
_RINGING = {"CallSid": shown.SID, "CallStatus": "ringing", "SequenceNumber": "1"}
_HUMAN = {"CallSid": shown.SID, "AnsweredBy": "human"}
_HANG_UP = "<Response><Hangup/></Response>"
_TWIML = Content(media="text/xml", shape={"type": "string"}, example=_HANG_UP)


def _cases(room: str, **sent: Any) -> list[Example]:
    """What may be answered, of a request that Twilio signed and of others."""
    return [
        Example(
            name="unsigned",
            summary="A request that Twilio did not sign",
            status=403,
            path=_ATTEMPT,
            answer=_UNSIGNED,
            **sent,
        ),
        Example(
            name="noAttempt",
            summary="A token that no attempt has",
            status=404,
            path={"jobId": "1", "token": "a/b"},
            answer=shown.missing(f"There is nothing at /api/twilio/{room}/1/a/b."),
            **sent,
        ),
        Example(
            name="noCall",
            summary="A signed request that names no call",
            status=422,
            path=_ATTEMPT,
            answer=_NO_CALL,
            **{name: {"CallStatus": "ringing"} for name in sent},
        ),
    ]


STATUS = Operation(
    id="reportStatus",
    method="POST",
    path="/api/twilio/status/{jobId}/{token}",
    tag=TWILIO,
    summary="How a call goes",
    text="Twilio sends this for each step of a call, in any order, and once more with who "
    "answered. It wants Twilio's signature over the address in the setting `PUBLIC_URL`; "
    "everybody else gets a 403.",
    success=204,
    errors=[413],
    form=_REPORT,
    keyed=False,
    signed_by="twilioSignature",
    examples=[
        Example(
            name="ringing",
            summary="The phone rings",
            status=204,
            path=_ATTEMPT,
            form=_RINGING,
            answer=None,
        ),
        *_cases("status", form=_RINGING),
    ],
)

_ASKED = (
    "Twilio asks this when somebody answers a call that has a `voicemailMessage`: the answer has "
    "the words for a person, or those for a machine. A call that is not known any more is ended."
)
ASK = Operation(
    id="askWords",
    method="GET",
    path="/api/twilio/twiml/{jobId}/{token}",
    tag=TWILIO,
    summary="What to say, asked by GET",
    text=_ASKED,
    keyed=False,
    signed_by="twilioSignature",
    contents={200: _TWIML},
    parameters=[
        {
            "in": "query",
            "name": name,
            "required": name in _REPORT["required"],
            "description": shape["description"],
            "schema": {key: value for key, value in shape.items() if key != "description"},
        }
        for name, shape in _REPORT["properties"].items()
    ],
    examples=[
        Example(
            name="gone",
            summary="A call that is not known any more",
            path=_ATTEMPT,
            query=_HUMAN,
            answer=_HANG_UP,
        ),
        *_cases("twiml", query=_HUMAN),
    ],
)
ASK_BY_POST = Operation(
    id="askWordsByPost",
    method="POST",
    path="/api/twilio/twiml/{jobId}/{token}",
    tag=TWILIO,
    summary="What to say, asked by POST",
    text=_ASKED,
    errors=[413],
    form=_REPORT,
    keyed=False,
    signed_by="twilioSignature",
    contents={200: _TWIML},
    examples=[
        Example(
            name="gone",
            summary="A call that is not known any more",
            path=_ATTEMPT,
            form=_HUMAN,
            answer=_HANG_UP,
        ),
        *_cases("twiml", form=_HUMAN),
    ],
)

DOCUMENT = Operation(
    id="getDocument",
    method="GET",
    path="/openapi.json",
    tag="This document",
    summary="The OpenAPI document",
    text="What you read, for programs. `/docs` shows it to people.",
    answer=told(OBJECT, "An OpenAPI document."),
    keyed=False,
    stored=False,
)

OPERATIONS = [ALIVE, READY, METRICS, STATUS, ASK, ASK_BY_POST, DOCUMENT]
