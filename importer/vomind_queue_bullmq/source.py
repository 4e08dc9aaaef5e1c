"""The BullMQ queue in its Redis: all that knows its keys (BullMQ 5 and 6).

Keys begin with the prefix (``bull``) and the queue's name. ``wait``, ``paused`` and
``active`` are lists, the next job to be started at the end; ``prioritized``, ``delayed``,
``failed``, ``completed`` and ``repeat`` are sorted sets; a job is a hash under its id. What is
put aside here stands under ``vomind:``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import redis

from vomind_queue.errors import VomindError
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, connect

#: Jobs that are read or put aside at once.
CHUNK = 200
#: A delayed job's score is its instant in ms times this, plus a counter (``getDelayedScore.lua``).
_DELAY_SCALE = 4096
#: From this version on the waiting jobs of a paused queue stay in ``wait``.
_ONE_LIST = 6


class SourceUnusable(VomindError):
    """The source cannot be read, or holds no such queue; the text says what to do."""


class Place(StrEnum):
    """The lists and sets of BullMQ in which a job may be."""

    #: Waiting without a priority; served before all others.
    WAIT = "wait"
    #: The same while the queue is paused, before BullMQ 6.
    PAUSED = "paused"
    #: Waiting with a priority.
    PRIORITIZED = "prioritized"
    #: For later, or between two attempts.
    DELAYED = "delayed"
    #: Given up.
    FAILED = "failed"
    #: Held by a worker, or left behind by one that died.
    ACTIVE = "active"
    #: Done; stays in the source.
    COMPLETED = "completed"
    #: Waiting for jobs that it depends on.
    CHILDREN = "waiting-children"


#: Lists, of which the next job stands at the end.
_LISTS = (Place.WAIT, Place.PAUSED, Place.ACTIVE)


@dataclass(frozen=True, kw_only=True, slots=True)
class OldJob:
    """A job as BullMQ keeps it."""

    id: str
    place: Place
    #: Instant of a delayed job, end of a failed one, unix ms; 0 elsewhere.
    at_ms: int
    fields: Mapping[str, str]
    #: Whether a worker's lock on it stands.
    locked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OldSchedule:
    """A recurring job as BullMQ keeps it, with its next run."""

    name: str
    #: Unix ms.
    next_ms: int
    fields: Mapping[str, str]
    #: Id and record of the next run; empty if it is gone.
    run_id: str
    run: Mapping[str, str]


class Source:
    """One BullMQ queue. Everything may raise SourceUnusable."""

    def __init__(self, url: str, queue: str, prefix: str) -> None:
        """Connect to nothing."""
        self._client = connect(url, timeout_s=WORKER_TIMEOUT_S)
        self._base = f"{prefix}:{queue}:"
        self._prefix = prefix
        self.queue = queue
        self._hold = self._client.register_script(_script("hold"))
        self._hold_schedule = self._client.register_script(_script("hold_schedule"))
        self._pause = self._client.register_script(_script("pause"))

    def check(self) -> str:
        """BullMQ's version, or ``unknown``. Raise SourceUnusable if the queue does not exist."""
        with _told():
            if not self._client.exists(self._key("meta"), self._key("id"), self._key("repeat")):
                raise SourceUnusable(self._missing())
            version: Any = self._client.hget(self._key("meta"), "version")
        return str(version or "unknown").removeprefix("bullmq:")

    def is_paused(self) -> bool:
        """Return whether its workers start nothing."""
        with _told():
            return bool(self._client.hexists(self._key("meta"), "paused"))

    def pause(self) -> None:
        """Its workers start nothing from now on."""
        major = self.check().partition(".")[0]
        old = "1" if not (major.isdecimal() and int(major) >= _ONE_LIST) else ""
        with _told():
            self._pause(keys=[self._key("meta")], args=[self._base, old])

    def last_id(self) -> int:
        """Return the last number that BullMQ gave to a job."""
        with _told():
            found: Any = self._client.get(self._key("id"))
        return int(found) if found and str(found).isdecimal() else 0

    def counts(self) -> dict[Place, int]:
        """Return how many jobs stand where."""
        with _told(), self._client.pipeline(transaction=False) as many:
            for place in Place:
                if place in _LISTS:
                    many.llen(self._key(place))
                else:
                    many.zcard(self._key(place))
            return dict(zip(Place, many.execute(), strict=True))

    def jobs(self, place: Place) -> Iterator[list[OldJob]]:
        """Yield the jobs there at this moment, in the order in which they would be started."""
        listed = self._listed(place)
        for start in range(0, len(listed), CHUNK):
            part = listed[start : start + CHUNK]
            records, locks = self._records([job_id for job_id, _ in part])
            yield [
                OldJob(id=job_id, place=place, at_ms=at_ms, fields=fields, locked=locked)
                for (job_id, at_ms), fields, locked in zip(part, records, locks, strict=True)
            ]

    def schedules(self) -> list[OldSchedule]:
        """Return the recurring jobs, soonest first."""
        with _told():
            listed: Any = self._client.zrange(self._key("repeat"), 0, -1, withscores=True)
        found = []
        for name, score in listed:
            run_id = self._run_of(str(name), int(score))
            (fields, run), _ = self._records([f"repeat:{name}", run_id])
            found.append(
                OldSchedule(name=name, next_ms=int(score), fields=fields, run_id=run_id, run=run)
            )
        return found

    def hold(self, jobs: Sequence[tuple[str, int]], place: Place) -> list[str]:
        """Put jobs aside, each an id and its place here, ms; return those that it could."""
        flat: list[Any] = [value for job in jobs for value in job]
        with _told():
            held = self._hold(keys=[self._key(place)], args=[self._base, str(place), *flat])
        return list(map(str, held))

    def hold_schedule(self, schedule: OldSchedule) -> bool:
        """Put a recurring job aside with its next run; false when it has changed since."""
        arguments: list[Any] = [self._base, schedule.name, schedule.next_ms, schedule.run_id]
        with _told():
            return bool(self._hold_schedule(keys=[self._key("repeat")], args=arguments))

    def held(self) -> list[str]:
        """Return what is put aside and not done, in order: ``job:<id>`` or ``schedule:<name>``."""
        with _told():
            found: Any = self._client.zrange(self._ours("held"), 0, -1)
        return list(map(str, found))

    def held_records(self, members: Sequence[str]) -> list[Mapping[str, str]]:
        """Return their records, with ``vomind:state`` and ``vomind:place`` in them."""
        with _told(), self._client.pipeline(transaction=False) as many:
            for member in members:
                many.hgetall(self._ours(member))
            return list(many.execute())

    def finish(self, done: Mapping[str, str]) -> None:
        """What is held is here now, under these ids."""
        if not done:
            return
        mapping: Any = dict(done)
        with _told(), self._client.pipeline(transaction=True) as both:
            both.hset(self._ours("done"), mapping=mapping)
            both.zrem(self._ours("held"), *done)
            both.execute()

    def done(self) -> dict[str, str]:
        """Return all that was taken over, by now and ever, with its ids here."""
        with _told():
            found: Any = self._client.hgetall(self._ours("done"))
        return dict(found)

    def name(self) -> str:
        """Return what tells this queue from all others; given to it the first time."""
        with _told():
            self._client.set(self._ours("name"), f"bullmq:{secrets.token_hex(8)}", nx=True)
            return str(self._client.get(self._ours("name")))

    def bind(self, target: str) -> bool:
        """Return whether it is that target that takes it over; the first one does."""
        with _told():
            self._client.set(self._ours("target"), target, nx=True)
            return bool(self._client.get(self._ours("target")) == target)

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _run_of(self, name: str, next_ms: int) -> str:
        """Return the next run's id, which has the name in it, hashed before BullMQ 5."""
        least = next_ms * _DELAY_SCALE
        with _told():
            found: Any = self._client.zrangebyscore(
                self._key("delayed"), least, least + _DELAY_SCALE - 1
            )
            for job_id in found:
                if self._client.hget(self._base + job_id, "rjk") == name:
                    return str(job_id)
        return f"repeat:{name}:{next_ms}"

    def _listed(self, place: Place) -> list[tuple[str, int]]:
        with _told():
            if place in _LISTS:
                ids: Any = self._client.lrange(self._key(place), 0, -1)
                return [(str(job_id), 0) for job_id in reversed(ids)]
            scored: Any = self._client.zrange(self._key(place), 0, -1, withscores=True)
        return [(str(job_id), _instant(place, score)) for job_id, score in scored]

    def _records(self, ids: Sequence[str]) -> tuple[list[Mapping[str, str]], list[bool]]:
        with _told(), self._client.pipeline(transaction=False) as many:
            for job_id in ids:
                many.hgetall(self._base + job_id)
            for job_id in ids:
                many.exists(f"{self._base}{job_id}:lock")
            found = many.execute()
        return found[: len(ids)], [bool(lock) for lock in found[len(ids) :]]

    def _missing(self) -> str:
        metas = self._client.scan_iter(f"{self._prefix}:*:meta", count=1000)
        names = sorted(key.removeprefix(f"{self._prefix}:").removesuffix(":meta") for key in metas)
        there = f"there are: {', '.join(names[:20])}" if names else "there is none at all"
        return f"There is no BullMQ queue {self.queue} under the prefix {self._prefix}; {there}."

    def _key(self, name: str) -> str:
        return self._base + name

    def _ours(self, name: str) -> str:
        return f"{self._base}vomind:{name}"


def _instant(place: Place, score: float) -> int:
    if place is Place.DELAYED:
        return int(score) // _DELAY_SCALE
    return 0 if place is Place.PRIORITIZED else int(score)


def _script(name: str) -> str:
    return (files("vomind_queue_bullmq") / "lua" / f"{name}.lua").read_text("utf-8")


@contextmanager
def _told() -> Iterator[None]:
    """Turn redis-py's errors into SourceUnusable."""
    try:
        yield
    except redis.RedisError as error:
        raise SourceUnusable(f"The source cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise SourceUnusable("The source contains binary data; is it a BullMQ queue?") from error
