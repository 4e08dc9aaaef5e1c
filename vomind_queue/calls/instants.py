"""Moments as the service writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def iso(unix_ms: int) -> str:
    """Return ``2030-11-20T10:00:00.000Z``, as JavaScript's ``toISOString`` writes it."""
    moment = EPOCH + timedelta(milliseconds=unix_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_ms(text: str) -> int:
    """Return what `iso` was given, by what it returned."""
    return (datetime.fromisoformat(text) - EPOCH) // MS
