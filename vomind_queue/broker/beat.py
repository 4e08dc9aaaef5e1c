"""RedBeat's scheduler, with recurring calls among its entries.

A recurring call is an entry of RedBeat's whose schedule is a `CronSchedule`. RedBeat moves an
entry on and then publishes, so that a crash in between loses a tick. For these entries one script
does both instead, and only if nobody else has (see `fire.lua`). Two schedulers may run: RedBeat's
lock decides who leads, and nothing hangs on it. Ordinary periodic tasks (``beat_schedule``, other
entries of RedBeat's) run by RedBeat's own code.

RedBeat's lock is taken in each tick instead of once at the start: whoever waits for it, or loses
it in an outage, goes on in place.

Leans on RedBeat 2.4: ``setup_schedule``, ``schedule``, ``maybe_due``, ``tick``, ``lock``,
``lock_key``, ``lock_timeout`` and the classes of its decoder, which tests guard.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import redis
from celery.schedules import BaseSchedule, schedstate
from celery.signals import beat_init
from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder
from redbeat.schedulers import (
    RedBeatScheduler,
    RedBeatSchedulerEntry,
    acquire_distributed_beat_lock,
    get_redis,
)
from redis.exceptions import LockError
from redis.lock import Lock

from vomind_queue.broker.link import Link
from vomind_queue.broker.names import LINK_OPTION, PLACE_CALL
from vomind_queue.errors import StoreUnavailable
from vomind_queue.schedules import PREFIX, runs_of
from vomind_queue.store import redbeat_entry
from vomind_queue.ticks import Due

logger = logging.getLogger(__name__)

#: Between two tries while Redis is away, s.
AWAY_LOOK_S = 0.5
#: Looks within the time for which RedBeat's lock is held.
LOOKS_IN_LEAD = 4


class CronSchedule(BaseSchedule):
    """A cron pattern in a time zone, as `vomind_queue.cron` reads it."""

    def __init__(
        self,
        cron: str,
        zone: str,
        start_ms: int | None = None,
        end_ms: int | None = None,
        **options: Any,
    ) -> None:
        """``start_ms``, ``end_ms``: no tick before and after, unix ms."""
        super().__init__(**options)
        self.cron = cron
        self.zone = zone
        self.start_ms = start_ms
        self.end_ms = end_ms

    def next_after(self, moment: datetime) -> datetime | None:
        """The first tick later than that; ``None`` at the end. Raises CronError."""
        after_ms = int(moment.timestamp() * 1000)
        runs = runs_of(self.cron, self.zone, self.start_ms, self.end_ms, after_ms)
        run_ms = next(runs, None)
        return None if run_ms is None else datetime.fromtimestamp(run_ms / 1000, UTC)

    def remaining_estimate(self, last_run_at: datetime) -> timedelta | None:
        """Time until the first tick after that; ``None`` at the end."""
        tick = self.next_after(last_run_at)
        return None if tick is None else tick - self.now()

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether the first tick after that has come, and when to look again, s."""
        remaining = self.remaining_estimate(last_run_at)
        if remaining is None:
            return schedstate(is_due=False, next=None)
        seconds = remaining.total_seconds()
        return schedstate(is_due=seconds <= 0, next=max(seconds, 0))

    def encoded(self) -> dict[str, Any]:
        """As it stands in the definition of an entry."""
        return redbeat_entry.encode(self.cron, self.zone, self.start_ms, self.end_ms)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CronSchedule):
            return self.encoded() == other.encoded()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.cron, self.zone, self.start_ms, self.end_ms))

    def __repr__(self) -> str:
        return f"<cron: {self.cron} {self.zone}>"

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self.cron, self.zone, self.start_ms, self.end_ms)


class Encoder(RedBeatJSONEncoder):
    """RedBeat's, which knows a `CronSchedule`, too."""

    def default(self, obj: Any) -> Any:
        """A value that JSON has no word for."""
        return obj.encoded() if isinstance(obj, CronSchedule) else super().default(obj)


class Decoder(RedBeatJSONDecoder):
    """The inverse."""

    def dict_to_object(self, d: dict[str, Any]) -> Any:
        """A value that was written as an object of JSON."""
        if d.get("__type__") == "interval" and "cron" in d:
            return CronSchedule(d["cron"], d["zone"], d["start"], d["end"])
        return super().dict_to_object(d)


class RecurringEntry(RedBeatSchedulerEntry):
    """A recurring call. The REST API changes it; RedBeat's own class can read and delete it."""

    #: What has come, while the scheduler has it in hand.
    due: Due | None = None

    @staticmethod
    def decode_definition(definition: str) -> dict[str, Any]:
        """What RedBeat's own class does, with our decoder."""
        found: dict[str, Any] = json.loads(definition, cls=Decoder)
        return found

    @property
    def due_at(self) -> datetime | None:
        """Its next tick; ``None`` when there is none. One that never fired waits for its time."""
        tick: datetime | None = self.schedule.next_after(self.last_run_at or self.schedule.now())
        return tick

    @property
    def score(self) -> float:
        """Its next tick, unix s; -1 while it has none."""
        tick = self.due_at if self.enabled else None
        return -1 if tick is None else tick.timestamp()

    def save(self) -> Self:
        """What RedBeat's own class does, with our encoder; the call itself stays as it is."""
        definition = {
            "name": self.name,
            "task": self.task,
            "args": self.args,
            "kwargs": self.kwargs,
            "options": self.options,
            "schedule": self.schedule,
            "enabled": self.enabled,
        }
        with get_redis(self.app).pipeline() as pipe:
            pipe.hset(self.key, "definition", json.dumps(definition, cls=Encoder))
            pipe.zadd(self.app.redbeat_conf.schedule_key, {self.key: self.score})
            pipe.execute()
        return self


class Lease(Lock):
    """RedBeat's lock: held for its whole time from each tick on."""

    def extend(self, additional_time: float, replace_ttl: bool = True) -> Literal[True]:
        """``additional_time`` comes in whole seconds from RedBeat; the lock's own time is meant."""
        return super().extend(self.timeout or additional_time, replace_ttl=replace_ttl)


class Scheduler(RedBeatScheduler):
    """One for each beat process."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        link: Link = app.conf.broker_transport_options[LINK_OPTION]
        self._timekeeper = link.timekeeper
        #: Unknown before the first tick.
        self._leads: bool | None = None
        self._away = False
        self._set_up = False
        # It would wait without an end, and give up for good in an outage.
        beat_init.disconnect(acquire_distributed_beat_lock)
        super().__init__(app, **kwargs)
        self.max_interval: float = min(self.max_interval, self.lock_timeout / LOOKS_IN_LEAD)

    def setup_schedule(self) -> None:
        """Does nothing yet: Redis may be away, and another scheduler may lead."""

    @property
    def schedule(self) -> dict[str, RedBeatSchedulerEntry]:
        """The entries that are due on Redis's clock, of the recurring calls so many at a time."""
        look = self._timekeeper.look()
        entries = [self._recurring(due) for due in look.due]
        entries += filter(None, map(self._ordinary, look.ordinary))
        return {entry.name: entry for entry in entries}

    def maybe_due(self, entry: RedBeatSchedulerEntry, **kwargs: Any) -> float | None:
        """Sees to one entry; answers when it wants to be looked at again, s."""
        if isinstance(entry, RecurringEntry):
            self.apply_async(entry)
            return None
        wait_s: float | None = super().maybe_due(entry, **kwargs)
        return wait_s

    def apply_async(self, entry: RedBeatSchedulerEntry, *args: Any, **kwargs: Any) -> Any:
        """Decides on the ticks of a recurring call; all that are due are carried out together."""
        if isinstance(entry, RecurringEntry) and entry.due is not None:
            self._timekeeper.decide(entry.due)
            return None
        return super().apply_async(entry, *args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fires what is due, if this scheduler leads; answers when to look again, s."""
        try:
            wait_s = self._tick(*args, **kwargs)
        except LockError:
            # Its time ran out, or somebody took it away: it is taken again, or waited for.
            self.lock = None
            return 0.0
        except (StoreUnavailable, redis.RedisError) as error:
            if not self._away:
                logger.error("Redis cannot be reached, trying again: %s", error)
            self._away = True
            return AWAY_LOOK_S
        if self._away:
            logger.warning("Redis answers again")
        self._away = False
        return wait_s

    def close(self) -> None:
        """Lets another scheduler lead at once."""
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
        leads = lock is not None or self._take_lock()
        if leads != self._leads:
            logger.info("scheduler leads" if leads else "another scheduler leads")
            self._leads = leads
        if not leads:
            return self._until_free_s()
        if not self._set_up:
            super().setup_schedule()
            self._set_up = True
        wait_s = super().tick(*args, **kwargs)
        return float(min(wait_s, self._timekeeper.fire()))

    def _take_lock(self) -> bool:
        lock = get_redis(self.app).lock(
            self.lock_key, timeout=self.lock_timeout, blocking=False, lock_class=Lease
        )
        if not lock.acquire():
            return False
        self.lock = lock
        return True

    def _until_free_s(self) -> float:
        left_ms: int = get_redis(self.app).pttl(self.lock_key)
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
