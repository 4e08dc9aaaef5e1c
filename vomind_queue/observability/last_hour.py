"""What happened in the last hour, minute by minute: from plain numbers, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

K = TypeVar("K")

#: Minutes that the overview covers.
MINUTES = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """What happened in one minute."""

    #: Its beginning, unix ms.
    at_ms: int
    #: Calls that began to ring, or were refused by Twilio.
    starts: int
    #: How calls ended: Twilio's final statuses, ``machine`` and ``not-placed``.
    outcomes: Mapping[str, int]
    #: Starts by the half octave of the time that they had waited.
    waits: Mapping[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """The minutes of the last hour in which something happened."""

    #: Unix ms on the clock of Redis.
    now_ms: int
    #: Changes whenever anything happens to any call.
    version: str
    minutes: Sequence[Minute]
    #: Calls that wait now, by the half octave of the time that they have waited.
    waiting: Mapping[int, int] = field(default_factory=dict)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How calls ended, over the hour."""
        return _sums(minute.outcomes for minute in self.minutes)

    def waited_ms(self, share: float) -> int | None:
        """Return the longest wait of that share of the calls, to the next half octave.

        Calls that have started count, and those that are still waiting.
        """
        waits = _sums([*(minute.waits for minute in self.minutes), self.waiting])
        left = share * sum(waits.values())
        for octave in sorted(waits):
            left -= waits[octave]
            if left <= 0:
                return longest_ms(octave)
        return None


def longest_ms(octave: int) -> int:
    """Return the upper end of a half octave, ms, as numbered in includes/totals.lua.

    >>> [longest_ms(octave) for octave in (0, 2, 20, 21)]
    [0, 1, 768, 1024]
    """
    exponent, upper = divmod(octave, 2)
    if exponent == 0:
        return 0
    return int(2 ** (exponent - 1) * (2.0 if upper else 1.5))


def _sums(counts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total
