"""How late calls for later start, on an idle queue."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from benchmarks.bench import Bench, Figures, quantiles
from benchmarks.client import Client, fill, make_call
from benchmarks.sides import System

#: Calls for later in one measurement and in a quick one, and the time over which they are due, s.
CALLS, QUICK_CALLS, WITHIN_S = 1_000, 250, 10.0
#: The first falls due so long after the first request: all are stored by then, s.
AHEAD_S = 4.0
#: After the last was due, s.
MARGIN_S = 1.5
#: Calls that wait for a day beside them.
BESIDE = 1_000_000
DAY_MS = 86_400_000


def lateness(bench: Bench) -> None:
    """1,000 delayed calls and nothing else."""
    calls = bench.size(CALLS, QUICK_CALLS)
    for side in bench.turns(bench.sides):
        with System(side=side, workers=1, settings=side.keep_all) as system:
            step = partial(late, system.client, calls, bench.seconds(WITHIN_S))
            bench.measure(f"lateness of {calls:,} delayed calls", side.name, step)


def lateness_beside(bench: Bench) -> None:
    """The same beside 1,000,000 that wait for a day: ours, for the peer's bulk delays none."""
    beside, calls = bench.size(BESIDE, BESIDE // 10), bench.size(CALLS, QUICK_CALLS)
    for side in bench.sides:
        if side.name != "ours":
            continue
        with System(side=side, workers=1, settings=side.keep_all) as system:
            fill(system.client, beside, delayMs=DAY_MS)
            system.rest()
            for _ in bench.turns([side]):
                step = partial(late, system.client, calls, bench.seconds(WITHIN_S))
                bench.measure(f"lateness beside {beside:,} delayed calls", side.name, step)


def late(client: Client, calls: int, within_s: float) -> Figures:
    """Start minus due time of each, ms; the start is what GET /job/<id> gives as processedOn."""
    chance = random.Random(calls)  # noqa: S311 - when they are due is no secret
    first_ms = int((time.time() + AHEAD_S) * 1000)
    due = sorted(first_ms + int(chance.random() * within_s * 1000) for _ in range(calls))
    ids = [delayed(client, n, due_ms) for n, due_ms in enumerate(due)]
    if time.time() * 1000 > first_ms:
        raise RuntimeError("it took too long to store calls that are due soon")
    return lateness_of(client, dict(zip(ids, due, strict=True)))


def lateness_of(client: Client, due: Mapping[str, int]) -> Figures:
    """Wait until all have started; return how late. ``due``: when they were, unix ms, by id."""
    time.sleep(max(0.0, max(due.values()) / 1000 - time.time()) + MARGIN_S)
    jobs: dict[str, Mapping[str, int]] = {
        job_id: client.ask("GET", f"/job/{job_id}") for job_id in due
    }
    took = [
        job["processedOn"] - due[job_id] for job_id, job in jobs.items() if job.get("processedOn")
    ]
    return {
        **quantiles(took),
        "min_ms": min(took),
        "early": sum(each < 0 for each in took),
        "missing": len(due) - len(took),
    }


def delayed(client: Client, n: int, due_ms: int) -> str:
    """Store a call that is due then; return its id."""
    at = datetime.fromtimestamp(due_ms / 1000, UTC).isoformat(timespec="milliseconds")
    call = make_call(n, scheduleAt=at.replace("+00:00", "Z"))
    return str(client.ask("POST", "/schedule-delayed-call", call)["jobId"])
