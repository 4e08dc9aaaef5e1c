"""A recurring call as an entry of RedBeat's.

RedBeat's own class can read one, and sees an interval; `RecurringEntry` sees the pattern.

Leans on RedBeat 2.4: its encoder, its decoder, ``decode_definition``, ``save``, which tests guard.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from celery.schedules import BaseSchedule, schedstate
from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder
from redbeat.schedulers import RedBeatSchedulerEntry, get_redis

from vomind_queue.queue import redbeat_entry
from vomind_queue.recurring.runs import runs_of
from vomind_queue.recurring.ticks import Due


class CronSchedule(BaseSchedule):
    """A cron pattern in a time zone, as `vomind_queue.recurring.cron` reads it."""

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
        """Return the first tick later than that; ``None`` at the end. Raise CronError."""
        after_ms = int(moment.timestamp() * 1000)
        runs = runs_of(self.cron, self.zone, self.start_ms, self.end_ms, after_ms)
        run_ms = next(runs, None)
        return None if run_ms is None else datetime.fromtimestamp(run_ms / 1000, UTC)

    def remaining_estimate(self, last_run_at: datetime) -> timedelta | None:
        """Return time until the first tick after that; ``None`` at the end."""
        tick = self.next_after(last_run_at)
        return None if tick is None else tick - self.now()

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Return whether the first tick after that has come, and when to look again, s."""
        remaining = self.remaining_estimate(last_run_at)
        if remaining is None:
            return schedstate(is_due=False, next=None)
        seconds = remaining.total_seconds()
        return schedstate(is_due=seconds <= 0, next=max(seconds, 0))

    def encoded(self) -> dict[str, Any]:
        """Return it as the definition of an entry has it."""
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
        """Return a value that JSON has no word for."""
        return obj.encoded() if isinstance(obj, CronSchedule) else super().default(obj)


class Decoder(RedBeatJSONDecoder):
    """The inverse."""

    def dict_to_object(self, d: dict[str, Any]) -> Any:
        """Return a value that was written as an object of JSON."""
        if d.get("__type__") == "interval" and "cron" in d:
            return CronSchedule(d["cron"], d["zone"], d["start"], d["end"])
        return super().dict_to_object(d)


class RecurringEntry(RedBeatSchedulerEntry):
    """A recurring call. The REST API changes it; RedBeat's own class can read and delete it."""

    #: What has come, while the scheduler has it in hand.
    due: Due | None = None

    @staticmethod
    def decode_definition(definition: str) -> dict[str, Any]:
        """Decode as RedBeat's own class does, with our decoder."""
        found: dict[str, Any] = json.loads(definition, cls=Decoder)
        return found

    @property
    def due_at(self) -> datetime | None:
        """The first tick from now on; ``None`` at the end. What was missed is not made up for."""
        tick: datetime | None = self.schedule.next_after(self.schedule.now())
        return tick

    @property
    def score(self) -> float:
        """Its next tick, unix s; -1 while it has none."""
        tick = self.due_at if self.enabled else None
        return -1 if tick is None else tick.timestamp()

    def save(self) -> Self:
        """Save as RedBeat's own class does, with our encoder; the call itself is left alone."""
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
