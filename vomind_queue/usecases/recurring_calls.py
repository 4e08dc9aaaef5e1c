"""Accept, show, change, pause and stop recurring calls."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from vomind_queue.calls.call import mask_number
from vomind_queue.calls.job import IdempotencyKey
from vomind_queue.errors import ScheduleChanged
from vomind_queue.recurring.schedule import (
    Recurrence,
    Registered,
    Removed,
    Schedule,
    SchedulePage,
    ScheduleSearch,
    ScheduleView,
)
from vomind_queue.usecases.deeds import Deeds

logger = logging.getLogger(__name__)

#: How often a change is retried after a conflict with another one.
TRIES = 5


class RecurringStore(Protocol):
    """What recurring calls need of the store."""

    def now_ms(self) -> int: ...
    def put(
        self, recurrence: Recurrence, next_ms: int | None, key: IdempotencyKey | None = None
    ) -> Registered: ...
    def change(
        self, old: Schedule, recurrence: Recurrence, next_ms: int | None, *, keep_due: bool
    ) -> None: ...
    def pause(self, old: Schedule, by: str) -> None: ...
    def resume(self, old: Schedule, next_ms: int | None) -> None: ...
    def remove(self, schedule_id: str) -> Removed: ...
    def show(self, schedule_id: str) -> ScheduleView: ...
    def page(self, start: int, end: int) -> SchedulePage: ...
    def find(self, search: ScheduleSearch, start: int, end: int) -> SchedulePage: ...


class RecurringCalls:
    """The requests of apps and operators. Everything may raise StoreUnavailable."""

    def __init__(self, recurring_store: RecurringStore, deeds: Deeds) -> None:
        self._recurring_store = recurring_store
        self._deeds = deeds

    def schedule(
        self, recurrence: Recurrence, by: str, key: IdempotencyKey | None = None
    ) -> Registered:
        """Accept a recurring call, or update the one that it identifies. Raise KeyReused."""
        registered = self._put(recurrence, key)
        if not registered.replayed:
            act = "changed" if registered.updated else "created"
            self._deeds.note(by, act, f"recurring:{registered.schedule_id}")
            logger.info(
                "📞 ⏰ recurring call %s",
                "updated" if registered.updated else "scheduled",
                extra={
                    "schedule": registered.schedule_id,
                    "to": mask_number(recurrence.call.to),
                    "cron": recurrence.cron,
                    "zone": recurrence.zone,
                },
            )
        return registered

    def page(self, search: ScheduleSearch, start: int, end: int) -> SchedulePage:
        """Return schedules ``start`` to ``end``, both included, soonest first."""
        if search == ScheduleSearch():
            return self._recurring_store.page(start, end)
        return self._recurring_store.find(search, start, end)

    def amend(
        self, schedule_id: str, change: Callable[[Schedule], Recurrence], by: str
    ) -> ScheduleView:
        """Change a schedule; its id and its counts stay.

        Raise JobNotFound, ScheduleExists, ScheduleChanged and what ``change`` raises.
        """

        def try_once(old: Schedule) -> None:
            new = change(old)
            first = old.first_after(new, self._recurring_store.now_ms())
            self._recurring_store.change(old, new, first, keep_due=new.is_timed_as(old.recurrence))

        view = self._with_latest(schedule_id, try_once, "📞 ⏰ recurring call changed")
        self._deeds.note(by, "changed", view.schedule.job_id)
        return view

    def pause(self, schedule_id: str, by: str) -> ScheduleView:
        """Skip its ticks until `resume`; they are not made up for. Raise JobNotFound."""

        def try_once(old: Schedule) -> None:
            if old.pause is None:
                self._recurring_store.pause(old, by)

        view = self._with_latest(
            schedule_id, try_once, f"recurring call paused by {by}", level=logging.WARNING
        )
        self._deeds.note(by, "paused", view.schedule.job_id)
        return view

    def resume(self, schedule_id: str, by: str) -> ScheduleView:
        """Let its ticks fire again, from the next one on. Raise JobNotFound, CronError."""

        def try_once(old: Schedule) -> None:
            if old.pause is not None:
                first = old.first_after(old.recurrence, self._recurring_store.now_ms())
                self._recurring_store.resume(old, first)

        view = self._with_latest(schedule_id, try_once, "recurring call resumed")
        self._deeds.note(by, "resumed", view.schedule.job_id)
        return view

    def remove(self, schedule_id: str, by: str) -> Removed:
        """Stop a recurring call for good, with its jobs that did not start. Raise JobNotFound."""
        removed = self._recurring_store.remove(schedule_id)
        self._deeds.note(by, "stopped", f"recurring:{schedule_id}")
        logger.info("recurring call removed", extra={"schedule": schedule_id})
        return removed

    def _put(self, recurrence: Recurrence, key: IdempotencyKey | None) -> Registered:
        after_ms = self._recurring_store.now_ms()
        for _ in range(TRIES - 1):
            try:
                return self._recurring_store.put(recurrence, recurrence.first(after_ms), key)
            except ScheduleChanged as error:
                # A tick fired meanwhile; our view of the server's clock may be slow, too.
                after_ms = max(after_ms, error.last_run_ms)
        return self._recurring_store.put(recurrence, recurrence.first(after_ms), key)

    def _with_latest(
        self,
        schedule_id: str,
        step: Callable[[Schedule], None],
        deed: str,
        level: int = logging.INFO,
    ) -> ScheduleView:
        for left in reversed(range(TRIES)):
            try:
                step(self._recurring_store.show(schedule_id).schedule)
                break
            except ScheduleChanged:
                if not left:
                    raise
        logger.log(level, deed, extra={"schedule": schedule_id})
        return self._recurring_store.show(schedule_id)
