"""Facts about calls in Twilio's list that its library does not show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest.api.v2010.account.call import CallInstance  # type: ignore[import-untyped]


def senders_of(answer: Response) -> Mapping[str, str | None]:
    """Return the numbers that the calls of a page come from, by SID.

    The library reads them, too, but has no public name for them: ``from`` is a word of Python's.
    """
    return {call["sid"]: call.get("from") for call in json.loads(answer.text)["calls"]}


def clock_ahead_ms(answer: Response, answered_ms: float) -> int:
    """Return a lower bound of Twilio's clock minus ours: a ring may look younger, never older."""
    try:
        theirs_ms = parsedate_to_datetime(answer.headers["date"]).timestamp() * 1000
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0
    return round(theirs_ms - answered_ms)


def created_ms(call: CallInstance, twilio_now_ms: float) -> int:
    """Return when Twilio created a call, unix ms; without a date, now."""
    created = call.date_created
    return int(twilio_now_ms if created is None else created.timestamp() * 1000)
