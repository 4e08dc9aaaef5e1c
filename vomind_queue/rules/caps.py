"""How often a person may be called: at most so many starts within a rolling window."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
#: The longest window, ms: starts are kept for so long.
LONGEST_MS = 30 * _UNIT_MS["d"]
#: The most starts that a cap may allow.
MOST_STARTS = 100
_CAP = re.compile(r"([0-9]{1,3})/([0-9]{1,5})([mhd])")


class InvalidCap(ValueError):
    """The text is no cap."""


@dataclass(frozen=True, order=True, slots=True)
class Cap:
    """At most so many starts within a window of time, wherever that window lies."""

    #: Starts allowed.
    most: int
    window_ms: int

    def __str__(self) -> str:
        """Return the cap as it is written, such as ``3/24h``."""
        # A day is written as 24h, more of them as days.
        for unit in ("d", "h", "m"):
            count, rest = divmod(self.window_ms, _UNIT_MS[unit])
            if not rest and (count > 1 or unit != "d"):
                return f"{self.most}/{count}{unit}"
        raise AssertionError

    def free_at(self, starts: Sequence[int]) -> int | None:
        """Return from when there is room for another start; ``starts``: unix ms, the oldest first.

        None: there always was.
        """
        return starts[-self.most] + self.window_ms if len(starts) >= self.most else None


def parse(text: str) -> tuple[Cap, ...]:
    """Return the caps of a text such as ``3/24h, 4/30d``. Raise InvalidCap."""
    return tuple(_cap(part.strip()) for part in text.split(",")) if text else ()


def _cap(text: str) -> Cap:
    found = _CAP.fullmatch(text)
    if not found:
        raise InvalidCap
    cap = Cap(int(found[1]), int(found[2]) * _UNIT_MS[found[3]])
    if not (1 <= cap.most <= MOST_STARTS and 0 < cap.window_ms <= LONGEST_MS):
        raise InvalidCap
    return cap
