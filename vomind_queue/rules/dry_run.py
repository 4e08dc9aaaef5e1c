"""When the calls of a campaign would start: the queue's turns on its own clock. No I/O.

As `claim.lua` does it: strict priorities, turns by weight within one, and the limits of the queue
and of each campaign. What cannot be known is assumed: that each call lasts as long as is said, is
not tried again, and that workers are at once where a call may start.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Protocol

from vomind_queue.calls.limits import Rate
from vomind_queue.rules.caps import NO_HISTORY, History
from vomind_queue.rules.rivals import Rivals
from vomind_queue.rules.turns import RANKS, Party, Share, Window

#: Starts that one dry run goes through, those of other campaigns included.
MOST_STARTS = 400_000


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
    number: str
    #: Its `data`, JSON.
    text: str
    rank: int
    #: Its place among those of its priority.
    place: float
    #: When it is due, unix ms; 0: it waits already.
    due_ms: int
    #: The latest start, unix ms.
    latest_ms: int | None


@dataclass(kw_only=True, slots=True)
class Planned:
    """What becomes of it."""

    waiting: Waiting
    rules: Rules | None = None
    #: Of the person, as far as the rules count it.
    past: History = NO_HISTORY
    #: When it would start, unix ms.
    at_ms: int | None = None
    #: What held it last, or why it would not start.
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """The state of the queue at the beginning, and what is assumed of calls."""

    now_ms: int
    #: Of the whole queue; ``None``: no limit.
    limit: Rate | None = None
    starts: Sequence[int] = ()
    rivals: Sequence[Share] = ()
    #: The virtual time of each priority.
    present: Mapping[int, float] = field(default_factory=dict)
    #: From an attempt's start until the call has ended, ms.
    lasts_ms: int = 60_000
    #: Least time between two calls to one number, ms.
    gap_ms: int = 0
    #: None starts from then on, unix ms.
    end_ms: int | None = None


class DryRun:
    """One campaign among others; `run` gives each of its calls a time or a reason."""

    def __init__(self, calls: Sequence[Planned], own: Share, assumed: Assumed) -> None:
        self._assumed = assumed
        self._now = assumed.now_ms
        self._own = Party(own, assumed.now_ms, assumed.lasts_ms)
        # Without a limit of the queue nobody has to wait for others.
        rivals = assumed.rivals if assumed.limit else ()
        self._rivals = Rivals(rivals, assumed.present, assumed.now_ms, assumed.lasts_ms)
        self._limit = Window(assumed.limit, assumed.starts)
        times = Counter(call.waiting.number for call in calls)
        #: People who are called more than once: when they were, and until when the line is busy.
        self._repeated = {number for number, count in times.items() if count > 1}
        self._past: dict[str, History] = {}
        self._busy: dict[str, int] = {}
        self._later = [
            (call.waiting.due_ms, call.waiting.place, n, call) for n, call in enumerate(calls)
        ]
        heapify(self._later)
        self._ready = {rank: list[tuple[float, int, Planned]]() for rank in RANKS}
        self._left = MOST_STARTS

    def run(self) -> None:
        """Let the calls start, one after the other, until none is left."""
        end_ms = self._assumed.end_ms
        while self._left > 0 and (self._later or any(self._ready.values())):
            self._become_due()
            if end_ms is not None and self._now >= end_ms:
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
                own[rank] = max(own[rank], self._rivals.present[rank])
            heappush(ready, (place, number, call))
        self._rivals.move_to(self._now)

    def _serve(self) -> bool:
        """Let the one start whose turn it is; return whether there was one."""
        is_free = self._own.free_at(self._now) <= self._now
        for rank in RANKS:
            ready = is_free and self._ready[rank]
            rival = self._rivals.first(rank, self._now)
            if not (ready or rival):
                continue
            free_ms = self._limit.free_at(self._now)
            if free_ms > self._now:
                self._now = free_ms
                return True
            self._left -= 1
            if ready and not (rival and rival < (self._own.turns[rank], self._own.name)):
                self._serve_own(rank)
            else:
                self._rivals.serve(rank, self._now)
                self._limit.note(self._now)
            return True
        return False

    def _serve_own(self, rank: int) -> None:
        _, number, call = heappop(self._ready[rank])
        self._rivals.present[rank] = self._own.turns[rank]
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
        number = call.waiting.number
        if call.rules is not None:
            past = self._past.get(number, call.past)
            until, why = call.rules.opens_at(self._now, past)
            if until != self._now:
                return until, why
        return max(self._now, self._busy.get(number, 0)), "busy-number"

    def _start(self, call: Planned) -> None:
        call.at_ms = self._now
        self._own.note(self._now)
        self._limit.note(self._now)
        number = call.waiting.number
        if number in self._repeated:
            past = self._past.get(number, call.past)
            self._past[number] = replace(past, starts=[*past.starts, self._now])
            self._busy[number] = self._now + self._assumed.lasts_ms + self._assumed.gap_ms

    def _next_event(self) -> int:
        """Return when something changes by itself."""
        events = [self._assumed.end_ms, self._rivals.next_ms]
        if self._later:
            events.append(self._later[0][0])
        if any(self._ready.values()):
            events.append(self._own.free_at(self._now))
        return max(self._now + 1, min(each for each in events if each is not None))

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
