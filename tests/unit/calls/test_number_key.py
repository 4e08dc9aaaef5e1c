"""The digest of a number is the HMAC that Python's own library computes."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from vomind_queue.calls.number_key import NumberKey


@pytest.mark.parametrize("secret", ["k" * 16, "ä" * 32, "long " * 40])
def test_the_parts_of_the_key_make_its_hmac(secret: str) -> None:
    """The script in Redis has only the parts."""
    key = NumberKey(secret)
    inner = hashlib.sha1(key.inner + b"+18125550100").digest()
    digest = hashlib.sha1(key.outer + inner).hexdigest()
    assert digest == hmac.new(secret.encode(), b"+18125550100", "sha1").hexdigest()
    assert key.member("+18125550100") == f"#{key.fingerprint}:{digest}"


def test_keys_are_told_apart() -> None:
    """By a part of a digest that says nothing about the key."""
    assert NumberKey("a" * 16).fingerprint != NumberKey("b" * 16).fingerprint
