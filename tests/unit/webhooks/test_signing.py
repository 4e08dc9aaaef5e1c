"""Signatures, by an independent implementation."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.signing import headers, new_secret

BODY = '{"type":"call.ended","data":{"message":"Grüße"}}'.encode()


def test_the_library_of_the_specification_verifies_ours() -> None:
    """And refuses another body."""
    secret = new_secret()
    signed = dict(headers([secret], "evt_1", int(time.time()), BODY))
    assert Webhook(secret).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", signed)


def test_both_secrets_of_a_rotation_verify() -> None:
    """The receiver may change over whenever it likes; a third secret verifies nothing."""
    new, old = new_secret(), new_secret()
    signed = dict(headers([new, old], "evt_1", int(time.time()), BODY))
    assert Webhook(new).verify(BODY, signed)
    assert Webhook(old).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, signed)


def test_a_body_is_made_of_what_is_kept_alone() -> None:
    """The words of a call are in it for those alone who ask for them."""
    event = Event(
        sequence=7, type="call.ended", at_ms=0, call="1",
        data='{"jobId":"1","data":{"to":"+1555"}}', words='{"message":"Grüße"}',
    )  # fmt: skip
    head = '{"type":"call.ended","timestamp":"1970-01-01T00:00:00.000Z","sequence":7,"data":'
    plain = '{"jobId":"1","data":{"to":"+1555"}}}'
    full = '{"jobId":"1","data":{"to":"+1555","message":"Grüße"}}}'
    assert event.body(with_words=False).decode() == head + plain
    assert event.body(with_words=True).decode() == head + full
