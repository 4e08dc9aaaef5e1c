"""Numbers as keyed digests: what is left of a person who was forgotten but must not be called.

Phone numbers are few, so a plain digest could be undone by trying them all. With a key that is kept
apart from Redis and the call log it cannot.
"""

from __future__ import annotations

import hashlib
import hmac

#: Bytes of a block of SHA-1 (https://www.rfc-editor.org/rfc/rfc2104#section-2), which is what the
#: scripts in Redis can compute.
_BLOCK = 64


class NumberKey:
    """A key for HMAC-SHA1, in the parts that the script that writes the dial marker needs."""

    def __init__(self, secret: str) -> None:
        key = secret.encode()
        if len(key) > _BLOCK:
            key = hashlib.sha1(key, usedforsecurity=False).digest()
        self._key = key
        padded = key.ljust(_BLOCK, b"\0")
        self.inner = bytes(byte ^ 0x36 for byte in padded)
        self.outer = bytes(byte ^ 0x5C for byte in padded)
        #: Tells this key from others, and nothing about it.
        self.fingerprint = self._digest("fingerprint")[:8]

    def member(self, number: str) -> str:
        """Return what stands for a number."""
        return f"#{self.fingerprint}:{self._digest(number)}"

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha1").hexdigest()
