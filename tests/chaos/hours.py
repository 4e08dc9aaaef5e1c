"""Hours end and begin again while calls are dispatched."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.closed_days import afternoon
from tests.chaos.harm import deeds, havoc, in_parallel, of_process, of_server
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on

_MINUTE_MS = 60_000
#: How long the workers may take until they are ready, s.
_READY_S = 60
#: From how long before an edge of the hours until how long after it calls become due, ms.
_BEFORE_MS, _AFTER_MS = 10_000, 150
#: Harm begins so long before the hours end, and ends so long before they begin again, s.
_HARM_S, _QUIET_S = 10, 10


def hours_race(scale: Scale, seed: int) -> tuple[str, str]:
    """One minute is closed; calls become due at its edges and within. Workers and Valkey die."""
    calls = scale.pick(40, 400, 4_000)
    with arena(scale, seed) as made:
        made.start(workers=0)
        shuts = datetime.now(UTC) + timedelta(minutes=1, seconds=_READY_S + calls / 20)
        shuts = shuts.replace(second=0, microsecond=0)
        shut_ms, rules = int(shuts.timestamp() * 1000), _rules(shuts)
        workers = [made.new_worker(CALL_WORKER_CONCURRENCY="4", **rules) for _ in range(3)]
        in_parallel(made, partial(_schedule, made, calls=calls // 4, shut_ms=shut_ms))
        for worker in workers:
            worker.wait_for(" ready.", within_s=120)
        targets = [of_server(made.server), *map(of_process, made.workers)]
        _wait_until(shut_ms - _HARM_S * 1000)
        with havoc(made, targets, every_s=(1.0, 6.0), stop_s=(0.1, 1.0)):
            _wait_until(shut_ms + _MINUTE_MS - _QUIET_S * 1000)
        evidence = made.judge(within_s=240 + calls)
        size = f"{len(evidence.jobs)} calls, {deeds(targets)}"
    starts = [at for job in evidence.jobs.values() for at in _starts(job)]
    wrong = [each for each in starts if 0 <= each - shut_ms < _MINUTE_MS]
    fail_on([f"a call started {each - shut_ms} ms after the hours had ended" for each in wrong])
    late = [each - shut_ms - _MINUTE_MS for each in starts if each > shut_ms]
    found = f"{len(starts) - len(late)} started before the closed minute, none within it"
    return size, f"{found}; the first of {len(late)} started {min(late, default=0)} ms after it"


def _rules(shuts: datetime) -> dict[str, str]:
    """Return settings by which one minute is closed."""
    zone = afternoon(shuts)
    until, since = (
        f"{each.astimezone(zone):%H:%M}" for each in (shuts, shuts + timedelta(minutes=1))
    )
    hours = f"mon-sun 00:00-{until} + {since}-24:00"
    return {"CALLING_RULES": "law", "CALLING_HOURS": hours, "UNKNOWN_ZONE": zone.key}


def _starts(job: dict[str, Any]) -> set[int]:
    """Return when its attempts started, unix ms."""
    texts = (each["startedAt"] for each in job["attempts"])
    found = {round(datetime.fromisoformat(text).timestamp() * 1000) for text in texts if text}
    return found | {job["processedOn"]} - {None}


def _schedule(made: Arena, rng: random.Random, calls: int, shut_ms: int) -> None:
    """Half of the calls become due as the hours end, the others within or as they begin."""
    client = made.client()
    for number in range(calls):
        due_ms = shut_ms + rng.uniform(-_BEFORE_MS, _AFTER_MS)
        if number % 4 == 1:
            due_ms = shut_ms + rng.uniform(0, _MINUTE_MS)
        elif number % 4 == 3:
            due_ms += _MINUTE_MS
        client.add(made.numbers(1), delayMs=max(1, int(due_ms - now_ms())))


def _wait_until(at_ms: float) -> None:
    time.sleep(max(0.0, (at_ms - now_ms()) / 1000))
