"""Those that take turns in a dry run: campaigns, and the calls of none. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from vomind_queue.calls.limits import Rate

#: As in `includes/window.lua`: a start leaves its window so much later than it must, ms.
_GUARD_MS = 51
RANKS = (1, 2, 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a campaign, or the calls of none, takes part with."""

    #: Which it is: of those whose turns come at once the first by name is served first.
    name: str = ""
    weight: int = 1
    pace: Rate | None = None
    #: Calls that may be placed or on the line at a time.
    most: int | None = None
    #: Starts within the window of its pace, unix ms, the oldest first.
    starts: Sequence[int] = ()
    #: Calls that are placed or on the line now.
    placed: int = 0
    #: Its virtual time in each priority.
    turns: Mapping[int, float] = field(default_factory=dict)
    #: Calls that wait, by priority; of the campaign itself they are given one by one.
    waiting: Mapping[int, int] = field(default_factory=dict)
    #: When it begins, and from when on none of its calls starts, unix ms.
    begin_ms: int = 0
    end_ms: int | None = None
    #: Calls that are delayed: when they are due, unix ms, and their priority.
    later: Sequence[tuple[int, int]] = ()


class Window:
    """Starts within a rolling window."""

    def __init__(self, rate: Rate | None, starts: Sequence[int]) -> None:
        self._rate = rate
        self._last = deque(starts, maxlen=rate.max_starts if rate else 0)

    def free_at(self, now_ms: int) -> int:
        """Return from when another call may start."""
        rate, last = self._rate, self._last
        if rate is None or len(last) < rate.max_starts:
            return now_ms
        return max(now_ms, last[0] + rate.window_ms + _GUARD_MS)

    def note(self, at_ms: int) -> None:
        """Note a start."""
        self._last.append(at_ms)


class Party:
    """One that takes turns."""

    def __init__(self, share: Share, now_ms: int, lasts_ms: int) -> None:
        """``lasts_ms``: how long each call is placed or on the line."""
        self.name = share.name
        self.step = 1 / share.weight
        self.turns = dict.fromkeys(RANKS, 0.0) | dict(share.turns)
        #: Priorities in which it has its turn.
        self.entered = set[int]()
        #: Whether it is looked at again when it may place another call.
        self.is_resting = False
        self.waiting = dict.fromkeys(RANKS, 0) | dict(share.waiting)
        self._begin_ms = share.begin_ms
        self._end_ms = share.end_ms
        self._window = Window(share.pace, share.starts)
        self._most = share.most
        self._lasts_ms = lasts_ms
        self._ends = [now_ms + lasts_ms] * (share.placed if share.most else 0)

    def has_ended(self, now_ms: int) -> bool:
        """Return whether none of its calls starts any more."""
        return self._end_ms is not None and now_ms >= self._end_ms

    def free_at(self, now_ms: int) -> int:
        """Return from when another call of it may start."""
        free_ms = max(self._begin_ms, self._window.free_at(now_ms))
        if self._most is not None:
            while self._ends and self._ends[0] <= free_ms:
                heappop(self._ends)
            if len(self._ends) >= self._most:
                # All but the last few have to end first.
                free_ms = max(free_ms, sorted(self._ends)[len(self._ends) - self._most])
        return free_ms

    def note(self, at_ms: int) -> None:
        """Note a start."""
        self._window.note(at_ms)
        if self._most is not None:
            heappush(self._ends, at_ms + self._lasts_ms)
