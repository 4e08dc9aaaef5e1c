"""How often a person may be called: at most so many starts within a rolling window.

A pause is a cap, too: it begins with a conversation or a refusal, and one of them is enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
#: The longest window of starts and the longest pause, ms: what begins them is kept for so long.
LONGEST_MS, LONGEST_PAUSE_MS = 30 * _UNIT_MS["d"], 90 * _UNIT_MS["d"]
#: The most starts that a cap may allow.
MOST_STARTS = 100
_CAP = re.compile(r"([0-9]{1,3})/([0-9]{1,5})([mhd])")
_PAUSE = re.compile(r"([0-9]{1,5})([mhd]) after a (conversation|refusal)")


class InvalidCap(ValueError):
    """The text is no cap."""


class Event(StrEnum):
    """What a cap counts."""

    #: A call to the person started.
    START = "start"
    #: A call was answered, and not by a machine.
    CONVERSATION = "conversation"
    #: The person does not want such calls for now, as the operator was told.
    REFUSAL = "refusal"


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What happened to a person lately: unix ms, the oldest first."""

    starts: Sequence[int] = ()
    conversations: Sequence[int] = ()
    refusals: Sequence[int] = ()

    def of(self, event: Event) -> Sequence[int]:
        """Return when events of a kind were."""
        if event is Event.START:
            return self.starts
        return self.conversations if event is Event.CONVERSATION else self.refusals

    def before(self, instant: int) -> History:
        """Return what of it was before an instant."""
        starts, conversations, refusals = (
            tuple(each for each in times if each < instant)
            for times in (self.starts, self.conversations, self.refusals)
        )
        return History(starts=starts, conversations=conversations, refusals=refusals)


#: Of a person who was never called.
NO_HISTORY = History()


@dataclass(frozen=True, order=True, slots=True)
class Cap:
    """At most so many events within a window of time, wherever that window lies."""

    #: Events allowed.
    most: int
    window_ms: int
    event: Event = Event.START

    def __str__(self) -> str:
        """Return the cap as it is written, such as ``3/24h`` or ``7d after a conversation``."""
        if self.event is Event.START:
            return f"{self.most}/{self.length}"
        return f"{self.length} after a {self.event}"

    @property
    def length(self) -> str:
        """The window as it is written, such as ``24h``."""
        # A day is written as 24h, more of them as days.
        for unit in ("d", "h", "m"):
            count, rest = divmod(self.window_ms, _UNIT_MS[unit])
            if not rest and (count > 1 or unit != "d"):
                return f"{count}{unit}"
        raise AssertionError

    def free_at(self, times: Sequence[int]) -> int | None:
        """Return from when there is room for another call; ``times``: unix ms, the oldest first.

        None: there always was.
        """
        return times[-self.most] + self.window_ms if len(times) >= self.most else None


def parse(text: str) -> tuple[Cap, ...]:
    """Return the caps of a text such as ``3/24h, 7d after a conversation``. Raise InvalidCap."""
    return tuple(_cap(part.strip()) for part in text.split(",")) if text else ()


def _cap(text: str) -> Cap:
    if found := _CAP.fullmatch(text):
        cap = Cap(int(found[1]), int(found[2]) * _UNIT_MS[found[3]])
    elif found := _PAUSE.fullmatch(text):
        cap = Cap(1, int(found[1]) * _UNIT_MS[found[2]], Event(found[3]))
    else:
        raise InvalidCap
    longest_ms = LONGEST_MS if cap.event is Event.START else LONGEST_PAUSE_MS
    if not (1 <= cap.most <= MOST_STARTS and 0 < cap.window_ms <= longest_ms):
        raise InvalidCap
    return cap
