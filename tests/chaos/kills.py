"""Everything dies and freezes at random while clients add, cancel, retry, pause and bulk."""

from __future__ import annotations

import random
import time
from collections import Counter

from tests.chaos.arena import Arena, arena
from tests.chaos.client import Client
from tests.chaos.harm import deeds, havoc, in_parallel, victims
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence

#: Clients at the same time.
CLIENTS = 4
#: Largest bulk of a client.
BULK = 12


def kills(scale: Scale, seed: int) -> tuple[str, str]:
    """Some hundred calls; each second or so something dies."""
    calls = scale.pick(60, 200, 200)
    seconds = scale.pick(3.0, 12.0, 60.0)
    return _campaign(scale, seed, calls, seconds)


def long_kills(scale: Scale, seed: int) -> tuple[str, str]:
    """Many thousand calls."""
    calls = scale.pick(60, 4_000, 20_000)
    seconds = scale.pick(5.0, 60.0, 400.0)
    return _campaign(scale, seed, calls, seconds)


def _campaign(scale: Scale, seed: int, calls: int, seconds: float) -> tuple[str, str]:
    with arena(scale, seed) as made:
        made.start(workers=2)
        slow_ms = min(300, int(5_000 * seconds / calls))
        made.phone.faults({"fault": "slow", "ms": slow_ms, "when": "after"})
        targets = victims(made)
        stop_s = (1.0 * scale.pace, scale.pick(1.0, 4.0, 40.0))
        with havoc(made, targets, every_s=(0.5, max(2.0, seconds / 4)), stop_s=stop_s):
            busy_clients(made, calls, seconds)
        made.client().resume()
        evidence = made.judge(within_s=120 + calls * slow_ms / 2_000 + 400 * scale.pace)
        done = deeds(targets)
    return f"{calls} calls, {done}", _figures(evidence)


def busy_clients(made: Arena, calls: int, seconds: float) -> None:
    """Clients add that many calls in about that time, and do everything else meanwhile."""
    spoil(made)
    in_parallel(made, lambda rng: _work(made, rng, calls // CLIENTS, seconds), CLIENTS)


def spoil(made: Arena) -> None:
    """Some of the numbers to come are refused once, for good; some answers are lost."""
    some = made.rng.sample(range(60), 20)
    permanent = {"fault": "error", "status": 400, "code": 21211, "times": 1}
    passing = {"fault": "error", "status": 429, "times": 1}
    made.phone.faults(
        *({**permanent, "to": f"+1555{index:07d}"} for index in some[:8]),
        *({**passing, "to": f"+1555{index:07d}"} for index in some[8:14]),
        *({"fault": "drop", "when": "after", "to": f"+1555{index:07d}"} for index in some[14:]),
    )


def _work(made: Arena, rng: random.Random, calls: int, seconds: float) -> None:
    client, until_s = made.client(), time.monotonic() + seconds
    left = calls
    while left > 0 or time.monotonic() < until_s:
        if left > 0 and rng.random() < 0.5:
            left -= _add(made, client, rng, left)
        else:
            _meddle(made, client, rng)
        # As many requests as fill the time that is left.
        time.sleep(rng.uniform(0, 2) * max(0.0, until_s - time.monotonic()) / (3 * left + 10))


def _add(made: Arena, client: Client, rng: random.Random, left: int) -> int:
    count = min(left, rng.choice((1, 1, 1, rng.randint(2, BULK))))
    fields: dict[str, object] = {"priority": rng.choice(("high", "normal", "low"))}
    if rng.random() < 0.3:
        fields["delayMs"] = rng.randint(0, 3_000)
    key = f"k{rng.getrandbits(64):x}" if rng.random() < 0.5 else ""
    client.add(made.numbers(count), key, **fields)
    return count


def _meddle(made: Arena, client: Client, rng: random.Random) -> None:
    deed, index = rng.random(), rng.random()
    job_id = made.journal.some_id(index)
    if deed < 0.4 and job_id:
        if rng.random() < 0.5:
            client.cancel(job_id)
        else:
            client.retry(job_id)
    elif deed < 0.5:
        with made.journal.pausing:
            client.pause()
            time.sleep(rng.uniform(0, 0.3))
            client.resume()
    else:
        client.look()


def _figures(evidence: Evidence) -> str:
    states: Counter[str] = Counter(job["state"] for job in evidence.jobs.values())
    rings = sum(map(len, evidence.rings.values()))
    cancelled = len(evidence.journal.cancelled)
    unknown = len(evidence.journal.unknown)
    return (
        f"0 lost, 0 twice; {rings} rings, {states['completed']} completed, "
        f"{states['failed']} failed, {cancelled} removed, "
        f"{len(evidence.journal.refused)} refused, {unknown} requests unanswered"
    )
