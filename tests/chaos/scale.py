"""How large an experiment is, and how fast the protocol runs meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: The protocol ten times faster than by default.
FAST_TIMES: Mapping[str, str] = {
    "CALL_RETRY_DELAY": "1",
    "LEASE_TIME": "1s",
    "DIAL_DEADLINE": "1s",
    "RECONCILE_INTERVAL": "200ms",
    "UNKNOWN_OUTCOME_HORIZON": "6s",
    "CIRCUIT_PROBE_INTERVAL": "500ms",
    "DRAIN_TIME": "2s",
    "CALL_RATE_LIMIT": "off",
}
#: The product's own times; only the limit is lifted, which has its own experiments.
REAL_TIMES: Mapping[str, str] = {"CALL_RATE_LIMIT": "off"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """One of `SHORT`, `USUAL` and `FULL`."""

    name: str
    #: Settings of the processes.
    times: Mapping[str, str]
    #: Length of the protocol's times against the product's own.
    pace: float
    #: Whether durations are judged: not on a machine that is busy with other tests.
    timed: bool

    def pick(self, short: T, usual: T, full: T) -> T:
        """Return the size that belongs to this scale."""
        return {"short": short, "usual": usual, "full": full}[self.name]


#: Soon after the dial deadline, for tests should not wait for the horizon, but with room for a
#: ring that a busy machine shows late in its list.
_SHORT_TIMES = {**FAST_TIMES, "UNKNOWN_OUTCOME_HORIZON": "4s"}

SHORT = Scale(name="short", times=_SHORT_TIMES, pace=0.1, timed=False)
USUAL = Scale(name="usual", times=FAST_TIMES, pace=0.1, timed=True)
FULL = Scale(name="full", times=REAL_TIMES, pace=1.0, timed=True)
