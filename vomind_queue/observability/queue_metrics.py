"""What is measured of the queue: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """Times by the half octave that they lie in, as in `overview.longest_ms`."""

    counts: Mapping[int, int]
    #: All of them together, ms.
    sum_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueMetrics:
    """Counts since the store was new, and ages at this moment, ms."""

    #: How often each thing happened to a call, by the words of the call log.
    events: Mapping[str, int]
    #: How calls ended on the line; ``not-placed``: Twilio did not take them.
    outcomes: Mapping[str, int]
    #: Failed attempts by an `attempts.Kind`.
    failures: Mapping[str, int]
    #: Calls taken back because their worker said nothing any more.
    leases_lost: int
    #: What calls waited in their turn before they were started.
    waited: Distribution
    #: How late calls for a given time were started.
    late: Distribution
    #: That the first call in the queue waits by now.
    oldest_waiting_ms: int
    #: That the first call for later is past its time and not in the queue.
    overdue_ms: int
    #: Since a scheduler had seen to all that was due; ``None``: none ever did.
    scheduler_seen_ms: int | None
    scheduler_active: bool
    #: By how much the first run of a recurring call is overdue.
    recurring_overdue_ms: int
    #: Since the oldest attempt with an unknown outcome was started.
    oldest_unresolved_ms: int
    #: Calls on the line, and those whose price is waited for.
    polled: int
