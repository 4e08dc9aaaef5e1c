"""Turns: of many threads whose answers come at the same time, few go on at once.

Python runs one thread at a time. Where hundreds go on together, each gets a little of it, all are
done at the end only, and all ask their next question at the same moment again: they wait for each
other in every round. First come, first served, the first of them asks its next question while the
last one waits, and what came together comes one after the other from then on.
"""

from __future__ import annotations

import threading
from collections import deque

#: Threads that go on at once. Few enough that the first is done soon, and enough to keep Python
#: busy while most of them wait for a Redis that is some milliseconds away.
AT_ONCE = 16
#: The longest wait for a turn, s. A turn is a courtesy: where it takes so long, as with a Redis
#: still further away, those who have one are not what the others wait for.
PATIENCE_S = 0.25


class Turns:
    """Safe to use from many threads; each has one turn at most."""

    def __init__(self, at_once: int = AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        #: Below zero, where somebody had no patience.
        self._free = at_once
        #: Released when it is their turn, in order.
        self._waiting: deque[threading.Lock] = deque()
        self._mine = threading.local()

    def take(self) -> None:
        """Waits for the turn of this thread; goes on without one after a while."""
        if getattr(self._mine, "taken", False):
            return
        self._mine.taken = True
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            told = threading.Lock()
            told.acquire()
            self._waiting.append(told)
        if not told.acquire(timeout=self._patience_s):
            self._take_anyway(told)

    def leave(self) -> None:
        """Lets the next one have the turn of this thread, if it has one."""
        if not getattr(self._mine, "taken", False):
            return
        self._mine.taken = False
        with self._lock:
            if self._waiting and self._free >= 0:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _take_anyway(self, told: threading.Lock) -> None:
        with self._lock:
            # It may have been told just now.
            if told in self._waiting:
                self._waiting.remove(told)
                self._free -= 1
