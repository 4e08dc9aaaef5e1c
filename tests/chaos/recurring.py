"""Recurring calls fire once a tick, whichever scheduler dies and whenever."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable

import redis

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import Victim, of_process, of_server
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.integration.recurring_calls import RARELY, set_tick
from tests.stack import until

MINUTE_MS = 60_000
#: From a tick to its ring when nothing is in the way, s.
PROMPT_S = 2.0
#: Within what time another scheduler takes over, s, at the product's own pace.
TAKEN_OVER_S = 30.0


def ticks(scale: Scale, seed: int) -> tuple[str, str]:
    """Ticks put into the past; schedulers, web, worker or Redis die or freeze as they fire."""
    rounds, count = scale.pick(3, 30, 60), scale.pick(20, 200, 1_000)
    slowest = 0.0
    done: Counter[str] = Counter()
    with arena(scale, seed) as made:
        # Without callbacks Twilio is asked for the ends of calls, ten a second at most.
        made.start(workers=1, CALL_WORKER_CONCURRENCY="20", PUBLIC_URL=made.stack.web_url)
        beats = [of_process(made.stack.start("beat")) for _ in range(2)]
        numbers = made.numbers(count)
        ids = [schedule(made, number, RARELY) for number in numbers]
        for _ in range(rounds):
            began = time.monotonic()
            make_due(made, ids)
            harm = made.rng.choice(list(_HARMS))
            done[harm] += 1
            _HARMS[harm](made, beats)
            _until_fired(made, count * sum(done.values()))
            slowest = max(slowest, time.monotonic() - began)
        # A number's calls are on the line one after the other, for some seconds each.
        made.until_quiet(within_s=120 + 10 * rounds)
        fail_on(_faults(made, numbers, rounds))
    harms = ", ".join(f"{times} {harm}" for harm, times in sorted(done.items()))
    return f"{rounds} x {count} ticks; {harms}", (
        f"{rounds * count} rings, one a tick; slowest round {slowest:.1f} s"
    )


def minutes(scale: Scale, seed: int) -> tuple[str, str]:
    """Each minute for real, with the leading scheduler killed and Redis restarted."""
    length, count = scale.pick(2, 3, 10), scale.pick(3, 50, 200)
    with arena(scale, seed) as made:
        made.start(workers=2, CALL_WORKER_CONCURRENCY="50")
        first, second = (of_process(made.stack.start("beat")) for _ in range(2))
        # So that all begin with the same minute.
        _sleep_to_second(3)
        numbers = made.numbers(count)
        ids = [schedule(made, number, "* * * * *") for number in numbers]
        begin_ms = _next_minute()
        _sleep_to_second(50)
        first.send(signal.SIGKILL)
        _sleep_to_second(30)
        of_server(made.server).send(signal.SIGKILL)
        of_server(made.server).revive()
        first.revive()
        while _next_minute() < begin_ms + length * MINUTE_MS:
            _sleep_to_second(made.rng.randint(35, 58))
            made.rng.choice((first, second)).send(signal.SIGKILL)
            first.revive()
            second.revive()
        _sleep_to_second(40)
        for number in ids:
            made.api("POST", f"/job/recurring:{number}/pause")
        fired = (_next_minute() - begin_ms) // MINUTE_MS
        made.until_quiet(within_s=60)
        faults = _faults(made, numbers, fired)
        late = _lateness(made)
    slow = [lateness for lateness in late if lateness > TAKEN_OVER_S]
    if scale.timed and slow:
        faults.append(f"{len(slow)} rings came more than {TAKEN_OVER_S:.0f} s after their tick")
    fail_on(faults)
    prompt = sum(lateness <= PROMPT_S for lateness in late)
    return f"{count} schedules of every minute, {fired} minutes, schedulers and Redis killed", (
        f"{len(late)} rings, one a tick, {prompt} within {PROMPT_S:.0f} s of it; "
        f"latest after {max(late):.1f} s"
    )


def schedule(made: Arena, to: str, cron: str) -> str:
    """Schedule a recurring call; return its number."""
    body = {"to": to, "cronExpression": cron, "overlap": "queue"}
    job_id: str = made.api("POST", "/schedule-recurring-call", body)["jobId"]
    return job_id.removeprefix("recurring:")


def make_due(made: Arena, ids: list[str]) -> None:
    """Set the next tick of all into the past, as time itself does."""
    with made.server.client() as client, client.pipeline() as pipe:
        seconds, micros = client.time()
        tick = seconds * 1000 + micros // 1000
        for number in ids:
            set_tick(pipe, number, tick)
        pipe.execute()


def _until_fired(made: Arena, ticks: int) -> None:
    until(lambda: _fired(made) >= ticks, within_s=300, what=f"{ticks} ticks fire")


def _fired(made: Arena) -> int:
    """Ticks that made a job so far, over all schedules."""
    with made.server.client() as client:
        try:
            entries = client.zrange("{calls}:redbeat::schedule", 0, -1)
            with client.pipeline(transaction=False) as pipe:
                for entry in entries:
                    pipe.hget(entry, "fired")
                return sum(int(fired or 0) for fired in pipe.execute())
        except redis.RedisError:
            return -1


def _faults(made: Arena, numbers: list[str], expected: int) -> list[str]:
    """Numbers that did not ring once a tick, and schedules whose counts say otherwise."""
    rings = Counter(ring["to"] for ring in made.phone.rings())
    faults = [
        f"{number} rang {rings[number]} times in {expected} ticks"
        for number in numbers
        if rings[number] != expected
    ]
    for job in made.api("GET", "/recurring?start=0&end=999")["jobs"]:
        counts = [job[name]["count"] for name in ("firedRuns", "missedRuns", "skippedRuns")]
        if counts != [expected, 0, 0]:
            faults.append(f"{job['jobId']}: fired, missed, skipped are {counts}, not {expected}")
    return faults


def _lateness(made: Arena) -> list[float]:
    """From each tick to its start, s."""
    found = []
    start = 0
    while jobs := made.api("GET", f"/completed?start={start}&end={start + 999}")["jobs"]:
        start += len(jobs)
        ticks = ((int(job["jobId"].rsplit(":", 1)[1]), job["processedOn"]) for job in jobs)
        found += [(started - tick) / 1000 for tick, started in ticks]
    return found


def _next_minute() -> int:
    now_ms = int(time.time() * 1000)
    return (now_ms // MINUTE_MS + 1) * MINUTE_MS


def _sleep_to_second(second: int) -> None:
    """Until that second of a minute, of the next one where it is over."""
    time.sleep((second - time.time()) % 60)


def _kill_one(made: Arena, beats: list[Victim]) -> None:
    victim = made.rng.choice(beats)
    time.sleep(made.rng.uniform(0, 0.3))
    victim.send(signal.SIGKILL)
    victim.revive()


def _kill_both(made: Arena, beats: list[Victim]) -> None:
    time.sleep(made.rng.uniform(0, 0.3))
    for victim in beats:
        victim.send(signal.SIGKILL)
    for victim in beats:
        victim.revive()


def _freeze_one(made: Arena, beats: list[Victim]) -> None:
    victim = made.rng.choice(beats)
    victim.send(signal.SIGSTOP)
    time.sleep(made.rng.uniform(15, 30) * made.scale.pace)
    victim.send(signal.SIGCONT)


def _end_one(made: Arena, beats: list[Victim]) -> None:
    victim = made.rng.choice(beats)
    victim.send(signal.SIGTERM)
    victim.revive()


def _kill_redis(made: Arena, _: list[Victim]) -> None:
    server = of_server(made.server)
    time.sleep(made.rng.uniform(0, 0.3))
    server.send(signal.SIGKILL)
    time.sleep(made.rng.uniform(0, 10) * made.scale.pace)
    server.revive()


def _freeze_redis(made: Arena, _: list[Victim]) -> None:
    server = of_server(made.server)
    server.send(signal.SIGSTOP)
    time.sleep(made.rng.uniform(1, 60) * made.scale.pace)
    server.send(signal.SIGCONT)


def _kill_worker(made: Arena, _: list[Victim]) -> None:
    victim = of_process(made.workers[0])
    time.sleep(made.rng.uniform(0, 0.3))
    victim.send(signal.SIGKILL)
    victim.revive()


_HARMS: dict[str, Callable[[Arena, list[Victim]], None]] = {
    "scheduler killed": _kill_one,
    "both killed": _kill_both,
    "frozen": _freeze_one,
    "ended": _end_one,
    "Redis killed": _kill_redis,
    "Redis frozen": _freeze_redis,
    "worker killed": _kill_worker,
}
