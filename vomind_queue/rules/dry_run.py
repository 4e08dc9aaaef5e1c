"""When the calls of a campaign would start: the queue's turns on its own clock. No I/O.

As `claim.lua` does it: strict priorities, turns by weight within one, and the limits of the queue
and of each campaign. What cannot be known is assumed: that each call lasts as long as is said, is
not tried again, and that workers are at once where a call may start.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Protocol

from vomind_queue.calls.call import Call
from vomind_queue.calls.limits import Rate
from vomind_queue.rules.caps import History

#: As in `includes/window.lua`: a start leaves its window so much later than it must, ms.
_GUARD_MS = 51
#: Starts that one dry run goes through, those of other campaigns included.
MOST_STARTS = 400_000
_RANKS = (1, 2, 3)


class Never(StrEnum):
    """Why a call would not start at all, or cannot be told to."""

    EXPIRED = "expired"
    DO_NOT_CALL = "do-not-call"
    #: Behind more starts than one dry run goes through.
    TOO_FAR = "too-far"


class Rules(Protocol):
    """What keeps a person from being called."""

    def opens_at(self, now_ms: int, past: History) -> tuple[int | None, str]:
        """Return from when the call may start, and what keeps it until then.

        ``None``: no such time is known. ``past`` of the person.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A call that has not started, as the queue has it."""

    job_id: str
    call: Call
    rank: int
    #: Its place among those of its priority.
    place: float
    #: When it is due, unix ms; 0: it waits already.
    due_ms: int
    #: The latest start, unix ms.
    latest_ms: int | None
    #: Of the person.
    past: History


@dataclass(kw_only=True, slots=True)
class Planned:
    """What becomes of it."""

    waiting: Waiting
    number: str
    rules: Rules | None = None
    #: When it would start, unix ms.
    at_ms: int | None = None
    #: What held it last, or why it would not start.
    why: str = ""


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
    #: Calls that wait, by priority; of the campaign itself they are given one by one.
    waiting: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """The state of the queue at the beginning, and what is assumed of calls."""

    now_ms: int
    #: Of the whole queue; ``None``: no limit.
    limit: Rate | None = None
    starts: Sequence[int] = ()
    rivals: Sequence[Share] = ()
    #: From an attempt's start until the call has ended, ms.
    lasts_ms: int = 60_000
    #: Least time between two calls to one number, ms.
    gap_ms: int = 0
    #: None starts from then on, unix ms.
    end_ms: int | None = None


class _Window:
    """Starts within a rolling window."""

    def __init__(self, rate: Rate | None, starts: Sequence[int]) -> None:
        self._rate = rate
        self._last = deque(starts, maxlen=rate.max_starts if rate else 0)

    def free_at(self, now_ms: int) -> int:
        rate, last = self._rate, self._last
        if rate is None or len(last) < rate.max_starts:
            return now_ms
        return max(now_ms, last[0] + rate.window_ms + _GUARD_MS)

    def note(self, at_ms: int) -> None:
        if self._rate is not None:
            self._last.append(at_ms)


class _Party:
    """One that takes turns."""

    def __init__(self, share: Share, assumed: Assumed) -> None:
        self.name = share.name
        self.step = 1 / share.weight
        self.turns = dict.fromkeys(_RANKS, 0.0)
        #: Priorities in which it has its turn.
        self.entered = set[int]()
        self.waiting = dict.fromkeys(_RANKS, 0) | dict(share.waiting)
        self._window = _Window(share.pace, share.starts)
        self._most = share.most
        self._lasts_ms = assumed.lasts_ms
        self._ends = [assumed.now_ms + assumed.lasts_ms] * (share.placed if share.most else 0)

    def free_at(self, now_ms: int) -> int:
        """Return from when another call of it may start."""
        free_ms = self._window.free_at(now_ms)
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


class DryRun:
    """One campaign among others; `run` gives each of its calls a time or a reason."""

    def __init__(
        self,
        calls: Sequence[Planned],
        own: Share,
        assumed: Assumed,
    ) -> None:
        self._assumed = assumed
        self._now = assumed.now_ms
        self._own = _Party(own, assumed)
        # Without a limit of the queue nobody has to wait for others.
        rivals = assumed.rivals if assumed.limit else ()
        self._active = {rank: list[tuple[float, str, _Party]]() for rank in _RANKS}
        self._resting: list[tuple[int, str, _Party]] = []
        self._limit = _Window(assumed.limit, assumed.starts)
        self._present = dict.fromkeys(_RANKS, 0.0)
        self._past: dict[str, History] = {}
        self._busy: dict[str, int] = {}
        self._later = [
            (call.waiting.due_ms, call.waiting.place, n, call) for n, call in enumerate(calls)
        ]
        heapify(self._later)
        self._ready = {rank: list[tuple[float, int, Planned]]() for rank in _RANKS}
        self._left = MOST_STARTS
        for share in rivals:
            self._enter(_Party(share, assumed))

    def run(self) -> None:
        """Let the calls start, one after the other, until none is left."""
        while self._left > 0 and (self._later or any(self._ready.values())):
            self._become_due()
            if self._assumed.end_ms is not None and self._now >= self._assumed.end_ms:
                self._give_up(Never.EXPIRED)
            elif not self._serve():
                self._now = self._next_event()
        self._give_up(Never.TOO_FAR)

    def _become_due(self) -> None:
        while self._later and self._later[0][0] <= self._now:
            _, place, number, call = heappop(self._later)
            rank = call.waiting.rank
            ready = self._ready[rank]
            if not ready:
                own = self._own.turns
                own[rank] = max(own[rank], self._present[rank])
            heappush(ready, (place, number, call))
        while self._resting and self._resting[0][0] <= self._now:
            self._enter(heappop(self._resting)[2])

    def _enter(self, party: _Party) -> None:
        """Give a rival its turns, or let it rest until it may place another call."""
        if not any(party.waiting.values()):
            return
        free_ms = party.free_at(self._now)
        if free_ms > self._now:
            heappush(self._resting, (free_ms, party.name, party))
            return
        for rank in _RANKS:
            if party.waiting[rank] and rank not in party.entered:
                turn = max(party.turns[rank], self._present[rank])
                party.entered.add(rank)
                heappush(self._active[rank], (turn, party.name, party))

    def _serve(self) -> bool:
        """Let the one start whose turn it is; return whether there was one."""
        own_free = self._own.free_at(self._now) <= self._now
        for rank in _RANKS:
            ready, rivals = own_free and self._ready[rank], self._active[rank]
            while rivals and self._is_stale(rivals[0][2], rank):
                heappop(rivals)[2].entered.discard(rank)
            if not (ready or rivals):
                continue
            free_ms = self._limit.free_at(self._now)
            if free_ms > self._now:
                self._now = free_ms
                return True
            self._left -= 1
            own = (self._own.turns[rank], self._own.name)
            if ready and not (rivals and rivals[0][:2] < own):
                self._serve_own(rank)
            else:
                self._serve_rival(rank)
            return True
        return False

    def _is_stale(self, party: _Party, rank: int) -> bool:
        """Return whether a rival left its turns by a call of another priority."""
        return not party.waiting[rank] or party.free_at(self._now) > self._now

    def _serve_rival(self, rank: int) -> None:
        turn, _, party = heappop(self._active[rank])
        self._present[rank] = turn
        party.turns[rank] = turn + party.step
        party.waiting[rank] -= 1
        party.note(self._now)
        self._limit.note(self._now)
        free_ms = party.free_at(self._now)
        if free_ms <= self._now and party.waiting[rank]:
            heappush(self._active[rank], (party.turns[rank], party.name, party))
            return
        party.entered.discard(rank)
        if free_ms > self._now:
            heappush(self._resting, (free_ms, party.name, party))

    def _serve_own(self, rank: int) -> None:
        _, number, call = heappop(self._ready[rank])
        self._present[rank] = self._own.turns[rank]
        self._own.turns[rank] += self._own.step
        latest_ms = call.waiting.latest_ms
        if latest_ms is not None and latest_ms < self._now:
            call.why = Never.EXPIRED
            return
        until, why = self._held(call)
        if until is None:
            call.why = why
        elif until > self._now:
            call.why = why
            heappush(self._later, (until, call.waiting.place, number, call))
        else:
            self._start(call)

    def _held(self, call: Planned) -> tuple[int | None, str]:
        """Return from when a call may ring, and what keeps it until then."""
        if call.rules is not None:
            past = self._past.get(call.number, call.waiting.past)
            until, why = call.rules.opens_at(self._now, past)
            if until != self._now:
                return until, why
        return max(self._now, self._busy.get(call.number, 0)), "busy-number"

    def _start(self, call: Planned) -> None:
        call.at_ms = self._now
        self._own.note(self._now)
        self._limit.note(self._now)
        if call.rules is not None:
            past = self._past.get(call.number, call.waiting.past)
            self._past[call.number] = replace(past, starts=[*past.starts, self._now])
        self._busy[call.number] = self._now + self._assumed.lasts_ms + self._assumed.gap_ms

    def _next_event(self) -> int:
        """Return when something changes by itself."""
        events = [self._assumed.end_ms] if self._assumed.end_ms is not None else []
        if self._later:
            events.append(self._later[0][0])
        if self._resting:
            events.append(self._resting[0][0])
        if any(self._ready.values()):
            events.append(self._own.free_at(self._now))
        return max(self._now + 1, min(events))

    def _give_up(self, why: Never) -> None:
        left = [each[-1] for each in self._later]
        left += [each[-1] for ready in self._ready.values() for each in ready]
        for call in left:
            call.why = why
        self._later.clear()
        for ready in self._ready.values():
            ready.clear()


def per_hour(times: Iterable[int]) -> Mapping[int, int]:
    """Return how many of these times are in which hour, by when that begins, unix ms."""
    found: dict[int, int] = defaultdict(int)
    for at_ms in times:
        found[at_ms - at_ms % 3_600_000] += 1
    return dict(sorted(found.items()))
