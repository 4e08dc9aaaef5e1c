"""How fast calls may start, whether at all, and how much history is kept: plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A pace: at most ``max_starts`` starts in any window of ``window_ms``."""

    max_starts: int
    window_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Who stopped the queue, when and why."""

    by: str
    #: Unix ms.
    at_ms: int
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How much history is kept of one state; whichever bound is met first."""

    age_ms: int
    count: int
