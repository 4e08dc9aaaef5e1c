"""Metrics of the queue: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """Counts of times by half octave, as numbered in `overview.longest_ms`."""

    counts: Mapping[int, int]
    #: Their sum, ms.
    sum_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueMetrics:
    """Counts since the store was created, and ages at this moment, ms."""

    #: How often each event of the call log happened.
    events: Mapping[str, int]
    #: How calls ended on the line; ``not-placed``: Twilio did not accept them.
    outcomes: Mapping[str, int]
    #: Failed attempts by an `attempts.Kind`.
    failures: Mapping[str, int]
    #: Calls rescued from workers that went silent.
    leases_lost: int
    #: How long calls waited before they were started.
    waited: Distribution
    #: How late delayed calls were started.
    late: Distribution
    #: How long the first call in the queue has been waiting.
    oldest_waiting_ms: int
    #: How long the first delayed call is overdue without being in the queue.
    overdue_ms: int
    #: Time since a scheduler had handled everything due; ``None``: none ever did.
    scheduler_seen_ms: int | None
    scheduler_active: bool
    #: By how much the first run of a recurring call is overdue.
    recurring_overdue_ms: int
    #: Age of the oldest attempt with an unknown outcome.
    oldest_unresolved_ms: int
    #: Calls on the line, and calls whose price is still missing.
    polled: int
    #: Numbers on the do-not-call list.
    listed_numbers: int
    #: Campaigns that have not ended, by state; without states that none is in.
    campaigns: Mapping[str, int]
