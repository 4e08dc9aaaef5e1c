"""The times and numbers by which workers work together."""

from __future__ import annotations

from dataclasses import dataclass

from vomind_queue.calls.limits import Rate, Retention

#: How long a SID is remembered at least, ms: an outcome may be unknown as long as Twilio is away.
SID_TTL_MS = 24 * 3600 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """Times and numbers by which workers work together; the same for all of them."""

    #: A worker that is silent for this long has lost its calls, ms.
    lease_ms: int
    #: Starts allowed; ``None`` for no limit.
    rate: Rate | None
    #: Time between two probes of an open circuit, ms.
    breaker_probe_ms: int
    #: How long a phone rings where the call does not say, ms.
    ring_timeout_ms: int
    #: How long a call that rings as usual may be missing from Twilio's list, ms.
    unknown_outcome_horizon_ms: int
    #: After how long Twilio is first asked what became of a placed call that rings as usual, ms.
    first_poll_ms: int
    #: Least time between two calls to one number, from the end of the first, ms.
    number_gap_ms: int
    keep_completed: Retention
    keep_failed: Retention
    #: How many starts of calls to a person, and how many conversations, are kept for the caps; 0:
    #: none.
    starts_kept: int = 0
    talks_kept: int = 0

    @property
    def sid_ttl_ms(self) -> int:
        """How long a SID is remembered, ms."""
        return max(2 * self.unknown_outcome_horizon_ms, SID_TTL_MS)
