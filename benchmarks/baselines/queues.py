"""Both queues behind one face: tasks in, a worker's command, how many are left."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import redis

from benchmarks.baselines.stock import TASK, create_app
from benchmarks.client import make_call

#: RQ's queue, and its registry of jobs that were begun.
_RQ_QUEUE, _RQ_BEGUN = "rq:queue:default", "rq:wip:default"


class TaskQueue(Protocol):
    """One of them on one server."""

    name: str

    def worker(self, slots: int) -> str:
        """Shell command of a worker that does so many tasks at a time."""
        ...

    def add(self, numbers: Sequence[int], ms: float = 0) -> None:
        """Queue tasks to be done now, each taking so long."""
        ...

    def add_later(self, due_ms: Sequence[int]) -> None:
        """Queue task number n for the unix ms ``due_ms[n]``."""
        ...

    def waiting(self) -> int:
        """Return tasks that nobody has begun."""
        ...

    def held(self) -> int:
        """Return tasks that a worker holds, dead or alive."""
        ...


class StockCelery:
    """Celery as it comes, with the thread pool."""

    def __init__(self, url: str, client: redis.Redis, *, acks_late: bool = False) -> None:
        self.name = "Celery, acks late" if acks_late else "Celery"
        self._app, self._client = create_app(url, acks_late=acks_late), client
        self._environment = f"BENCH_BROKER={url} BENCH_ACKS_LATE={int(acks_late)} "

    def worker(self, slots: int) -> str:
        """Logs as ours does: two lines for each task."""
        command = [sys.executable, "-m", "celery", "-A", "benchmarks.baselines.stock", "worker"]
        command += ["--pool", "threads", "-c", str(slots), "--loglevel", "INFO"]
        return f"{self._environment} exec {shlex.join(command)}"

    def add(self, numbers: Sequence[int], ms: float = 0) -> None:
        """One message each."""
        with self._app.producer_or_acquire() as producer:
            for number in numbers:
                arguments = (number, make_call(number), ms)
                self._app.send_task(TASK, arguments, producer=producer)

    def add_later(self, due_ms: Sequence[int]) -> None:
        """With an ETA: the worker takes them at once, and holds them in its memory."""
        with self._app.producer_or_acquire() as producer:
            for number, due in enumerate(due_ms):
                eta = datetime.fromtimestamp(due / 1000, UTC)
                arguments = (number, make_call(number))
                self._app.send_task(TASK, arguments, eta=eta, producer=producer)

    def waiting(self) -> int:
        """Return length of Celery's list."""
        return int(self._client.llen("celery"))

    def held(self) -> int:
        """Return messages that come again after the visibility time-out, an hour."""
        return int(self._client.hlen("unacked"))


class Rq:
    """RQ as it comes: a process is forked for each job."""

    name = "RQ"

    def __init__(self, url: str, client: redis.Redis) -> None:
        from rq import Queue  # noqa: PLC0415 - installed for benchmarks alone

        self._url, self._client = url, client
        # RQ pickles: its connection must not decode.
        self._queue = Queue(connection=redis.Redis.from_url(url))

    def worker(self, slots: int) -> str:
        """Return the command that starts workers, each of which does one job at a time."""
        rq = shlex.quote(str(Path(sys.executable).with_name("rq")))
        if slots > 1:
            return f"exec {rq} worker-pool -u {self._url} -n {slots}"
        return f"exec {rq} worker -u {self._url} --with-scheduler"

    def add(self, numbers: Sequence[int], ms: float = 0) -> None:
        """In one go."""
        self._queue.enqueue_many([self._job(number, ms) for number in numbers])

    def _job(self, number: int, ms: float) -> Any:
        arguments = (number, make_call(number), ms)
        return self._queue.prepare_data("benchmarks.baselines.jobs.place_call", args=arguments)

    def add_later(self, due_ms: Sequence[int]) -> None:
        """RQ's scheduler looks for them every second."""
        task = "benchmarks.baselines.jobs.place_call"
        for number, due in enumerate(due_ms):
            at = datetime.fromtimestamp(due / 1000, UTC)
            self._queue.enqueue_at(at, task, number, make_call(number))

    def waiting(self) -> int:
        """Return length of RQ's list."""
        return int(self._client.llen(_RQ_QUEUE))

    def held(self) -> int:
        """Return jobs that were begun and have not ended."""
        return int(self._client.zcard(_RQ_BEGUN))
