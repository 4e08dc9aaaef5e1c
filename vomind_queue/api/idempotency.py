"""Idempotency keys: two requests with the same key count as one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import request

from vomind_queue.api import auth
from vomind_queue.api.errors import Refused
from vomind_queue.api.wording import received
from vomind_queue.calls.job import IdempotencyKey

T = TypeVar("T")

_KEY = re.compile(r"[ -~]{1,255}")


def idempotency_key(body: dict[str, Any]) -> IdempotencyKey | None:
    """Return the key of this request; ``None`` when it has none.

    It counts within its API key and endpoint. The fingerprint is the SHA-256 of the
    body as canonical JSON (sorted, compact), so that neither white space nor the
    order of fields makes another request of it.
    Raise Refused when the key is empty, too long or not printable ASCII.
    """
    sent = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if sent is None:
        return None
    if not _KEY.fullmatch(sent):
        text = f"Must be 1 to 255 printable ASCII characters; got {received(sent)}."
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Idempotency-Key: {text}",
            errors={"Idempotency-Key": [text]},
        )
    scoped = "\n".join((auth.scope(), request.endpoint or "", sent))
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(name=_hash(scoped), fingerprint=_hash(canonical))


def answered_before(
    recall: Callable[[IdempotencyKey], T | None], key: IdempotencyKey | None, error: Exception
) -> T:
    """Return the first answer to a request with this key. Raise ``error`` when there was none."""
    answered = recall(key) if key else None
    if answered is None:
        raise error
    return answered


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
