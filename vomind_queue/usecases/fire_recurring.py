"""The ticks of recurring calls fire.

A tick becomes a job in the same step in which its schedule moves on, so that no
crash leaves one without the other, and deciding twice changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from vomind_queue.errors import JobNotFound, ScheduleChanged, ScheduleUnreadable
from vomind_queue.recurring.cron import CronError
from vomind_queue.recurring.ticks import Advance, Due, DueEntries, Outcome, decide

logger = logging.getLogger(__name__)

#: The longest time between two checks while nothing is due, ms.
IDLE_CHECK_MS = 5_000
#: Ticks are on whole minutes: one that was announced late is seen in time, ms.
MINUTE_MS = 60_000
#: Schedules that one script moves on, at some 20 µs each.
AT_ONCE = 250
#: Schedules that one script sweeps, whether they are due or not, at some 25 µs each.
SWEPT_AT_ONCE = 150
#: How long after a check its decisions are valid, ms.
DECISION_MS = 5_000
#: How long to decide before carrying out the decisions, s: after an outage, deciding on everything
#: may take longer than decisions are valid.
DECIDING_S = 0.5
#: When to check again a schedule on which this machine cannot decide, ms.
POSTPONE_MS = 60_000


class RecurringStore(Protocol):
    """What firing ticks needs of the store."""

    def due_entries(self, wanted: int) -> DueEntries: ...
    def fire(self, advances: Sequence[Advance], deadline_ms: int) -> list[Outcome]: ...
    def postpone(self, schedule_id: str, until_ms: int) -> None: ...
    def adopt(self, wanted: int) -> int: ...
    def sweep(self, cursor: str, wanted: int) -> tuple[str, list[str]]: ...
    def mend(self, schedule_id: str) -> None: ...


class RecurringScheduler:
    """A scheduler's work on recurring calls. Every method may raise StoreUnavailable."""

    def __init__(
        self, recurring_store: RecurringStore, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._recurring_store = recurring_store
        self._monotonic = monotonic
        self._cursor = "0"
        #: Whether all recurring calls were checked since this scheduler started.
        self._swept = False
        #: The due entries that are being decided on, and until when.
        self._entries: DueEntries | None = None
        self._until = 0.0
        self._advances: list[Advance] = []

    def due_entries(self) -> DueEntries:
        """Return what is due; first repair entries of older versions or of RedBeat's class."""
        entries = self._recurring_store.due_entries(AT_ONCE)
        if entries.old:
            # Only so many at a time, so that due entries do not wait for all of them.
            moved = self._recurring_store.adopt(AT_ONCE)
            logger.info("recurring calls moved into RedBeat's entries", extra={"count": moved})
            entries = self._recurring_store.due_entries(AT_ONCE)
        for schedule_id, reason in entries.unreadable.items():
            self._postpone(schedule_id, entries, reason)
        self._mend(entries.foreign, entries)
        self._entries, self._advances = entries, []
        self._until = self._monotonic() + DECIDING_S
        return entries

    def decide(self, due: Due) -> None:
        """Decide on one of the due entries; after the time limit, leave it to the next round."""
        entries = self._entries
        if entries is None or (self._advances and self._monotonic() > self._until):
            return
        try:
            self._advances.append(decide(due, entries.now_ms))
        except (CronError, OSError) as error:
            # A zone that this machine's data does not have, or too many open files.
            self._postpone(due.id, entries, str(error))

    def fire(self) -> float:
        """Carry out what was decided, in one step; return when to check again, s."""
        entries, advances = self._entries, self._advances
        if entries is None:
            return 0.0
        self._entries, self._advances = None, []
        if advances:
            outcomes = self._recurring_store.fire(advances, entries.now_ms + DECISION_MS)
            for advance, outcome in zip(advances, outcomes, strict=True):
                _report(advance, outcome)
        if entries.due or entries.unreadable or entries.foreign or entries.old:
            return 0.0
        self._sweep(entries)
        # Entries of an older version are indexed without waiting.
        return _wait_ms(entries) / 1000 if self._swept else 0.0

    def _sweep(self, entries: DueEntries) -> None:
        self._cursor, foreign = self._recurring_store.sweep(self._cursor, SWEPT_AT_ONCE)
        self._swept = self._swept or self._cursor.startswith("0 ")
        self._mend(foreign, entries)

    def _mend(self, foreign: Sequence[str], entries: DueEntries) -> None:
        for schedule_id in foreign:
            try:
                self._recurring_store.mend(schedule_id)
            except (JobNotFound, ScheduleChanged):
                # Another process was faster.
                continue
            except (CronError, OSError, ScheduleUnreadable) as error:
                self._postpone(schedule_id, entries, str(error))
            else:
                logger.warning(
                    "recurring call repaired: RedBeat's own class had saved it",
                    extra={"schedule": schedule_id},
                )

    def _postpone(self, schedule_id: str, entries: DueEntries, reason: str) -> None:
        logger.error(
            "recurring call delayed by a minute, not readable: %s",
            reason,
            extra={"schedule": schedule_id},
        )
        self._recurring_store.postpone(schedule_id, entries.now_ms + POSTPONE_MS)


def _wait_ms(entries: DueEntries) -> int:
    to_minute = MINUTE_MS - entries.now_ms % MINUTE_MS
    return min(
        IDLE_CHECK_MS,
        to_minute,
        IDLE_CHECK_MS if entries.next_in_ms is None else entries.next_in_ms,
    )


def _report(advance: Advance, outcome: Outcome) -> None:
    fields = {"schedule": advance.due.id}
    if outcome is Outcome.FIRED:
        logger.info("📞 ⏰ recurring call queued", extra=fields | {"tick": advance.fire_ms})
    elif outcome is Outcome.SKIPPED:
        logger.warning("recurring run skipped: the previous run is still active", extra=fields)
    if advance.missed and outcome is not Outcome.LOST:
        logger.warning("recurring runs missed: %d", advance.missed, extra=fields)
