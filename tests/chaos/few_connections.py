"""A server that takes few connections carries all five processes."""

from __future__ import annotations

import random

import requests

from tests.chaos.arena import Arena, answers, arena
from tests.chaos.harm import in_parallel
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.stack import until

#: Connections that the server takes; the five processes would like some more.
MOST = 20
#: Clients at the same time.
CLIENTS = 16


def few_connections(scale: Scale, seed: int) -> tuple[str, str]:
    """Bursts of single calls and bulks: what is accepted rings, what is refused does not."""
    bursts, each = scale.pick(1, 3, 10), scale.pick(5, 10, 40)
    # One more than that: the judge's own.
    with (
        arena(scale, seed, "--maxclients", str(MOST + 1)) as made,
        made.server.client() as direct,
    ):
        direct.ping()
        made.start(workers=1, WEB_PROCESSES="2")
        for name in ("beat", "shipper", "flower"):
            made.stack.start(name)
        until(lambda: answers(f"{made.stack.web_url}/readyz"), within_s=30, what="all is ready")
        for _ in range(bursts):
            _burst(made, each)
        evidence = made.judge(within_s=60 + len(made.journal.accepted) / 20)
        journal = evidence.journal
        fail_on([f"{one.name} has ended" for one in made.stack.processes if not one.alive])
        fail_on([f"unknown: {numbers}" for numbers in journal.unknown])
        until(lambda: _all_logged(made), within_s=30, what="the call log has it all")
        flower = f"http://127.0.0.1:{made.stack.flower_port}/healthcheck"
        until(lambda: answers(flower), within_s=30, what="Flower answers")
        turned_away = direct.info("stats")["rejected_connections"]
    return f"{bursts} bursts by {CLIENTS} clients, {len(journal.accepted)} calls", (
        f"{sum(map(len, evidence.rings.values()))} rings, 0 lost, 0 twice; {len(journal.refused)} "
        f"calls refused for certain, {turned_away} connections turned away"
    )


def _burst(made: Arena, requests_each: int) -> None:
    def send(rng: random.Random) -> None:
        client = made.client()
        for _ in range(requests_each):
            client.add(made.numbers(rng.choice((1, 1, 1, 3, 40))))

    in_parallel(made, send, CLIENTS)


def _all_logged(made: Arena) -> bool:
    try:
        return bool(made.api("GET", "/stats")["callLog"]["pending"] == 0)
    except (requests.RequestException, AssertionError):
        return False
