"""RedBeat's scheduler, with recurring calls among its entries.

A recurring call is an entry of RedBeat's (see `entries`). RedBeat moves an
entry on and then publishes, so that a crash in between loses a tick. For these entries one script
does both instead, and only if nobody else has (see `fire.lua`). Two schedulers may run: RedBeat's
lock decides who leads, and nothing hangs on it. Ordinary periodic tasks (``beat_schedule``, other
entries of RedBeat's) run by RedBeat's own code.

RedBeat's lock is taken in each tick instead of once at the start. A process that waits for it, or
loses it in an outage, keeps running.

Leans on RedBeat 2.4: ``setup_schedule``, ``schedule``, ``maybe_due``, ``tick``, ``lock``,
``lock_key`` and ``lock_timeout``, which tests guard.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

import redis
from celery.signals import beat_init
from redbeat.schedulers import (
    RedBeatScheduler,
    RedBeatSchedulerEntry,
    acquire_distributed_beat_lock,
    get_redis,
)
from redis.exceptions import LockError
from redis.lock import Lock

from vomind_queue.broker.context import WorkerContext
from vomind_queue.broker.names import CONTEXT_OPTION, PLACE_CALL
from vomind_queue.broker.recurring_entry import CronSchedule, RecurringEntry
from vomind_queue.errors import StoreUnavailable
from vomind_queue.recurring.schedule import PREFIX
from vomind_queue.recurring.ticks import Due

logger = logging.getLogger(__name__)

#: Time between two tries while Redis is unreachable, s.
RETRY_S = 0.5
#: Looks within the time for which RedBeat's lock is held.
TICKS_PER_LOCK = 4
#: Redis's answer for a key without an expiry.
NEVER_RUNS_OUT = -1


class Lease(Lock):
    """RedBeat's lock: held for its whole time from each tick on."""

    def extend(self, additional_time: float, replace_ttl: bool = True) -> Literal[True]:
        """``additional_time`` comes in whole seconds from RedBeat; the lock's own time is meant."""
        return super().extend(self.timeout or additional_time, replace_ttl=replace_ttl)


class Scheduler(RedBeatScheduler):
    """One for each beat process."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        context: WorkerContext = app.conf.broker_transport_options[CONTEXT_OPTION]
        self._recurring_scheduler = context.recurring_scheduler
        #: Unknown before the first tick.
        self._is_leader: bool | None = None
        self._away = False
        self._set_up = False
        # It would wait without an end, and give up for good in an outage.
        beat_init.disconnect(acquire_distributed_beat_lock)
        super().__init__(app, **kwargs)
        self.max_interval: float = min(self.max_interval, self.lock_timeout / TICKS_PER_LOCK)

    def setup_schedule(self) -> None:
        """Do nothing yet: Redis may be away, and another scheduler may lead."""

    @property
    def schedule(self) -> dict[str, RedBeatSchedulerEntry]:
        """The entries that are due on Redis's clock, of the recurring calls so many at a time."""
        look = self._recurring_scheduler.due_entries()
        entries = [self._recurring(due) for due in look.due]
        entries += filter(None, map(self._ordinary, look.ordinary))
        return {entry.name: entry for entry in entries}

    def maybe_due(self, entry: RedBeatSchedulerEntry, **kwargs: Any) -> float | None:
        """See to one entry; return when it wants to be looked at again, s."""
        if isinstance(entry, RecurringEntry):
            self.apply_async(entry)
            return None
        wait_s: float | None = super().maybe_due(entry, **kwargs)
        return wait_s

    def apply_async(self, entry: RedBeatSchedulerEntry, *args: Any, **kwargs: Any) -> Any:
        """Decide on the ticks of a recurring call; all that are due are carried out together."""
        if isinstance(entry, RecurringEntry):
            if entry.due is not None:
                self._recurring_scheduler.decide(entry.due)
            return None
        return super().apply_async(entry, *args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fire what is due, if this scheduler leads; return when to look again, s."""
        try:
            wait_s = self._tick(*args, **kwargs)
        except LockError:
            # Its time ran out, or somebody took it away: it is taken again, or waited for.
            self.lock = None
            return 0.0
        except (StoreUnavailable, redis.RedisError) as error:
            if not self._away:
                is_away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
                fault = "reached" if is_away else "used"
                logger.error("Redis cannot be %s, trying again: %s", fault, error)
            self._away = True
            return RETRY_S
        if self._away:
            logger.warning("Redis answers again")
        self._away = False
        return wait_s

    def close(self) -> None:
        """Let another scheduler lead at once."""
        try:
            super().close()
        except redis.RedisError as error:
            # Its time runs out instead.
            logger.warning("while stopping: %s", error)
            self.lock = None

    @property
    def info(self) -> str:
        """For the banner of ``celery beat``."""
        return f"    . lock -> {self.lock_key}, {self.lock_timeout} s"

    def _tick(self, *args: Any, **kwargs: Any) -> float:
        lock: Lock | None = self.lock
        is_leader = lock is not None or self._take_lock()
        if is_leader != self._is_leader:
            logger.info("scheduler leads" if is_leader else "another scheduler leads")
            self._is_leader = is_leader
        if not is_leader:
            return self._until_free_s()
        if not self._set_up:
            super().setup_schedule()
            self._set_up = True
        wait_s = super().tick(*args, **kwargs)
        return float(min(wait_s, self._recurring_scheduler.fire()))

    def _take_lock(self) -> bool:
        lock = get_redis(self.app).lock(
            self.lock_key, timeout=self.lock_timeout, blocking=False, lock_class=Lease
        )
        if not lock.acquire():
            return False
        self.lock = lock
        return True

    def _until_free_s(self) -> float:
        client = get_redis(self.app)
        left_ms: int = client.pttl(self.lock_key)
        if left_ms == NEVER_RUNS_OUT:
            # No scheduler's: somebody wrote it by hand.
            left_ms = int(self.lock_timeout * 1000)
            client.pexpire(self.lock_key, left_ms)
        return max(min(float(self.max_interval), left_ms / 1000), 0.0)

    def _recurring(self, due: Due) -> RecurringEntry:
        wanted = due.recurrence
        entry = RecurringEntry(
            name=PREFIX + due.id,
            task=PLACE_CALL,
            schedule=CronSchedule(wanted.cron, wanted.zone, wanted.start_ms, wanted.end_ms),
            app=self.app,
        )
        entry.due = due
        return entry

    def _ordinary(self, key: str) -> RedBeatSchedulerEntry | None:
        try:
            return self.Entry.from_key(key, app=self.app)
        except KeyError:
            logger.warning("periodic task %s is gone; its place is removed", key)
            get_redis(self.app).zrem(self.app.redbeat_conf.schedule_key, key)
        except (ValueError, TypeError, AttributeError) as error:
            logger.error("periodic task %s cannot be read: %r", key, error)
        return None
