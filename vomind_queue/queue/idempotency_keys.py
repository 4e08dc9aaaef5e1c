"""Idempotency keys as the scripts that store calls take, keep and answer them."""

from __future__ import annotations

from typing import Any

from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import KeyReused
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore

#: How long an idempotency key is remembered, ms.
REQUEST_TTL_MS = 24 * 3600 * 1000


def asked(key: IdempotencyKey | None) -> tuple[str, str, int]:
    """Name, fingerprint and time to live, ms, as the scripts take them; empty without a key."""
    if key is None:
        return "", "", 0
    return key.name, key.fingerprint, REQUEST_TTL_MS


def recalled(store: RedisStore, key: IdempotencyKey) -> list[Any] | None:
    """Return a script's answer to an earlier request with this key, in the script's own form."""
    fields = ("fingerprint", "first", "count", "at")
    seen = store.ask("HMGET", keys.REQUEST + key.name, *fields)
    if seen[0] is None:
        return None
    code = Code.REPLAY if seen[0] == key.fingerprint else Code.MISMATCH
    return [code, 0, *seen[1:]]


def refuse_misuse(answer: list[Any]) -> None:
    """Raise KeyReused where the key came with another request before."""
    if answer[0] == Code.MISMATCH:
        raise KeyReused("This Idempotency-Key was sent before with another request.")
