"""Hang-ups, latest starts and changes raced against dispatch: what was answered with 200 holds."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any

import requests

from tests.chaos.arena import Arena, arena
from tests.chaos.client import PATIENCE_S
from tests.chaos.harm import in_parallel
from tests.chaos.journal import now_ms
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on, listed

CLIENTS = 6
FIRST, CHANGED = "The first words.", "The words that replaced them."
#: How long a call that nobody ends lasts, against the simulator's usual.
PACE = 0.03
OVER = ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Race:
    """One wish, and what it was answered."""

    #: hang-up, latest start, words, time or expiry.
    kind: str
    number: str
    job_id: str
    #: Whether the answer was 200.
    held: bool
    #: When the answer was here, unix ms.
    at_ms: float
    #: The time that was asked for, unix ms; 0 for none.
    limit_ms: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a call."""

    job: Mapping[str, Any]
    rings: Sequence[Mapping[str, Any]]

    @property
    def started_ms(self) -> float | None:
        """When its last attempt started by the server's clock, unix ms."""
        found: float | None = self.job["processedOn"]
        return found


def races(scale: Scale, seed: int) -> tuple[str, str]:
    """A hang-up, a latest start or a change arrives at about the moment of dispatch."""
    count = scale.pick(30, 1_200, 10_000)
    with arena(scale, seed) as made:
        # Each call is answered by a machine and made again for that, unless it is hung up.
        settings = {"RETRY_OUTCOME_DELAY": "50ms", "RETRY_OUTCOME_MAX": "1"}
        public_url = made.stack.web_url
        made.start(workers=3, CALL_WORKER_CONCURRENCY="2", PUBLIC_URL=public_url, **settings)
        made.phone.outcomes({"outcome": "machine", "pace": PACE})
        made.phone.faults({"fault": "slow", "ms": 10, "when": "after"})
        found = _all(made, count)
        _wait_for_the_end(made, 60 + count / 20)
        jobs, faults = listed(made.api)
        rings = made.phone.rings()
    by_number: dict[str, list[Mapping[str, Any]]] = {race.number: [] for race in found}
    for ring in rings:
        by_number[ring["to"]].append(ring)
    for race in found:
        outcome = Outcome(job=jobs[race.job_id], rings=by_number[race.number])
        if fault := _fault(race, outcome):
            faults.append(f"{race}: {fault}; {outcome}")
    fail_on(faults)
    held = [race.kind for race in found if race.held]
    told = ", ".join(f"{held.count(kind)} {kind}" for kind in KINDS)
    return f"{len(found)} races", f"{len(held)} answered with 200 ({told}), all of them held"


def _all(made: Arena, count: int) -> list[Race]:
    found: list[Race] = []
    each = math.ceil(count / CLIENTS)

    def run(rng: random.Random) -> None:
        session = requests.Session()
        turns = islice(cycle(KINDS.values()), each)
        found.extend(race(made, rng, session) for race in turns)

    in_parallel(made, run, CLIENTS)
    if len(found) < count:
        fail_on([f"{count - len(found)} races were not run to their end"])
    return found


def _wait_for_the_end(made: Arena, within_s: float) -> None:
    """Nothing waits any more, no phone rings, and Twilio has told of all ends."""
    deadline, before = time.monotonic() + within_s, -1
    while True:
        made.until_quiet(within_s=within_s)
        rings = made.phone.rings()
        if len(rings) == before and all(ring["status"] in OVER for ring in rings):
            return
        if time.monotonic() > deadline:
            fail_on(["phones ring on"])
        before = len(rings)
        time.sleep(1)


def _iso(unix_ms: float) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _ask(session: requests.Session, made: Arena, method: str, path: str, **body: Any) -> bool:
    """Whether a request was answered with 200; anything but a refusal in time is a fault."""
    url = f"{made.stack.queue_url}{path}"
    answer = session.request(method, url, json=body, timeout=PATIENCE_S)
    # Too late, or a time that has passed.
    if answer.status_code not in (200, 409, 422):
        raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.ok


def _schedule(
    session: requests.Session,
    made: Arena,
    number: str,
    lead_ms: float,
    fields_at: Callable[[float], Mapping[str, Any]] = lambda _: {},
) -> tuple[str, float]:
    """Return a new call's id and when it is due; ``fields_at``: more fields, for that time.

    A request that arrives too late for them, on a busy machine, is made again with more time.
    """
    while True:
        due_ms = now_ms() + lead_ms
        body = {"to": number, "message": FIRST, "scheduleAt": _iso(due_ms), **fields_at(due_ms)}
        url = f"{made.stack.queue_url}/schedule-delayed-call"
        answer = session.post(url, json=body, timeout=PATIENCE_S)
        if answer.ok:
            return str(answer.json()["jobId"]), due_ms
        assert answer.status_code == 422, answer.text
        lead_ms *= 2


def _sleep_until(unix_ms: float) -> None:
    time.sleep(max(0.0, unix_ms - now_ms()) / 1000)


def _hang_up(made: Arena, rng: random.Random, session: requests.Session) -> Race:
    """While it rings, is answered, ends or is about to be made again."""
    (number,), again = made.numbers(1), {"retryOn": ["machine", "no-answer", "failed"]}
    job_id, due_ms = _schedule(session, made, number, 20, lambda _: again)
    _sleep_until(due_ms + rng.uniform(10, 250))
    held = _ask(session, made, "POST", f"/job/{job_id}/hangup")
    return Race(kind="hang-up", number=number, job_id=job_id, held=held, at_ms=now_ms())


def _latest_start(made: Arena, rng: random.Random, session: requests.Session) -> Race:
    """It may just be dispatched, or expire."""
    (number,), spare_ms = made.numbers(1), rng.uniform(0, 12)
    job_id, due_ms = _schedule(
        session, made, number, 60, lambda due_ms: {"notAfter": _iso(due_ms + spare_ms)}
    )
    return Race(
        kind="latest start",
        number=number,
        job_id=job_id,
        held=True,
        at_ms=now_ms(),
        limit_ms=due_ms + spare_ms,
    )


def _changed(kind: str, change: Callable[[float], dict[str, Any]], limit_ms: float = 0) -> Any:
    """Return a race of that change against the moment at which the call is due."""

    def run(made: Arena, rng: random.Random, session: requests.Session) -> Race:
        (number,) = made.numbers(1)
        job_id, due_ms = _schedule(session, made, number, 150)
        _sleep_until(due_ms + rng.uniform(-100, 2))
        held = _ask(session, made, "PATCH", f"/job/{job_id}", **change(due_ms))
        at_ms, wanted_ms = now_ms(), due_ms + limit_ms if limit_ms else 0
        return Race(
            kind=kind, number=number, job_id=job_id, held=held, at_ms=at_ms, limit_ms=wanted_ms
        )

    return run


#: How each kind of race is run.
KINDS: Mapping[str, Callable[[Arena, random.Random, requests.Session], Race]] = {
    "hang-up": _hang_up,
    "latest start": _latest_start,
    "words": _changed("words", lambda _: {"message": CHANGED}),
    "time": _changed("time", lambda due_ms: {"scheduleAt": _iso(due_ms + 150)}, 150),
    "expiry": _changed("expiry", lambda due_ms: {"notAfter": _iso(due_ms + 4)}, 4),
}


def _fault(race: Race, outcome: Outcome) -> str:
    """Return what does not hold of an answer; empty if all does."""
    most = 2 if race.kind == "hang-up" else 1
    if len(outcome.rings) > most:
        return f"rang {len(outcome.rings)} times"
    if not outcome.rings and outcome.job["state"] == "completed":
        return "completed without a ring"
    return _JUDGES[race.kind](race, outcome)


def _hung_up(race: Race, outcome: Outcome) -> str:
    later = [ring for ring in outcome.rings if ring["at"] > race.at_ms]
    if race.held and (later or outcome.job["state"] != "completed"):
        return "made again after it was hung up"
    return ""


def _not_late(race: Race, outcome: Outcome) -> str:
    started_ms, job = outcome.started_ms, outcome.job
    if (job["state"], job["failedKind"]) == ("failed", "expired"):
        return "rang and expired" if outcome.rings else ""
    if job["state"] != "completed" or started_ms is None:
        return "neither placed nor expired"
    # Times in requests and on the server are in whole ms.
    if race.held and started_ms > race.limit_ms + 1:
        return f"started {started_ms - race.limit_ms:.0f} ms after its latest start"
    return ""


def _not_early(race: Race, outcome: Outcome) -> str:
    started_ms = outcome.started_ms
    if started_ms is None or not outcome.rings:
        return "never started"
    if race.held and started_ms < race.limit_ms - 1:
        return f"started {race.limit_ms - started_ms:.0f} ms before its new time"
    return ""


def _spoken(race: Race, outcome: Outcome) -> str:
    wanted = CHANGED if race.held else FIRST
    spoken = [ring["parameters"]["Twiml"] for ring in outcome.rings]
    is_heard = len(spoken) == 1 and wanted in spoken[0]
    return "" if is_heard else f"said {spoken}"


_JUDGES: Mapping[str, Callable[[Race, Outcome], str]] = {
    "hang-up": _hung_up,
    "latest start": _not_late,
    "words": _spoken,
    "time": _not_early,
    "expiry": _not_late,
}
