"""Read and write times and durations as the REST API does."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from vomind_queue.calls.instants import EPOCH, MS, iso

#: How far ahead a call may be scheduled, ms.
YEAR_MS = 365 * 24 * 3600 * 1000

#: ISO 8601 with a date, a time and an offset; RFC 3339 allows the space and small letters.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)

_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def parse_instant(text: str, *, up: bool = True) -> int:
    """Return the unix ms of an ISO 8601 time with an offset.

    Part of a millisecond is rounded up; without ``up`` it is dropped. Raise ValueError for
    anything else, times without an offset included.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    # Rounded up: a call is never early.
    return -((EPOCH - moment) // MS) if up else (moment - EPOCH) // MS


def iso_or_none(unix_ms: int | None) -> str | None:
    """Return `iso` of the time, or ``None``."""
    return None if unix_ms is None else iso(unix_ms)


def in_words(duration_ms: int) -> str:
    """Return a duration for people in its two largest units: ``3 hours 5 minutes``."""
    parts = []
    for length, unit in _UNITS:
        count, duration_ms = divmod(duration_ms, length)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "less than a second"
