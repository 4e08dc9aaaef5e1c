"""Attempts for tests, and the times that they are given."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from vomind_queue.calls.attempts import Attempt
from vomind_queue.calls.call import Call
from vomind_queue.clocks import boottime
from vomind_queue.twilio.dialer import TwilioDialer

#: Of the tests in which it passes; the others have the usual one.
DEADLINE_MS = 1_000
#: What a busy machine may add to it, s; far less than any fault lasts.
GRACE_S = 2.0
PUBLIC_URL = "https://queue.example.com"

MakeDialer = Callable[..., TwilioDialer]
_numbers = count(time.time_ns() % 10**6)


def an_attempt(to: str | None = None, **fields: Any) -> Attempt:
    """An attempt that was marked just now, to a number that no other test has."""
    call = Call(to=to or f"+1504{next(_numbers):07}", **fields)
    return Attempt(
        job_id="7",
        token=f"token-{next(_numbers)}",
        call=call,
        number=1,
        marked_ms=int(time.time() * 1000),
        started_s=boottime(),
    )
