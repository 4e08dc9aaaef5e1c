"""Twilio as it sends callbacks, for tests: its signature made independently of its library.

Signature: https://www.twilio.com/docs/usage/security#validating-requests. Parameters:
https://www.twilio.com/docs/voice/api/call-resource#statuscallback.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from devserver.parts import FAKE_ACCOUNT

AUTH_TOKEN = FAKE_ACCOUNT["TWILIO_AUTH_TOKEN"]
PUBLIC_URL = "https://queue.example.com"
#: Settings of a service that Twilio can reach.
REACHED = {**FAKE_ACCOUNT, "PUBLIC_URL": PUBLIC_URL}

Pairs = Iterable[tuple[str, str]]


def sign(url: str, pairs: Pairs = (), auth_token: str = AUTH_TOKEN) -> str:
    """Return the address, then each name and value in the order of their names."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    digest = hmac.new(auth_token.encode(), text.encode(), "sha1").digest()
    return base64.b64encode(digest).decode()


def a_sid(number: int) -> str:
    """Return a new call SID."""
    return f"CA{number:032x}"


def callback(sid: str, status: str, sequence: int, **more: Any) -> dict[str, str]:
    """Return the form of a status callback, as Twilio sends it."""
    form = {
        "Called": "+1234567890",
        "ToState": "SP",
        "CallerCountry": "US",
        "Direction": "outbound-api",
        "Timestamp": "Sun, 25 Mar 2018 09:53:19 +0000",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence),
        "CallSid": sid,
        "To": "+1234567890",
        "ToCity": "S\u00e3o Paulo",
        "ToZip": "",
        "ApiVersion": "2010-04-01",
        "CallStatus": status,
        "From": FAKE_ACCOUNT["TWILIO_PHONE_NUMBER"],
        "AccountSid": FAKE_ACCOUNT["TWILIO_ACCOUNT_SID"],
    }
    return form | {name: str(value) for name, value in more.items()}


def signed(url: str, form: Mapping[str, str]) -> dict[str, str]:
    """Return the header that goes with it."""
    return {"X-Twilio-Signature": sign(url, form.items())}
