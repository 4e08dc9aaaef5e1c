"""Compare what a client shows with the configured keys, in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from vomind_queue.config.types import ApiKey

#: White space allowed around a header's value (RFC 9110, section 5.5).
_SPACE = " \t"


def digest(secret: str) -> bytes:
    """Return a digest of a secret: `hmac.compare_digest` reveals the length of what it compares."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def shown_keys(authorization: str, key_header: str) -> Sequence[str]:
    """Return the secrets that a request shows in its headers."""
    shown = []
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        shown.append(credentials.strip(_SPACE))
    if key_header:
        shown.append(key_header.strip(_SPACE))
    return shown


def match_digest(shown: Sequence[str], keys: Sequence[tuple[ApiKey, bytes]]) -> ApiKey | None:
    """Return the key that was shown; ``keys`` come with their digests."""
    found = None
    for secret in shown:
        sent = digest(secret)
        # All keys are compared, so that the time taken does not reveal which one matched.
        for key, expected in keys:
            if hmac.compare_digest(sent, expected):
                found = key
    return found


def match_key(shown: Sequence[str], keys: Sequence[ApiKey]) -> ApiKey | None:
    """Return the key that was shown."""
    return match_digest(shown, [(key, digest(key.secret)) for key in keys])
