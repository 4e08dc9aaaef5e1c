"""A published Celery message as a call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vomind_queue.broker.names import CALL_QUEUES, PLACE_CALL
from vomind_queue.calls.call import DEFAULT_MESSAGE, Call, NewCall
from vomind_queue.errors import QueueError


def job_id_of(message: Mapping[str, Any]) -> str:
    """Return the id of the job that a published message is about. Raise QueueError."""
    headers = message["headers"]
    if headers.get("task") != PLACE_CALL:
        raise QueueError(f"Call queues take {PLACE_CALL} only, not {headers.get('task')}.")
    return str(headers["id"])


def is_retry(message: Mapping[str, Any]) -> bool:
    """Return whether the message is a repetition by Celery of a task that ran before."""
    return bool(message["headers"].get("retries"))


def wait_ms(message: Mapping[str, Any]) -> int:
    """Return how long the message asks to wait, ms: a difference, so that clocks need not agree."""
    eta = message["headers"].get("eta")
    if not eta:
        return 0
    at = datetime.fromisoformat(eta)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0, round((at.timestamp() - time.time()) * 1000))


def call_of(queue: str, message: Mapping[str, Any]) -> NewCall:
    """Return the call that a message publishes; its fields are in the header ``call``.

    Raise QueueError when they are missing.
    """
    fields = message["headers"].get("call")
    if not isinstance(fields, Mapping) or "to" not in fields:
        raise QueueError(
            f"{PLACE_CALL} was published without a call: "
            "pass headers={'call': {'to': '+1…', 'message': '…'}}."
        )
    call = Call(
        to=str(fields["to"]),
        message=str(fields.get("message") or DEFAULT_MESSAGE),
        lead_id=fields.get("lead_id"),
        priority=CALL_QUEUES[queue],
        metadata=fields.get("metadata") or {},
    )
    delay_ms = wait_ms(message)
    return NewCall(call=call, delay_ms=delay_ms or None)
