"""A bulk is there whole or not at all, whatever dies; the stats stay quick meanwhile."""

from __future__ import annotations

import contextlib
import signal
import time

import requests

from tests.chaos import watch
from tests.chaos.arena import Arena, arena
from tests.chaos.harm import meanwhile, of_process, of_server
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.stack import until

#: How long GET stats may take at p99, s.
STATS_S = 0.150
#: How long a bulk that is not committed may stay staged, s.
STAGED_S = 30
#: Much later: nothing rings.
LATER_MS = 7 * 24 * 3_600_000


def bulk(scale: Scale, seed: int) -> tuple[str, str]:
    """A large bulk, with web or Valkey killed at a random moment, again and again."""
    size, rounds = scale.pick(1_500, 10_000, 10_000), scale.pick(1, 16, 50)
    whole = 0
    with arena(scale, seed) as made:
        made.start(workers=1)
        took_s = _undisturbed(made, size)
        expected = size
        for _ in range(rounds):
            _one(made, size, took_s)
            grown = _total(made) - expected
            fail_on([f"{grown} of {size} calls of a bulk are there"] if grown % size else [])
            whole += grown // size
            expected += grown
            # A bulk takes longer or shorter than the first; the kills are to fall on its end.
            took_s *= 0.93 if grown else 1.07
        if scale.name != "short":
            _nothing_staged(made, expected)
    return f"{rounds} bulks of {size}, web or Valkey killed", (
        f"{whole} whole, {rounds - whole} not at all, nothing left staged"
    )


def _undisturbed(made: Arena, size: int) -> float:
    began = time.monotonic()
    made.client().add(made.numbers(size), delayMs=LATER_MS)
    return time.monotonic() - began


def _one(made: Arena, size: int, took_s: float) -> None:
    assert made.web is not None
    victim = made.rng.choice((of_process(made.web), of_server(made.server)))
    numbers = made.numbers(size)
    with meanwhile(lambda _: made.client().add(numbers, delayMs=LATER_MS)):
        # The request is read and checked before anything is written: the latter half counts most.
        time.sleep(made.rng.triangular(0.1, 1.1, 0.8) * took_s)
        victim.send(signal.SIGKILL)
        victim.revive()
    until(lambda: _total(made) >= 0, within_s=30, what="the API answers")


def _total(made: Arena) -> int:
    """Calls in the queue; -1 while nobody answers."""
    with contextlib.suppress(requests.RequestException, AssertionError):
        return int(made.api.stats()["total"])
    return -1


def _nothing_staged(made: Arena, expected: int) -> None:
    """Records without a place are swept by the workers, some time after they went stale."""

    def records() -> int:
        with made.server.client() as direct:
            return sum(1 for _ in direct.scan_iter("{calls}:job:*", count=5_000))

    until(
        lambda: records() == expected,
        within_s=STAGED_S + 60,
        what=f"only the {expected} records of accepted calls are left",
    )


def stats(scale: Scale, seed: int) -> tuple[str, str]:
    """GET stats while large bulks are accepted, of calls alike and of calls all different."""
    size, rounds = scale.pick(1_000, 10_000, 10_000), scale.pick(2, 10, 30)
    with arena(scale, seed) as made:
        made.start(workers=1, WEB_PROCESSES="2")
        watchers = [watch.start(f"{made.stack.queue_url}/stats") for _ in range(2)]
        for index in range(rounds):
            _accept(made, size, mixed=bool(index % 2))
        took = sorted(second for watcher in watchers for second in watch.stop(watcher))
        total = _total(made)
    fail_on([f"{total} calls are there"] if total != size * rounds else [])
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    if scale.timed:
        fail_on([f"stats took {p99 * 1000:.0f} ms at p99"] if p99 > STATS_S else [])
    return f"{rounds} bulks of {size}, {len(took)} GET stats", (
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms"
    )


def _accept(made: Arena, size: int, *, mixed: bool) -> None:
    """A bulk of calls that are all alike, or of which none has the time of the one before."""
    rng = made.rng
    made.api.bulk(
        [
            {
                "to": number,
                "delayMs": LATER_MS + (rng.randint(0, LATER_MS) if mixed else 0),
                "priority": rng.choice(("high", "normal", "low")) if mixed else "normal",
            }
            for number in made.numbers(size)
        ]
    )


def on_time(scale: Scale, seed: int) -> tuple[str, str]:
    """Delayed calls with a great many more that wait for later."""
    soon, later = scale.pick(40, 1_000, 1_000), scale.pick(1_000, 100_000, 100_000)
    seconds = scale.pick(1, 30, 60)
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_WORKER_CONCURRENCY="20")
        for part in batched_numbers(made.numbers(later)):
            made.client().add(part, delayMs=LATER_MS)
        api = made.api
        calls = [
            {"to": number, "delayMs": made.rng.randint(1_000, 1_000 + seconds * 1_000)}
            for number in made.numbers(soon)
        ]
        job_ids = api.bulk(calls)
        until(
            lambda: api.stats()["completed"] >= soon,
            within_s=seconds + 60,
            what="all that is due rings",
        )
        jobs = [api.job(job_id) for job_id in job_ids]
        rings = {ring["to"]: ring["at"] for ring in made.phone.rings()}
    pairs = zip(calls, jobs, strict=True)
    due = {call["to"]: job["timestamp"] + call["delayMs"] for call, job in pairs}
    late = sorted(job["processedOn"] - due[job["data"]["to"]] for job in jobs)
    early = [to for to, at in rings.items() if at < due[to]]
    fail_on([f"{len(early)} calls rang early"] if early or late[0] < 0 else [])
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    return f"{soon} delayed calls over {seconds} s, {later} more for later", (
        f"none early; lateness p50 {p50} ms, p99 {p99} ms, longest {late[-1]} ms"
    )


def batched_numbers(numbers: list[str]) -> list[list[str]]:
    """Return parts that one bulk may hold."""
    return [numbers[start : start + 10_000] for start in range(0, len(numbers), 10_000)]
