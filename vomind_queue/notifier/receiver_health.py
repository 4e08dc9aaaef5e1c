"""Whether one receiver works, and until when it is left alone."""

from __future__ import annotations

import random
from collections.abc import Mapping

from vomind_queue.webhooks.backoff import MOST_ASKED_MS, wait_ms
from vomind_queue.webhooks.subscription import Progress

#: Failures in a row after which a receiver counts as down.
DOWN_AFTER = 8


class ReceiverHealth:
    """What the deliveries so far say of it."""

    def __init__(self, progress: Progress) -> None:
        self._streak = progress.streak
        #: Nothing is sent before, unix ms.
        self.next_ms = progress.next_ms
        #: Since when nothing has arrived, unix ms; ``None``: it works.
        self.failing_since_ms = progress.failing_since_ms
        #: Grows once it works again, counts as down or asks for a pause: how a delivery from before
        #: ends says nothing of it any more.
        self.news = 0

    @property
    def is_down(self) -> bool:
        """Return whether one event at a time is tried."""
        return self._streak >= DOWN_AFTER

    def fields(self) -> Mapping[str, str | None]:
        """Return what is stored of it; ``None``: nothing."""
        return {
            "failing_since": _text(self.failing_since_ms),
            "streak": _text(self._streak),
            "next": _text(self.next_ms),
        }

    def succeeded(self, news: int) -> None:
        """Note that a delivery arrived. ``news``: as it was when it was sent."""
        if news == self.news:
            # Otherwise a pause may have been asked for since.
            self.next_ms = 0
        self._streak, self.failing_since_ms = 0, None
        self.news += 1

    def failed(self, news: int, failures: int, asked_ms: int | None, now_ms: int) -> None:
        """Note a failure, of an event that had failed so often before."""
        self.failing_since_ms = self.failing_since_ms or now_ms
        # One event that fails again and again says nothing of all others.
        is_new = self.is_down or not (failures and self._streak)
        if news == self.news and is_new:
            self._count(now_ms)
        if asked_ms:
            self.news += 1
            self.pause_until(now_ms + min(asked_ms, MOST_ASKED_MS))

    def _count(self, now_ms: int) -> None:
        self._streak += 1
        if self.is_down:
            self.news += 1
            pause_ms = wait_ms(self._streak - DOWN_AFTER + 1, None, random.random)
            self.pause_until(now_ms + pause_ms)

    def pause_until(self, at_ms: int) -> None:
        """Leave it alone until then at least."""
        self.next_ms = max(self.next_ms, at_ms)


def _text(number: int | None) -> str | None:
    return str(number) if number else None
