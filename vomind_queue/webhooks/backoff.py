"""When a failed delivery is tried again, and when it is given up."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

#: The first wait, doubled after each further failure up to the longest one, ms.
FIRST_MS, LONGEST_MS = 1_000, 3_600_000
#: Each wait is longer or shorter by up to this share, so that retries of many spread out.
JITTER = 0.25
#: What a receiver may ask for at most, ms.
MOST_ASKED_MS = 24 * 3_600_000
#: After this time of failures alone a subscription ends, ms; an event is given up as well.
GIVE_UP_MS = 5 * 24 * 3_600_000


def wait_ms(failures: int, asked_ms: int | None, random: Callable[[], float]) -> int:
    """Return the time until the next try.

    ``failures``: how often it failed; ``asked_ms``: how long the receiver asked to be left alone;
    ``random``: returns numbers from 0 to 1.
    """
    doubled = FIRST_MS * 2 ** min(failures - 1, 30)
    wait = min(doubled, LONGEST_MS) * (1 + JITTER * (2 * random() - 1))
    return int(max(wait, min(asked_ms or 0, MOST_ASKED_MS)))


def asked_wait_ms(header: str | None, now_s: float) -> int | None:
    """Return what a ``Retry-After`` asks for, ms; ``None`` where it says nothing (RFC 9110)."""
    if not header:
        return None
    if header.strip().isdecimal():
        return int(header.strip()[:9]) * 1_000
    try:
        at_s = parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(int((at_s - now_s) * 1_000), 0)
