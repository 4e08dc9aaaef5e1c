"""Close a day while the service runs, and open it again."""

from __future__ import annotations

import logging
from typing import Protocol

from vomind_queue.errors import DayNotClosed, NoRules, TooManyDays
from vomind_queue.rules.law import ClosedDay
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)


class Days(Protocol):
    """What this needs of the days."""

    def close(self, day: ClosedDay, by: str) -> bool: ...
    def reopen(self, day_id: str) -> bool: ...


class CloseDays:
    """Closed days, for people. Everything may raise StoreUnavailable."""

    def __init__(self, days: Days, deeds: Deeds, *, hold: bool) -> None:
        """``hold``: whether there are calling rules at all."""
        self._days = days
        self._deeds = deeds
        self._hold = hold

    def close(self, day: ClosedDay, by: str) -> None:
        """Close a day: no call starts on it any more. Raise NoRules, TooManyDays."""
        if not self._hold:
            raise NoRules
        if not self._days.close(day, by):
            raise TooManyDays
        self._deeds.note(by, "day closed", day=day.id, reason=day.reason)
        logger.warning("day closed by %s: %s", by, day.id)

    def reopen(self, day_id: str, by: str) -> None:
        """Open a day again. Raise DayNotClosed."""
        if not self._days.reopen(day_id):
            raise DayNotClosed
        self._deeds.note(by, "day opened", day=day_id)
        logger.warning("day opened by %s: %s", by, day_id)
