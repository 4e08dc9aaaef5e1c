"""Celery as it comes and RQ, on the same server: dispatch, lateness, memory, loss."""

from __future__ import annotations

import math
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from benchmarks.baselines.queues import Rq, StockCelery, TaskQueue
from benchmarks.baselines.trace import TRACE
from benchmarks.bench import Bench, Figures, plural, quantiles
from benchmarks.cases.lateness import AHEAD_S, MARGIN_S
from benchmarks.machine import Meter, cpu_s, resident_bytes
from benchmarks.processes import QUIET, QUIET_POLL_S, READY_S, Command, wait_for
from benchmarks.sides import ROOT
from tests.servers import Server

Make = Callable[[str, "redis.Redis[str]"], TaskQueue]

#: Tasks at the start of a measurement of dispatch, by what can be done in its time.
TASKS = {"Celery": 5_000, "RQ": 800}
MEASURE_S = 3.0
EDGE = 0.05
#: Calls for later; RQ does some 100 a second.
LATER, WITHIN_S = 1_000, 25.0
#: Calls for later while the worker's memory is read.
HELD = 20_000
#: Loss: tasks, how long each takes, ms, kills, and how long a worker lives, s.
RISKED, RISKED_MS, KILLS, LIFE_S = 1_000, 20.0, 5, 1.5
#: Tasks begun after which a worker's life ends before that, so that some wait for each later one:
#: what a dead worker prefetched comes back after an hour, too late for this run.
SHARE = RISKED // (KILLS + 2)


@dataclass(kw_only=True)
class Stand:
    """One task queue on a separate server, and the file that its tasks write to."""

    queue: TaskQueue
    server: Server
    client: redis.Redis
    directory: Path
    #: Whether tasks write what they do.
    traced: bool

    @property
    def trace(self) -> Path:
        """What tasks wrote."""
        return self.directory / "trace"

    @contextmanager
    def worker(self, slots: int) -> Iterator[Command]:
        """A worker for as long as the ``with`` lasts; killed at its end."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = kept | {"PYTHONPATH": str(ROOT), "C_FORCE_ROOT": "1"}
        if self.traced:
            environment[TRACE] = str(self.trace)
        command = Command(self.queue.worker(slots), environment, self.directory / "worker.log")
        try:
            yield command
        finally:
            command.kill()

    def written(self, what: str) -> list[tuple[int, float]]:
        """Return number and time of the tasks' lines of one kind."""
        if not self.trace.exists():
            return []
        rows = (line.split() for line in self.trace.read_text().splitlines())
        return [(int(number), float(at)) for kind, number, at in rows if kind == what]


@contextmanager
def stand(make: Make, *, traced: bool = False) -> Iterator[Stand]:
    """Everything but a worker."""
    with tempfile.TemporaryDirectory() as name:
        server = Server(kind="valkey", directory=Path(name) / "server")
        server.start()
        try:
            with server.client() as client:
                yield Stand(
                    queue=make(server.url, client),
                    server=server,
                    client=client,
                    directory=Path(name),
                    traced=traced,
                )
        finally:
            server.kill()


#: Celery with its thread pool, and RQ.
BOTH: tuple[Make, ...] = (StockCelery, Rq)
#: With slots of each worker, and how many workers.
SHAPES: tuple[tuple[Make, int, int], ...] = (
    (StockCelery, 5, 1),
    (StockCelery, 50, 1),
    (StockCelery, 50, 2),
    (Rq, 1, 1),
    (Rq, 5, 1),
)


def dispatch(bench: Bench) -> None:
    """Tasks per second of one worker, and of two."""
    for make, slots, many in bench.turns(SHAPES):
        with stand(make) as at, ExitStack() as ends:
            workers = [ends.enter_context(at.worker(slots)) for _ in range(many)]
            for worker in workers:
                _rest(worker)
            what = f"dispatch, {plural(many, 'worker')}, {plural(slots, 'slot')}"
            step = partial(_rate, at, workers, bench.seconds(MEASURE_S))
            bench.measure(what, at.queue.name, step, again=0)


def _rest(worker: Command) -> None:
    def quiet() -> bool:
        worker.check()
        before = cpu_s([worker.pid])
        time.sleep(QUIET_POLL_S)
        return cpu_s([worker.pid]) - before < QUIET * QUIET_POLL_S

    wait_for(quiet, "the worker is at rest")


def _rate(at: Stand, workers: Sequence[Command], seconds: float) -> Figures:
    queue, total = at.queue, TASKS[at.queue.name] * len(workers)
    # Frozen, the workers take none before all are there.
    for worker in workers:
        os.killpg(worker.pid, signal.SIGSTOP)
    queue.add(range(total))
    for worker in workers:
        os.killpg(worker.pid, signal.SIGCONT)
    while (first := queue.waiting() + queue.held()) > total * (1 - EDGE):
        time.sleep(0.02)
    pids = {f"worker{number}": worker.pid for number, worker in enumerate(workers, 1)}
    meter = Meter({"redis": at.server.pid} | pids)
    while (last := queue.waiting() + queue.held()) > total * EDGE and meter.seconds() < seconds:
        time.sleep(0.02)
    done, took = first - last, meter.seconds()
    figures = {"per_s": round(done / took), "calls": done, **meter.per(done)}
    for worker in workers:
        worker.kill()
    return figures


def lateness(bench: Bench) -> None:
    """1,000 tasks for later: start minus due time."""
    for make in bench.turns(BOTH, most=2):
        with stand(make, traced=True) as at, at.worker(5 if make is StockCelery else 1) as worker:
            _rest(worker)
            many = bench.size(LATER, LATER // 4)
            step = partial(_late, at, many, bench.seconds(WITHIN_S))
            bench.measure(f"lateness of {many:,} delayed calls", at.queue.name, step, again=0)


def _late(at: Stand, many: int, within_s: float) -> Figures:
    chance = random.Random(many)  # noqa: S311 - when they are due is no secret
    first_ms = int((time.time() + AHEAD_S) * 1000)
    due = sorted(first_ms + int(chance.random() * within_s * 1000) for _ in range(many))
    at.queue.add_later(due)
    time.sleep(max(0.0, due[-1] / 1000 - time.time()) + 2 * MARGIN_S)
    started = dict(reversed(at.written("start")))
    took = [at_ms - due[number] for number, at_ms in started.items()]
    early = sum(each < 0 for each in took)
    return {**quantiles(took), "early": early, "missing": many - len(took)}


def memory(bench: Bench) -> None:
    """Redis bytes a waiting task, and the worker's memory with 20,000 for later."""
    bench.round = 1
    later_ms = 86_400_000
    for make in BOTH:
        with stand(make) as at:
            at.queue.add(range(2_000))
            before = at.client.info("memory")["used_memory"]
            at.queue.add(range(10_000))
            each = (at.client.info("memory")["used_memory"] - before) / 10_000
            at.client.flushdb()
            figures: Figures = {"bytes": round(each, 1)}
            name = at.queue.name
            bench.measure(
                "Redis memory of a waiting call", name, partial(dict, figures), noise=False
            )
            with at.worker(5 if make is StockCelery else 1) as worker:
                due = int(time.time() * 1000) + later_ms
                at.queue.add_later([due + number for number in range(HELD)])
                _rest(worker)
                held: Figures = {"mib": round(resident_bytes(worker.pid) / 2**20, 1)}
            what = f"resident memory of the worker, {HELD:,} delayed calls"
            bench.measure(what, name, partial(dict, held), noise=False)


def loss(bench: Bench) -> None:
    """What is left after kills of the worker: not begun, begun and gone, begun twice."""
    late: Make = partial(StockCelery, acks_late=True)
    for make in (StockCelery, late, Rq):
        with stand(make, traced=True) as at:
            bench.round = 1
            what = f"after {KILLS} kills -9 of the worker"
            bench.measure(what, at.queue.name, partial(_loss, at), noise=False)


def _loss(at: Stand) -> Figures:
    slots = 1 if at.queue.name == "RQ" else 5
    at.queue.add(range(RISKED), RISKED_MS)
    idle = sum(not _life(at, slots) for _ in range(KILLS))
    with at.worker(slots):
        wait_for(lambda: not at.queue.waiting(), "the list is empty", within_s=120)
        time.sleep(2.0)
    starts = Counter(number for number, _ in at.written("start"))
    ended = {number for number, _ in at.written("end")}
    held = at.queue.held()
    return {
        "done": len(ended),
        "twice": sum(times > 1 for times in starts.values()),
        "held": held,
        "lost": max(0, RISKED - len(ended) - held),
        "idle_lives": idle,
    }


def _life(at: Stand, slots: int) -> int:
    """Kill a worker in its work; return how many tasks began in its life.

    None where it had none to begin, or began none in the time that a process may take to be ready.
    """
    before = len(at.written("start"))
    born, first = time.monotonic(), math.inf
    begun = 0
    with at.worker(slots) as worker:
        while at.queue.waiting() and begun < SHARE:
            worker.check()
            begun = len(at.written("start")) - before
            now = time.monotonic()
            first = min(first, now) if begun else first
            if now > min(first + LIFE_S, born + READY_S):
                break
            time.sleep(0.01)
    return len(at.written("start")) - before
