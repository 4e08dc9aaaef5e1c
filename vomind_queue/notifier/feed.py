"""The newest events, read once for all who deliver them in this process."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
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


class Feed:
    """Hands out events, and wakes those who wait for the next one."""

    def __init__(self, events: Events, threads: Executor) -> None:
        """``threads``: in which Redis is waited for."""
        self._events = events
        self._threads = threads
        self._newest: list[Event] = []
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
        if erasures != self.erasures:
            self.erasures = erasures
            self._newest.clear()
        else:
            self._newest += found
        if not found:
            return
        if len(self._newest) > 2 * IN_MEMORY:
            del self._newest[:-IN_MEMORY]
        self.last = found[-1].sequence
        if any(event.type == TEST for event in found):
            self._wake_all()
        else:
            self._wake({None, *(event.campaign for event in found)})

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
            start = bisect_right(self._newest, sequence, key=lambda event: event.sequence)
            return self._newest[start : start + limit]
        return await self.in_thread(lambda: self._events.after(sequence, limit))
