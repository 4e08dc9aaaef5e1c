"""A number is put on the do-not-call list while its call is dispatched."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.client import PATIENCE_S
from tests.chaos.harm import deeds, havoc, in_parallel, of_process, of_server
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A PUT that was answered with 200."""

    number: str
    job_id: str
    #: When the answer was here, unix ms.
    at_ms: float
    #: Whether the answer named the call as one that may be ringing.
    named: bool


def wishes_race(scale: Scale, seed: int) -> tuple[str, str]:
    """PUT do-not-call raced against dispatch, while workers and Valkey die."""
    races = scale.pick(60, 1_000, 10_000)
    with arena(scale, seed) as made:
        made.start(workers=3, CALL_WORKER_CONCURRENCY="2")
        made.phone.faults({"fault": "slow", "ms": 20, "when": "after"})
        targets = [of_server(made.server), *map(of_process, made.workers)]
        found: list[Wish] = []
        with havoc(made, targets, every_s=(0.5, 4.0), stop_s=(0.1, 1.0)):
            in_parallel(made, lambda rng: _race(made, rng, races // 4, found))
        evidence = made.judge(within_s=120 + races / 20)
        size = f"{len(found)} numbers, {deeds(targets)}"
    fail_on([fault for wish in found for fault in _faults(wish, evidence)])
    in_time = sum(not evidence.rings.get(wish.number) for wish in found)
    return size, f"{in_time} in time; 0 rang after the answer unless it had named the call"


def _race(made: Arena, rng: random.Random, races: int, found: list[Wish]) -> None:
    """The PUT arrives at about the time at which the call becomes due."""
    client, left = made.client(), races
    while left:
        wait_ms = rng.randint(5, 60)
        (number,) = made.numbers(1)
        job_ids = client.add([number], delayMs=wait_ms)
        time.sleep(max(0.0, wait_ms + rng.uniform(-40, 10)) / 1000)
        # A call or a wish that was refused, because Redis was away, is no race.
        for job_id in job_ids:
            if wish := _listed(made, number, job_id):
                found.append(wish)
                left -= 1


def _listed(made: Arena, number: str, job_id: str) -> Wish | None:
    url = f"{made.stack.web_url}/api/people/{number}/do-not-call"
    try:
        answer = requests.put(url, timeout=PATIENCE_S)
    except requests.RequestException:
        return None
    if not answer.ok:
        return None
    named = job_id in answer.json()["beingPlaced"]
    return Wish(number=number, job_id=job_id, at_ms=now_ms(), named=named)


def _faults(wish: Wish, evidence: Evidence) -> list[str]:
    job = evidence.jobs[wish.job_id]
    rings = evidence.rings.get(wish.number, [])
    faults = [
        f"{wish.number} rang {ring['at'] - wish.at_ms:.0f} ms after it was listed: {job}"
        for ring in rings
        if ring["at"] > wish.at_ms and not wish.named
    ]
    if not rings and not str(job["failedReason"]).startswith("Do-not-call"):
        faults.append(f"it does not say why it did not ring: {job}")
    return faults
