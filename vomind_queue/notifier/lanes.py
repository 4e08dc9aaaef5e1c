"""Events on their way to one receiver. Those of one call form a lane, in their order.

Only the first of a lane is sent. Once it failed, those after it wait with it among the events that
are stored to be sent again; the others are read again, from the cursor on, by the next notifier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.subscription import Retry

#: Events of one subscription in memory; more are read when these are delivered.
IN_HAND = 500
#: The same with those that are sent again, of which the numbers alone are in memory.
MOST_WAITING = 10_000


@dataclass(kw_only=True, slots=True)
class Item:
    """An event on its way."""

    retry: Retry
    #: ``None``: to be read when it is sent.
    event: Event | None = None
    #: `Feed.erasures` when it was read.
    erasures: int = -1
    under_way: bool = False
    #: `ReceiverHealth.news` when it was sent.
    news: int = 0


class Lanes:
    """All events of one subscription that were read and not delivered."""

    def __init__(self, retries: Sequence[Retry]) -> None:
        """``retries``: those that were stored."""
        self._lanes: dict[str, deque[Item]] = {}
        #: Read, and neither delivered nor stored among those to be sent again.
        self._fresh: set[int] = set()
        #: Waiting already, whatever the cursor says.
        self._known = {retry.sequence for retry in retries}
        self._count = 0
        for retry in retries:
            self._append(Item(retry=retry))

    def has(self, sequence: int) -> bool:
        """Return whether an event was among those stored."""
        return sequence in self._known

    def has_room(self, *, is_down: bool) -> bool:
        """Return whether more may be read."""
        if is_down and self._fresh:
            # Enough to try it with.
            return False
        return len(self._fresh) < IN_HAND and self._count < MOST_WAITING

    def cursor(self, read: int) -> int:
        """Return up to which event all were delivered or are stored; ``read``: the last in hand."""
        return min(self._fresh) - 1 if self._fresh else read

    def add(self, event: Event, erasures: int) -> Item | None:
        """Add a new event; return it if it waits for one of its call that failed."""
        lane = self._lanes.get(event.lane)
        waits = bool(lane and lane[0].retry.failures)
        item = Item(retry=Retry(sequence=event.sequence, lane=event.lane), erasures=erasures)
        if not waits:
            item.event = event
            self._fresh.add(event.sequence)
        self._append(item)
        return item if waits else None

    def _append(self, item: Item) -> None:
        self._lanes.setdefault(item.retry.lane, deque()).append(item)
        self._count += 1

    def by_turn(self, *, is_down: bool) -> Iterator[Item]:
        """Yield the first of each lane; where the receiver is down, what failed least first."""
        firsts = [lane[0] for lane in self._lanes.values()]
        if is_down:
            # What failed often may be the only thing that does.
            firsts.sort(key=lambda item: item.retry.failures)
        yield from firsts

    def all_due(self) -> None:
        """Have everything sent again at once."""
        for lane in self._lanes.values():
            lane[0].retry = replace(lane[0].retry, due_ms=0)

    def park(self, item: Item) -> Sequence[Item]:
        """Leave the event and those after it to be stored; return them."""
        lane = self._lanes[item.retry.lane]
        for each in lane:
            each.event = None
            self._fresh.discard(each.retry.sequence)
        return lane

    def leave(self, item: Item) -> bool:
        """Let the next of its lane begin; return whether the event was stored to be sent again."""
        lane = self._lanes[item.retry.lane]
        lane.popleft()
        if not lane:
            del self._lanes[item.retry.lane]
        self._count -= 1
        if item.retry.sequence in self._fresh:
            self._fresh.discard(item.retry.sequence)
            return False
        return True
