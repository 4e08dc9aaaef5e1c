"""The ticks of recurring calls fire.

A tick becomes a job in the same step in which its schedule moves on, so that no
crash leaves one without the other, and whoever decides twice changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from vomind_queue.cron import CronError
from vomind_queue.ticks import Beat, Look, Outcome, Turn, decide

logger = logging.getLogger(__name__)

#: Looks within the time that a scheduler leads without looking again.
LOOKS_IN_LEAD = 4
#: The longest time without a look while nothing is due, ms.
IDLE_LOOK_MS = 5_000
#: Ticks are on whole minutes: one that was announced late is seen in time, ms.
MINUTE_MS = 60_000
#: Schedules that one script moves on, at some 20 µs each.
AT_ONCE = 250
#: How long after a look its decisions hold, ms.
DECISION_MS = 5_000
#: How long is decided before what is decided is carried out, s: deciding on what an outage has
#: left may take longer than decisions hold.
DECIDING_S = 0.5
#: When to look again at a schedule on which this machine cannot decide, ms.
POSTPONE_MS = 60_000


class Timetable(Protocol):
    """What firing ticks needs of the store."""

    def look(self, name: str, lead_ms: int, wanted: int) -> Look: ...
    def step_down(self, name: str) -> None: ...
    def fire(self, turns: Sequence[Turn], deadline_ms: int) -> list[Outcome]: ...
    def postpone(self, schedule_id: str, until_ms: int) -> None: ...


class Timekeeper:
    """A scheduler: one of several leads, and lets the ticks fire that are due."""

    def __init__(
        self,
        timetable: Timetable,
        name: str,
        *,
        lead_ms: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``name`` must be unlike that of any other process, over restarts, too.

        ``lead_ms`` after its last look another scheduler takes over.
        """
        self._timetable = timetable
        self._name = name
        self._lead_ms = lead_ms
        self._monotonic = monotonic

    def beat(self) -> Beat:
        """Fires what is due. Raises StoreUnavailable; what did not fire then is still due."""
        while True:
            look = self._timetable.look(self._name, self._lead_ms, AT_ONCE)
            if not look.leads:
                return Beat(leads=False, wait_s=self._wait_ms(look) / 1000)
            if not look.due and not look.unreadable:
                return Beat(leads=True, wait_s=self._wait_ms(look) / 1000)
            self._fire(look)

    def _wait_ms(self, look: Look) -> int:
        to_minute = MINUTE_MS - look.now_ms % MINUTE_MS
        idle = min(IDLE_LOOK_MS, self._lead_ms // LOOKS_IN_LEAD)
        return min(idle, to_minute, idle if look.next_in_ms is None else look.next_in_ms)

    def step_down(self) -> None:
        """Lets another scheduler lead at once."""
        self._timetable.step_down(self._name)

    def _fire(self, look: Look) -> None:
        for schedule_id, reason in look.unreadable.items():
            self._postpone(schedule_id, look, reason)
        turns = self._decide(look)
        if not turns:
            return
        outcomes = self._timetable.fire(turns, look.now_ms + DECISION_MS)
        for turn, outcome in zip(turns, outcomes, strict=True):
            _report(turn, outcome)

    def _decide(self, look: Look) -> list[Turn]:
        turns = []
        until = self._monotonic() + DECIDING_S
        for due in look.due:
            try:
                turns.append(decide(due, look.now_ms))
            except (CronError, OSError) as error:
                # A zone that this machine's data does not have, or too many open files.
                self._postpone(due.id, look, str(error))
            if self._monotonic() > until:
                break
        return turns

    def _postpone(self, schedule_id: str, look: Look, reason: str) -> None:
        logger.error(
            "recurring call put off for a minute, it cannot be read: %s",
            reason,
            extra={"schedule": schedule_id},
        )
        self._timetable.postpone(schedule_id, look.now_ms + POSTPONE_MS)


def _report(turn: Turn, outcome: Outcome) -> None:
    fields = {"schedule": turn.due.id}
    if outcome is Outcome.FIRED:
        logger.info("📞 ⏰ recurring call queued", extra=fields | {"tick": turn.fire_ms})
    elif outcome is Outcome.SKIPPED:
        logger.warning("recurring call left out: the one before has not ended", extra=fields)
    if turn.missed and outcome is not Outcome.LOST:
        logger.warning("recurring call missed %d times", turn.missed, extra=fields)
