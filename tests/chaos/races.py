"""Pause and cancel raced against dispatch; a request that is sent fifty times at once."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.arena import Arena, arena
from tests.chaos.client import Client, Told
from tests.chaos.harm import deeds, havoc, in_parallel, of_process, of_server
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on


def pauses(scale: Scale, seed: int) -> tuple[str, str]:
    """Pause and resume while calls are dispatched as fast as they can be."""
    races = scale.pick(60, 1_500, 10_000)
    with arena(scale, seed) as made:
        made.start(workers=3)
        client = made.client()
        for _ in range(races):
            _pause_once(made, client)
        evidence = made.judge(within_s=60 + races / 20)
    return f"{races} pauses", _started(evidence)


def pauses_and_restarts(scale: Scale, seed: int) -> tuple[str, str]:
    """The same over restarts of Valkey and of workers: a pause is durable."""
    races = scale.pick(8, 200, 1_000)
    with arena(scale, seed) as made:
        made.start(workers=3)
        client = made.client()
        targets = [of_server(made.server), *map(of_process, made.workers[:2])]
        with havoc(made, targets, every_s=(0.3, 3.0), stop_s=(0.1, 1.0)):
            for _ in range(races):
                _pause_once(made, client, made.rng.uniform(0, 0.4))
        client.resume()
        evidence = made.judge(within_s=60 + races)
        size = f"{len(made.journal.pauses)} pauses, {deeds(targets)}"
    return size, _started(evidence)


def _pause_once(made: Arena, client: Client, hold_s: float = 0.0) -> None:
    client.add(made.numbers(made.rng.randint(1, 6)))
    time.sleep(made.rng.uniform(0, 0.02))
    client.pause()
    time.sleep(hold_s or made.rng.uniform(0, 0.02))
    client.resume()


def _started(evidence: Evidence) -> str:
    paused_s = sum(until - since for since, until in evidence.journal.pauses) / 1000
    return f"{len(evidence.jobs)} calls started, none in the {paused_s:.0f} s between"


def cancels(scale: Scale, seed: int) -> tuple[str, str]:
    """DELETE raced against dispatch over several workers."""
    return _cancels(scale, seed, scale.pick(80, 2_000, 10_000), restarts=False)


def cancels_and_restarts(scale: Scale, seed: int) -> tuple[str, str]:
    """The same over restarts of Valkey."""
    return _cancels(scale, seed, scale.pick(40, 1_500, 5_000), restarts=True)


def _cancels(scale: Scale, seed: int, races: int, *, restarts: bool) -> tuple[str, str]:
    with arena(scale, seed) as made:
        made.start(workers=3, CALL_WORKER_CONCURRENCY="2")
        made.phone.faults({"fault": "slow", "ms": 20, "when": "after"})
        targets = [of_server(made.server)] if restarts else []
        with havoc(made, targets, every_s=(0.1, 1.5), stop_s=(0.1, 1.0)):
            in_parallel(made, lambda rng: _add_and_cancel(made, rng, races // 4))
        evidence = made.judge(within_s=60 + races / 20)
        harm = f", {deeds(targets)}" if restarts else ""
    before = [gone for gone in evidence.journal.cancelled.values() if gone.was != "completed"]
    return f"{races} calls{harm}", (
        f"{len(before)} cancelled in time, none of them rang; "
        f"{sum(map(len, evidence.rings.values()))} others rang once"
    )


def _add_and_cancel(made: Arena, rng: random.Random, races: int) -> None:
    """The DELETE arrives at about the time at which the call becomes due."""
    client, left = made.client(), races
    while left:
        wait_ms = rng.randint(5, 60)
        job_ids = client.add(made.numbers(1), delayMs=wait_ms)
        time.sleep(max(0.0, wait_ms + rng.uniform(-40, 2)) / 1000)
        # A call that was refused, because Redis was away, is no race.
        for job_id in job_ids:
            left -= 1
            client.cancel(job_id)


def same_request(scale: Scale, seed: int) -> tuple[str, str]:
    """50 clients send one request at once, web is killed in between: one call."""
    rounds, clients = scale.pick(2, 12, 50), 50
    faults: list[str] = []
    with arena(scale, seed) as made:
        made.start(workers=2)
        assert made.web is not None
        web = of_process(made.web)
        for number in range(rounds):
            size = made.rng.choice((1, 1, 40))
            answers = _all_at_once(made, made.numbers(size), f"key-{number}", clients)
            time.sleep(made.rng.uniform(0, 0.15))
            web.send(signal.SIGKILL)
            web.revive()
            ids = {tuple(answer) for answer in answers()}
            if len(ids) != 1:
                faults.append(f"one request was answered with {sorted(ids)}")
        evidence = made.judge()
    fail_on(faults)
    rings = sum(map(len, evidence.rings.values()))
    return f"{rounds} requests of {clients} clients each, {rounds} kills of web", (
        f"one answer each; {rings} calls, each rang once"
    )


def _all_at_once(
    made: Arena, numbers: Sequence[str], key: str, clients: int
) -> Callable[[], list[list[str]]]:
    """Start them; the result waits for all and gives what each was answered."""
    gate = threading.Barrier(clients)

    def insist() -> list[str]:
        client = made.client()
        calls = [{"to": number} for number in numbers]
        gate.wait()
        while True:
            path = "/schedule-bulk-calls" if len(calls) > 1 else "/schedule-call"
            body = {"calls": calls} if len(calls) > 1 else calls[0]
            outcome, answer = client.ask("POST", path, body, **{"Idempotency-Key": key})
            if outcome is Told.DONE and answer is not None:
                document = answer.json()
                ids = [job["jobId"] for job in document.get("jobs", [document])]
                made.journal.accept(ids, numbers)
                return ids
            time.sleep(0.1)

    pool = ThreadPoolExecutor(clients)
    asked = [pool.submit(insist) for _ in range(clients)]
    pool.shutdown(wait=False)
    return lambda: [each.result() for each in asked]
