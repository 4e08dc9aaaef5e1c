"""When a pattern matches in a zone: read once for all recurring calls that share it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vomind_queue.recurring.cron import Cron, CronError

#: No call is planned for the time after the year 2099, unix ms.
HORIZON_MS = 4_102_444_800_000 - 1


def runs_of(
    cron: str, zone: str, start_ms: int | None, end_ms: int | None, after_ms: int
) -> Iterator[int]:
    """Return the times of a pattern after ``after_ms``, from ``start_ms`` to ``end_ms``, unix ms.

    Raise CronError if the expression or the zone cannot be read on this machine.
    """
    if start_ms is not None:
        after_ms = max(after_ms, start_ms - 1)
    last_ms = HORIZON_MS if end_ms is None else min(end_ms, HORIZON_MS)
    first = _next_run(cron, zone, after_ms)
    if first is None or first > last_ms:
        return
    yield first
    later = read_cron(cron).runs(read_zone(zone), first)
    yield from takewhile(lambda run_ms: run_ms <= last_ms, later)


@lru_cache(maxsize=10_000)
def read_cron(text: str) -> Cron:
    """Return a cron expression, read once. Raise CronError."""
    return Cron(text)


@lru_cache(maxsize=50_000)
def _next_run(cron: str, zone: str, after_ms: int) -> int | None:
    """Thousands of schedules share a pattern, and are due at the same moment."""
    return next(read_cron(cron).runs(read_zone(zone), after_ms), None)


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone. Raise CronError when this machine's data does not have it.

    An OSError is the machine's own passing fault, such as too many open files.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CronError(f"There is no time zone {name} on this machine.") from None
