"""The limit over all workers, and the order of the calls."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import deeds, havoc, in_parallel, of_process
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on, most_in_window
from tests.stack import ROOT, until
from vomind_queue.broker.names import PLACE_CALL

#: Starts allowed in a window.
LIMIT = 10
#: Rings reach Twilio at different speeds after they were counted; windows of rings are judged
#: shorter by that much, ms.
TRANSIT_MS = 400
#: Calls that were handed to different slots may start within this of each other, ms.
SAME_MOMENT_MS = 300
#: Puts the clock of one process an hour ahead, see `shifted_clock/sitecustomize.py`.
SHIFTED = {"PYTHONPATH": str(Path(__file__).parent / "shifted_clock")}


def limit(scale: Scale, seed: int) -> tuple[str, str]:
    """1, 2 and 5 workers, one clock an hour off: never more than allowed, all of it used."""
    window_ms = int(scale.pick(1_000, 3_000, 60_000))
    windows = scale.pick(3, 8, 5)
    results = []
    for workers in scale.pick((2,), (1, 2, 5), (1, 2, 5)):
        with arena(scale, seed) as made:
            made.start(workers=0, CALL_RATE_LIMIT=f"{LIMIT}/{window_ms}ms")
            for number in range(workers):
                made.new_worker(**(SHIFTED if number == 1 else {}))
            made.client().add(made.numbers(LIMIT * windows))
            evidence = made.judge(within_s=60 + 2 * windows * window_ms / 1000)
        most, used = _judge_window(evidence, window_ms)
        wanted = 0.98 if window_ms == 60_000 else 0.9
        if scale.timed and used < wanted:
            fail_on([f"{workers} workers used {used:.1%} of the allowance"])
        results.append(f"{workers} workers: {most} at most, {used:.1%} used")
    return f"{LIMIT} in {window_ms} ms, {windows} windows each", "; ".join(results)


def _judge_window(evidence: Evidence, window_ms: int) -> tuple[int, float]:
    starts = [job["processedOn"] for job in evidence.jobs.values() if job["processedOn"]]
    rings = [ring["at"] for rings in evidence.rings.values() for ring in rings]
    most = most_in_window(starts, window_ms)
    fail_on([f"{most} starts within {window_ms} ms"] if most > LIMIT else [])
    rung = most_in_window(rings, window_ms - TRANSIT_MS)
    fail_on([f"{rung} rings within {window_ms - TRANSIT_MS} ms"] if rung > LIMIT else [])
    lasted_ms = max(starts) - min(starts)
    return most, len(starts) / (LIMIT * (lasted_ms / window_ms + 1))


def limit_under_kills(scale: Scale, seed: int) -> tuple[str, str]:
    """Workers die and join, calls are refused and tried again: never more than allowed."""
    window_ms = int(scale.pick(1_000, 3_000, 60_000))
    count = LIMIT * scale.pick(4, 10, 10)
    with arena(scale, seed) as made:
        made.start(workers=5, CALL_RATE_LIMIT=f"{LIMIT}/{window_ms}ms")
        made.phone.faults(
            {"fault": "error", "status": 429, "times": 4},
            {"fault": "slow", "ms": int(1_500 * scale.pace), "when": "after"},
        )
        made.client().add(made.numbers(count))
        targets = [of_process(worker) for worker in made.workers]
        # No freezes: a frozen request rings later than it started.
        with havoc(made, targets, every_s=(1.0, window_ms / 500), stop_s=(0.01, 0.1)):
            until(
                lambda: made.api.stats()["waiting"] < LIMIT,
                within_s=60 + 3 * count / LIMIT * window_ms / 1000,
                what="most calls have started",
            )
        evidence = made.judge(within_s=60 + 2 * window_ms / 1000)
        most, _ = _judge_window(evidence, window_ms)
        size = f"{count} calls, 5 workers, {deeds(targets)}"
    return size, f"{most} starts at most in any {window_ms} ms"


def operator(scale: Scale, seed: int) -> tuple[str, str]:
    """An operator's change of the rate reaches all workers and survives their restarts."""
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_RATE_LIMIT="1/h")
        command = ("-m", "celery", "-A", "celery_app", "control", "rate_limit", PLACE_CALL, "5/s")
        subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=made.stack.environment(),
            check=True,
            capture_output=True,
            timeout=60,
        )
        until(lambda: _rate(made) == (5, 1_000), within_s=60, what="the rate is changed")
        for worker in made.workers:
            victim = of_process(worker)
            victim.send(signal.SIGKILL)
            victim.revive()
        made.client().add(made.numbers(30))
        evidence = made.judge(within_s=60)
        rate = _rate(made)
    starts = [job["processedOn"] for job in evidence.jobs.values()]
    most = most_in_window(starts, 1_000)
    fail_on([] if rate == (5, 1_000) else [f"after the restarts the rate is {rate}"])
    fail_on([f"{most} starts within 1 s"] if most > 5 else [])
    return "1/h changed to 5/s, 2 workers killed", f"30 calls went on; {most} at most in any 1 s"


def _rate(made: Arena) -> tuple[int, int]:
    found: dict[str, Any] = made.api("GET", "/stats")["rateLimit"]
    return found["max"], found["windowMs"]


def order(scale: Scale, seed: int) -> tuple[str, str]:
    """5 workers, limiter on and off, calls of all priorities arriving meanwhile."""
    seconds = scale.pick(2.0, 12.0, 60.0)
    results = []
    for rate in scale.pick(("20/1s",), ("off", "20/1s"), ("off", "20/1s")):
        with arena(scale, seed) as made:
            made.start(workers=5, CALL_WORKER_CONCURRENCY="2", CALL_RATE_LIMIT=rate)
            made.phone.faults({"fault": "slow", "ms": 150, "when": "after"})
            _arrive(made, seconds, 80 if rate == "off" else 25)
            evidence = made.judge(within_s=60 + 3 * seconds)
        pairs, worst_ms = inversions(evidence)
        calls = len(evidence.jobs)
        results.append(f"limit {rate}: {calls} calls, {pairs} pairs within {worst_ms} ms")
        fail_on([f"an inversion of {worst_ms} ms, {rate}"] if worst_ms > SAME_MOMENT_MS else [])
    return f"5 workers, {seconds:g} s of arrivals", f"no inversion ({'; '.join(results)})"


def _arrive(made: Arena, seconds: float, a_second: int) -> None:
    """More calls a second than can be placed, so that some always wait."""
    until_s = time.monotonic() + seconds

    def send(rng: random.Random) -> None:
        client = made.client()
        while time.monotonic() < until_s:
            client.add(made.numbers(1), priority=rng.choice(("high", "normal", "low", "low")))
            time.sleep(rng.uniform(0, 6 / a_second))

    in_parallel(made, send, 3)


def inversions(evidence: Evidence) -> tuple[int, int]:
    """Return pairs that started in the wrong order, and the worst time between the two, ms.

    A call is overtaken when one that is less urgent, or as urgent and later, starts
    while it waits.
    """
    ranks = {"high": 1, "normal": 2, "low": 3}
    jobs = [
        (job["processedOn"], job["timestamp"], ranks[job["priority"]])
        for job in evidence.jobs.values()
    ]
    found = [
        later - start
        for start, at, rank in jobs
        for later, other_at, other_rank in jobs
        if other_at < start < later and (other_rank, other_at) < (rank, at)
    ]
    return len(found), max(found, default=0)
