"""The newest events, read once for all who deliver them in this process."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vomind_queue.errors import StoreUnavailable
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.event_types import TEST

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Events kept in memory, and those read at once.
IN_MEMORY, READ_AT_ONCE = 2_000, 500
#: After a fault, s.
FAULT_S = 1.0


class Events(Protocol):
    """What this needs of the kept events."""

    def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return events after one."""
        ...

    def wait(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return the same, a moment later where there is none."""
        ...

    def last(self) -> int:
        """Return the number of the last one."""
        ...

    def erasures(self) -> int:
        """Return how often events of a forgotten person were removed."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Events after one; those that a reader cannot want may be left out."""

    events: Sequence[Event]
    #: Number of the last event that was looked at.
    last: int
    #: Events up to that one that are not kept any more.
    missed: int


class Feed:
    """Hands out events, and wakes those who wait for the next one."""

    def __init__(self, events: Events, threads: Executor) -> None:
        """``threads``: in which Redis is waited for."""
        self._events = events
        self._threads = threads
        #: Without a gap in their numbers.
        self._newest: list[Event] = []
        #: Those of each campaign: a thousand readers of one each need not look at all events.
        self._of_campaign: defaultdict[str, list[Event]] = defaultdict(list)
        #: Number of the last one that is for one reader alone, whatever that one follows.
        self._last_test = 0
        #: By the campaign that they follow; ``None``: they may want any event.
        self._sleepers: defaultdict[str | None, set[asyncio.Event]] = defaultdict(set)
        #: Number of the last event.
        self.last = 0
        #: Changes once events were removed: what was read before may be one of them.
        self.erasures = 0

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; it may wait for Redis."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                if not self.last:
                    self.last = await self.in_thread(self._events.last)
                    self._wake_all()
                found = await self.in_thread(lambda: self._events.wait(self.last, READ_AT_ONCE))
                self._take(found, await self.in_thread(self._events.erasures))
            except StoreUnavailable as error:
                logger.warning("events not read, next try in %g s: %s", FAULT_S, error)
                await asyncio.sleep(FAULT_S)

    def _take(self, found: Sequence[Event], erasures: int) -> None:
        is_gap = bool(found) and found[-1].sequence - self.last != len(found)
        if erasures != self.erasures or is_gap:
            self.erasures = erasures
            self._keep([])
        else:
            self._add(found)
        if not found:
            return
        self.last = found[-1].sequence
        if tests := [event.sequence for event in found if event.type == TEST]:
            self._last_test = tests[-1]
            self._wake_all()
        else:
            self._wake({None, *(event.campaign for event in found)})

    def _add(self, found: Iterable[Event]) -> None:
        for event in found:
            self._newest.append(event)
            if event.campaign:
                self._of_campaign[event.campaign].append(event)
        if len(self._newest) > 2 * IN_MEMORY:
            self._keep(self._newest[-IN_MEMORY:])

    def _keep(self, events: Iterable[Event]) -> None:
        self._newest.clear()
        self._of_campaign.clear()
        self._add(events)

    def _wake_all(self) -> None:
        self._wake(set(self._sleepers))

    def _wake(self, campaigns: Iterable[str | None]) -> None:
        for campaign in campaigns:
            for sleeper in self._sleepers.get(campaign, ()):
                sleeper.set()

    def wake(self, sleeper: asyncio.Event, campaign: str | None) -> None:
        """Set this with each further event, or each of one campaign, until `let_sleep`."""
        self._sleepers[campaign].add(sleeper)

    def let_sleep(self, sleeper: asyncio.Event, campaign: str | None) -> None:
        """Undo `wake`."""
        self._sleepers[campaign].discard(sleeper)
        if not self._sleepers[campaign]:
            del self._sleepers[campaign]

    def holds(self, sequence: int) -> bool:
        """Return whether all events after that one are in memory, or there are none."""
        if sequence >= self.last:
            return True
        return bool(self._newest) and self._newest[0].sequence <= sequence + 1

    async def after(self, sequence: int, limit: int) -> Sequence[Event]:
        """Return up to ``limit`` events after one. Raise StoreUnavailable."""
        if self.holds(sequence):
            return _after(self._newest, sequence, limit)
        return await self.in_thread(lambda: self._events.after(sequence, limit))

    async def page(self, sequence: int, limit: int, campaign: str | None) -> Page:
        """Return the same for a reader who follows a campaign. Raise StoreUnavailable."""
        if campaign is not None and self.holds(sequence) and self._last_test <= sequence:
            found = _after(self._of_campaign.get(campaign, []), sequence, limit)
            last = found[-1].sequence if len(found) == limit else self.last
            return Page(events=found, last=last, missed=0)
        found = await self.after(sequence, limit)
        last = found[-1].sequence if found else sequence
        return Page(events=found, last=last, missed=last - sequence - len(found))


def _after(events: Sequence[Event], sequence: int, limit: int) -> Sequence[Event]:
    start = bisect_right(events, sequence, key=lambda event: event.sequence)
    return events[start : start + limit]
