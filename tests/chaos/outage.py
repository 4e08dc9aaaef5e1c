"""Redis is away: errors within two seconds, no refused call happens later, then all goes on."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import meanwhile, of_server
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.stack import until

#: How long a request may take that is answered with 503, s.
TOLD_S = 2.0
#: How long after Redis's return the workers may rest, s.
BACK_S = 5.0
#: A number to call from for each worker: rings tell who placed them.
CALLERS = ("+15005550101", "+15005550102")


def outage(scale: Scale, seed: int) -> tuple[str, str]:
    """SIGTERM, SIGKILL and SIGSTOP of Redis, idle and under load."""
    away_s = scale.pick(1.5, 6.0, 20.0)
    ways: list[tuple[str, bool]] = [(how, busy) for how in _WAYS for busy in (False, True)]
    if scale.name == "short":
        ways = [("stop", True)]
    slowest_told, slowest_back, refused = 0.0, 0.0, 0
    for number, (how, busy) in enumerate(ways):
        with arena(scale, seed + number) as made:
            told_s, back_s = _one(made, how, away_s, busy=busy)
            refused += len(made.journal.refused)
        slowest_told, slowest_back = max(slowest_told, told_s), max(slowest_back, back_s)
    size = f"{len(ways)} outages of {away_s:g} s"
    return size, (
        f"{refused} calls refused, none rang; slowest 503 {slowest_told:.2f} s; "
        f"all workers rang again within {slowest_back:.1f} s"
    )


_WAYS = ("term", "kill", "stop")


def _one(made: Arena, how: str, away_s: float, *, busy: bool) -> tuple[float, float]:
    made.start(workers=0)
    for caller in CALLERS:
        made.new_worker(TWILIO_PHONE_NUMBER=caller)
    for worker in made.workers:
        worker.wait_for(" ready.")
    made.phone.faults({"fault": "slow", "ms": 250, "when": "after"})
    client = made.client()
    if busy:
        client.add(made.numbers(int(40 * away_s)))
        until(made.phone.rings, within_s=60, what="it rings")
    else:
        time.sleep(1)
    _take_away(made, how, away_s)
    back_ms = time.time() * 1000
    back_s = until_all_ring(made, back_ms)
    made.judge(within_s=120 + 40 * away_s)
    told_s = max(made.journal.refusals_s, default=0.0)
    if made.scale.timed:
        fail_on(
            ([f"{how}: a 503 took {told_s:.2f} s"] if told_s > TOLD_S else [])
            + ([f"{how}: workers rang again after {back_s:.1f} s only"] if back_s > BACK_S else [])
        )
    return told_s, back_s


def _take_away(made: Arena, how: str, away_s: float) -> None:
    """Harm, with clients that go on asking, until Redis answers again."""
    server = of_server(made.server)
    number = {"term": signal.SIGTERM, "kill": signal.SIGKILL, "stop": signal.SIGSTOP}[how]
    with load(made):
        server.send(number)
        time.sleep(away_s)
        if how == "stop":
            server.send(signal.SIGCONT)
        else:
            server.revive()
        until(lambda: _pings(made), within_s=60, what="Redis answers")


def _pings(made: Arena) -> bool:
    with made.server.client() as client:
        return bool(client.ping())


def load(made: Arena) -> AbstractContextManager[None]:
    """Clients go on asking while the block runs."""
    seeds = [random.Random(made.rng.random()) for _ in range(4)]
    return meanwhile(*(partial(_insist, made, rng) for rng in seeds))


def _insist(made: Arena, rng: random.Random, over: threading.Event) -> None:
    """Add, look and cancel, whatever the answers, until it is over."""
    client = made.client()
    while not over.wait(rng.uniform(0.02, 0.2)):
        deeds: list[Callable[[], object]] = [
            lambda: client.add(made.numbers(1)),
            lambda: client.add(made.numbers(3)),
            lambda: client.add(made.numbers(1), f"k{rng.getrandbits(64):x}"),
            client.look,
            lambda: client.cancel(made.journal.some_id(rng.random()) or "0"),
        ]
        rng.choice(deeds)()


def until_all_ring(made: Arena, since_ms: float) -> float:
    """Return how long after Redis came back each worker placed a new call, s."""
    client = made.client()

    def first_rings() -> list[float]:
        rings = [ring for ring in made.phone.rings() if ring["at"] > since_ms + 300]
        firsts = [
            min((ring["at"] for ring in rings if ring["parameters"]["From"] == caller), default=0)
            for caller in CALLERS
        ]
        if all(firsts):
            return [first - since_ms for first in firsts]
        client.add(made.numbers(10))
        time.sleep(0.2)
        return []

    return max(until(first_rings, within_s=40, what="each worker places a call")) / 1000
