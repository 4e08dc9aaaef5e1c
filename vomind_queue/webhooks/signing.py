"""Signatures as Standard Webhooks 1.0.0 has them: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
#: Bytes of a secret.
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a secret that nobody has."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, event_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the signature that a receiver with the secret computes as well."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(
    secrets_in_use: Sequence[str], event_id: str, timestamp_s: int, body: bytes
) -> Mapping[str, str]:
    """Return the three headers of a delivery, with a signature for each secret."""
    signed = (signature(each, event_id, timestamp_s, body) for each in secrets_in_use)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signed),
    }
