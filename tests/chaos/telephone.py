"""Twilio misbehaves in every way: one ring a call throughout, nothing lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import of_process
from tests.chaos.scale import Scale
from tests.chaos.verify import UNKNOWN_OUTCOME, fail_on
from tests.stack import until

#: Faults in the middle of an answer; each is tried before and after Twilio took the call.
_SPOILT = ("drop", "reset", "silent", "half_close", "cut", "html", "empty")
#: Refusals in a row that open the circuit.
CIRCUIT_OPENS_AFTER = 5


def kinds(deadline_ms: int, longest: float = 3.0) -> Sequence[Mapping[str, Any]]:
    """Every kind of fault at the creation of a call.

    ``longest``: how late Twilio takes a call, in dial deadlines; sooner than the horizon,
    beyond which a ring is not looked for.
    """
    spoilt: list[Mapping[str, Any]] = [
        {"fault": fault, "when": when} for fault in _SPOILT for when in ("before", "after")
    ]
    errors = [
        {"fault": "error", "status": status, "when": when}
        for status in (500, 502, 503, 504)
        for when in ("before", "after")
    ]
    slow = [
        {"fault": "slow", "ms": int(deadline_ms * share), "when": when}
        for share in (0.1, 0.8, 1.4, longest)
        for when in ("before", "after")
    ]
    refusals: list[Mapping[str, Any]] = [
        {"fault": "error", "status": 429},
        {"fault": "error", "status": 429, "retry_after": 2},
        {"fault": "error", "status": 429, "code": 10004},
        {"fault": "error", "status": 400, "code": 22005},
        {"fault": "then_close"},
        {"fault": "drip", "ms": 2, "when": "after"},
    ]
    return [*spoilt, *errors, *slow, *refusals]


def telephone(scale: Scale, seed: int) -> tuple[str, str]:
    """Each fault at the creation of a call, under a list that lags."""
    each = scale.pick(1, 6, 12)
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_WORKER_CONCURRENCY="10")
        rules: list[Mapping[str, Any]] = []
        numbers: list[str] = []
        # The latest ring and the list's lag end before the horizon: looks are punctual, and a
        # ring that shows only then is dialed once more, as docs/promises.md says.
        for rule in kinds(int(10_000 * scale.pace), scale.pick(1.2, 2.0, 6.0)):
            struck = made.numbers(each)
            rules += [{**rule, "to": number, "times": 1} for number in struck]
            numbers += struck
        lag_ms = scale.pick(500, 3_000, 60_000)
        made.phone.faults(*rules, {"fault": "list_lag", "ms": lag_ms})
        numbers += made.numbers(each * 5)
        made.rng.shuffle(numbers)
        # Short of the number after which one bulk would be the only load there is.
        for start in range(0, len(numbers), 25):
            made.client().add(numbers[start : start + 25])
        evidence = made.judge(within_s=120 + 900 * scale.pace)
    failed = [job for job in evidence.jobs.values() if job["state"] == "failed"]
    fail_on([f"a passing fault failed the call {job}" for job in failed])
    twice = sum(job["attemptsMade"] > 1 for job in evidence.jobs.values())
    return f"{len(numbers)} calls, {len(rules)} faults of {len(rules) // each} kinds", (
        f"0 lost, 0 twice; all completed, {twice} in a later attempt; list lagging by {lag_ms} ms"
    )


def refused(scale: Scale, seed: int) -> tuple[str, str]:
    """Connections refused for long: the circuit breaker holds the rest back with all attempts."""
    away_s = scale.pick(2.0, 12.0, 120.0)
    with arena(scale, seed) as made:
        made.start(workers=2)
        made.phone.faults({"fault": "refuse", "on": None, "ms": int(away_s * 1000)})
        count = scale.pick(30, 200, 1_000)
        made.client().add(made.numbers(count))
        evidence = made.judge(within_s=60 + away_s)
    spent = sum(job["attemptsMade"] - 1 for job in evidence.jobs.values())
    fail_on([f"{spent} attempts were lost"] if spent > CIRCUIT_OPENS_AFTER else [])
    fail_on([f"failed: {job}" for job in evidence.jobs.values() if job["state"] == "failed"])
    return f"{count} calls, refused for {away_s:g} s", f"all rang once; {spent} attempts spent"


def left_to_a_person(scale: Scale, seed: int) -> tuple[str, str]:
    """``ON_UNKNOWN_OUTCOME=fail``: failed with words on what to check."""
    each = scale.pick(1, 5, 20)
    with arena(scale, seed) as made:
        made.start(workers=2, ON_UNKNOWN_OUTCOME="fail")
        rules = []
        for rule in kinds(int(10_000 * scale.pace)):
            if rule["fault"] in _SPOILT:
                rules += [{**rule, "to": number} for number in made.numbers(each)]
        made.phone.faults(*rules)
        made.client().add([rule["to"] for rule in rules])
        evidence = made.judge(within_s=120, left_to_a_person=True)
    fail_on(
        [
            f"it says nothing of what to check: {job}"
            for job in evidence.jobs.values()
            if job["state"] != "failed" or UNKNOWN_OUTCOME not in job["failedReason"]
        ]
    )
    return f"{len(rules)} calls of unknown outcome", "all failed, and say what to check"


def one_number(scale: Scale, seed: int) -> tuple[str, str]:
    """Two calls to one number, one with an unknown outcome; and rings of another program."""
    pairs = scale.pick(2, 10, 50)
    public = {"PUBLIC_URL": "http://127.0.0.1:9"}
    faults: list[str] = []
    for settings in ({}, public):
        with arena(scale, seed) as made:
            made.start(workers=2, **settings)
            faults += _pairs(made, pairs)
            faults += (_strangers if settings else _not_to_be_told)(made, pairs)
    fail_on(faults)
    return f"{2 * pairs} pairs, {2 * pairs} rings of another program", (
        "each call has its own SID, and none of another program's; "
        f"{pairs} that could not be distinguished are left to a person"
    )


def _pairs(made: Arena, pairs: int) -> list[str]:
    numbers = made.numbers(pairs)
    made.phone.faults(
        *({"fault": "drop", "when": "after", "to": number, "times": 1} for number in numbers)
    )
    api = made.api
    job_ids = {number: [api.schedule(number), api.schedule(number)] for number in numbers}
    made.until_quiet(within_s=60)
    faults = []
    for number, ids in job_ids.items():
        jobs = [api.job(job_id) for job_id in ids]
        rung = sorted(str(ring["sid"]) for ring in made.phone.rings(number))
        named = sorted(str((job["call"] or {}).get("sid")) for job in jobs)
        if named != rung or len(rung) != 2:
            faults.append(f"two calls to {number}: rings {rung}, jobs {jobs}")
    return faults


def _strangers(made: Arena, count: int) -> list[str]:
    """Twilio fails before it takes our call; another program rings the number meanwhile."""
    numbers = made.numbers(count)
    rule = {"fault": "silent", "when": "before", "times": 1}
    made.phone.faults(*({**rule, "to": number} for number in numbers))
    api = made.api
    job_ids = [api.schedule(number) for number in numbers]
    until(
        lambda: (
            sum(rule["struck"] for rule in made.phone.faults() if rule["fault"] == "silent")
            >= count
        ),
        within_s=60,
        what="each fault strikes",
    )
    foreign = {made.phone.create(number).json()["sid"] for number in numbers}
    made.until_quiet(within_s=60 + 400 * made.scale.pace)
    jobs = [api.job(job_id) for job_id in job_ids]
    return [
        f"another program's ring decided on ours: {job}"
        for job in jobs
        if job["state"] != "completed" or job["call"]["sid"] in foreign
    ]


def _not_to_be_told(made: Arena, count: int) -> list[str]:
    """Two rings to a number, one of another program, and no token in either."""
    numbers = made.numbers(count)
    for number in numbers:
        # Beforehand, within the distance at which two clocks are read: it could be ours.
        made.phone.create(number)
    made.phone.faults(*({"fault": "drop", "when": "after", "to": number} for number in numbers))
    job_ids = {number: made.api.schedule(number) for number in numbers}
    made.until_quiet(within_s=60 + 400 * made.scale.pace)
    faults = []
    for number, job_id in job_ids.items():
        job, sids = made.api.job(job_id), [str(r["sid"]) for r in made.phone.rings(number)]
        reason = job["failedReason"] or ""
        named = UNKNOWN_OUTCOME in reason and all(sid in reason for sid in sids)
        if job["state"] != "failed" or not named or len(sids) != 2:
            faults.append(f"not left to a person: {job}, rings {sids}")
    return faults


def too_late(scale: Scale, seed: int) -> tuple[str, str]:
    """A ring that was given up and answers after all is ended at Twilio."""
    horizon_s = {"short": 2.0, "usual": 3.0, "full": 30.0}[scale.name]
    with arena(scale, seed) as made:
        made.start(workers=1, UNKNOWN_OUTCOME_HORIZON=f"{horizon_s:g}s")
        number = made.numbers(1)[0]
        slow = {"fault": "slow", "ms": 800, "when": "after", "to": number, "times": 1}
        # No fault, but it counts the requests to end a call.
        ends = {"fault": "slow", "ms": 0, "on": "update", "to": number}
        made.phone.faults({"fault": "list_lag", "ms": 3_600_000}, slow, ends)
        job_id = made.api.schedule(number)
        until(made.phone.rings, within_s=60, what="it rings")
        frozen = of_process(made.workers[0])
        frozen.send(signal.SIGSTOP)
        made.new_worker()
        made.api.until_state(job_id, "completed", within_s=60 + 2 * horizon_s)
        frozen.send(signal.SIGCONT)
        first, second = [ring["sid"] for ring in made.phone.rings()]
        until(lambda: made.phone.faults()[-1]["struck"], within_s=60, what="the ring is ended")
        until(lambda: _status(made, first) in ("canceled", "completed"), within_s=60, what="an end")
        job = made.api.job(job_id)
    fail_on([] if job["call"]["sid"] == second else [f"the wrong ring counts: {job}"])
    return "1 ring unseen for longer than the horizon", "its late answer had it ended at Twilio"


def _status(made: Arena, sid: str) -> str:
    return str(made.phone.get(f"/{sid}").json()["status"])


def account(scale: Scale, seed: int) -> tuple[str, str]:
    """Wrong token, suspended, no funds: the queue pauses itself, no attempt is spent."""
    codes = ((401, 20003), (403, 20005), (403, 10001), (400, 21210))
    faults: list[str] = []
    asked = []
    with arena(scale, seed) as made:
        made.start(workers=2)
        for status, code in codes if scale.name != "short" else codes[:1]:
            made.phone.mend()
            made.phone.faults({"fault": "error", "status": status, "code": code})
            job_ids = made.client().add(made.numbers(40))
            until(lambda: made.api("GET", "/stats")["paused"], within_s=60, what="a pause")
            time.sleep(1)
            stats = made.api("GET", "/stats")
            asked.append(made.phone.faults()[0]["struck"])
            if str(code) not in str(stats["pauseReason"]):
                faults.append(f"{code}: the reason is {stats['pauseReason']}")
            if not any(stats["pauseReason"] in worker.output for worker in made.workers):
                faults.append(f"{code}: no worker's log has the reason")
            spent = sum(made.api.job(job_id)["attemptsMade"] for job_id in job_ids)
            if spent or stats["stats"]["active"]:
                faults.append(f"{code}: {spent} attempts spent, {stats['stats']}")
            made.phone.mend()
            made.client().resume()
            made.until_quiet(within_s=30)
        made.judge()
    faults += [f"{count} calls were asked for over 10 slots" for count in asked if count > 10]
    fail_on(faults)
    return f"{len(asked)} faults, 40 calls each, 10 slots", (
        f"paused with the reason after {max(asked)} calls at most; no attempt spent"
    )


def frozen(scale: Scale, seed: int) -> tuple[str, str]:
    """Workers stopped for longer than their lease, on the way to Twilio and while they ask."""
    rounds, calls = scale.pick(2, 10, 20), 60
    with arena(scale, seed) as made:
        made.start(workers=3, CALL_WORKER_CONCURRENCY=str(calls))
        made.phone.faults({"fault": "slow", "ms": int(3_000 * scale.pace), "when": "after"})
        for number in range(rounds):
            made.client().add(made.numbers(calls))
            # At once: calls are taken and not yet asked for. Later: Twilio is being asked.
            time.sleep(made.rng.uniform(0, 0.3) if number % 3 == 2 else made.rng.uniform(0, 0.04))
            # One is left to take over what the others hold.
            victims = [of_process(worker) for worker in made.rng.sample(made.workers, 2)]
            for victim in victims:
                victim.send(signal.SIGSTOP)
            time.sleep(made.rng.uniform(15, 25) * scale.pace)
            for victim in victims:
                victim.send(signal.SIGCONT)
            time.sleep(made.rng.uniform(0, 3) * scale.pace)
        evidence = made.judge(within_s=60 + 600 * scale.pace)
    rings = sum(map(len, evidence.rings.values()))
    return f"{rounds} freezes, {rounds * calls} calls", f"{rings} rings, none twice, none lost"
