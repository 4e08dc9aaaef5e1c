"""Days are closed and opened again while calls are dispatched."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.client import PATIENCE_S
from tests.chaos.harm import deeds, havoc, of_process, of_server
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on

#: Early afternoon, far from both ends of the hours of law.
_HOUR = 13


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """From when the answer said that the day is closed until it was to be opened, unix ms."""

    from_ms: float
    until_ms: float


def days_race(scale: Scale, seed: int) -> tuple[str, str]:
    """The present day is closed and opened, raced against dispatch; workers and Valkey die."""
    rounds = scale.pick(8, 60, 600)
    zone = afternoon(datetime.now(UTC))
    rules = {"CALLING_RULES": "law", "UNKNOWN_ZONE": zone.key}
    with arena(scale, seed) as made:
        made.start(workers=3, CALL_WORKER_CONCURRENCY="2", **rules)
        made.phone.faults({"fault": "slow", "ms": 20, "when": "after"})
        targets = [of_server(made.server), *map(of_process, made.workers)]
        with havoc(made, targets, every_s=(0.5, 4.0), stop_s=(0.1, 1.0)):
            closed = [_close(made, made.rng) for _ in range(rounds)]
        evidence = made.judge(within_s=180 + rounds)
        size = f"{rounds} closed days, {len(evidence.jobs)} calls, {deeds(targets)}"
    fail_on([fault for each in closed for fault in _faults(each, evidence)])
    return size, "0 started while the day was closed; all rang afterwards"


def afternoon(at: datetime) -> ZoneInfo:
    """Return a time zone in which it is early afternoon; ``at``: in UTC."""
    ahead = _HOUR - at.hour
    return ZoneInfo(f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT")


def _close(made: Arena, rng: random.Random) -> Closed:
    made.client().add(made.numbers(10))
    time.sleep(rng.uniform(0, 0.1))
    today = datetime.now(UTC).date()
    days = {"day": f"{today - timedelta(days=1)}", "last": f"{today + timedelta(days=1)}"}
    day_id = _until_done(made, "POST", "", days)["id"]
    from_ms = now_ms()
    time.sleep(rng.uniform(0.05, 0.3))
    until_ms = now_ms()
    _until_done(made, "DELETE", f"/{day_id}")
    return Closed(from_ms=from_ms, until_ms=until_ms)


def _until_done(made: Arena, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Send a request until it is answered: Redis may be away, and the answer may be lost."""
    url = f"{made.stack.web_url}/api/rules/closed-days{path}"
    while True:
        try:
            answer = requests.request(method, url, json=body, timeout=PATIENCE_S)
        except requests.RequestException:
            continue
        if answer.ok or answer.status_code == requests.codes.not_found:
            found: dict[str, Any] = answer.json()
            return found
        time.sleep(0.05)


def _faults(closed: Closed, evidence: Evidence) -> list[str]:
    return [
        f"it started {job['processedOn'] - closed.from_ms:.0f} ms after the day was closed: {job}"
        for job in evidence.jobs.values()
        if closed.from_ms < (job["processedOn"] or 0) < closed.until_ms
    ]
