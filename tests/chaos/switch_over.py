"""Two servers swap their roles under load, and old connections stay open to the demoted one."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.chaos.arena import Arena, answers, arena
from tests.chaos.outage import BACK_S, CALLERS, load, until_all_ring
from tests.chaos.proxy import Proxy
from tests.chaos.scale import Scale
from tests.chaos.troubled_redis import follow
from tests.chaos.verify import fail_on
from tests.servers import Server
from tests.stack import until

#: How long the proxy goes on leading to the demoted server, s.
STALE_S = 1.5
#: Between two swaps the load has the stack for itself, s.
CALM_S = (0.5, 2.0)


def switch_over(scale: Scale, seed: int) -> tuple[str, str]:
    """All processes go on with the new primary; a replica is never ready."""
    swaps = scale.pick(1, 4, 20)
    with arena(scale, seed) as made, _replica(made) as replica:
        proxy = Proxy(made.server.port, random.Random(made.rng.random()))
        made.stack.redis_url = proxy.url
        _start(made)
        follow(made, replica)
        servers = [made.server, replica]
        slowest_s, looks = 0.0, 0
        with load(made):
            for _ in range(swaps):
                time.sleep(made.rng.uniform(*CALM_S))
                _swap(*servers)
                looks += _never_ready(made)
                servers.reverse()
                proxy.target = servers[0].port
                slowest_s = max(slowest_s, _until_all_go_on(made))
        evidence = made.judge(within_s=180)
        fail_on([f"{one.name} has ended" for one in made.stack.processes if not one.alive])
        proxy.close()
    if scale.timed and slowest_s > BACK_S:
        fail_on([f"all went on after {slowest_s:.1f} s only"])
    journal = evidence.journal
    return f"{swaps} swaps, {len(journal.accepted)} calls accepted meanwhile", (
        f"0 lost, 0 twice; {len(journal.refused)} refused, {len(journal.unknown)} unanswered; all "
        f"went on within {slowest_s:.1f} s; not ready in {looks} looks at a replica"
    )


@contextmanager
def _replica(made: Arena) -> Iterator[Server]:
    replica = Server(kind="valkey", directory=made.stack.directory / "replica", durable=True)
    replica.start()
    try:
        yield replica
    finally:
        replica.kill()


def _start(made: Arena) -> None:
    """Everything, each worker with its own caller number."""
    made.start(workers=0)
    for caller in CALLERS:
        made.new_worker(TWILIO_PHONE_NUMBER=caller)
    for name in ("beat", "shipper", "flower"):
        made.stack.start(name)
    for worker in made.workers:
        worker.wait_for(" ready.")
    body = {"to": made.numbers(1)[0], "cronExpression": "0 0 1 1 *"}
    made.api("POST", "/schedule-recurring-call", body)
    until(lambda: answers(f"{made.stack.web_url}/readyz"), within_s=30, what="all is ready")
    made.phone.faults({"fault": "slow", "ms": 100, "when": "after"})


def _swap(primary: Server, replica: Server) -> None:
    """As an operator does it: writes are held back until the replica is in step."""
    with primary.client() as old, replica.client() as new:
        old.execute_command("FAILOVER", "TO", "127.0.0.1", replica.port)
        until(
            lambda: (
                (old.info("replication")["role"], new.info("replication")["role"])
                == ("slave", "master")
            ),
            within_s=60,
            what="the roles are swapped",
        )


def _never_ready(made: Arena) -> int:
    """Wait until every way leads to a replica; return how often it was checked."""
    looks, until_s = 0, time.monotonic() + STALE_S
    while time.monotonic() < until_s:
        status = requests.get(f"{made.stack.web_url}/readyz", timeout=30).status_code
        fail_on([f"/readyz says {status} on a replica"] if status != 503 else [])
        looks += 1
        time.sleep(0.05)
    return looks


def _until_all_go_on(made: Arena) -> float:
    """Return seconds until web, both workers, beat and the shipper have worked again."""
    since_ms = time.time() * 1000
    until_all_ring(made, since_ms)
    until(lambda: _numbers(made, since_ms), within_s=30, what="beat and the shipper go on")
    until(lambda: answers(f"{made.stack.web_url}/readyz"), within_s=30, what="all is ready")
    return time.time() - since_ms / 1000


def _numbers(made: Arena, since_ms: float) -> bool:
    """Return whether a scheduler has seen to all, and the log has all that happened before."""
    metrics = requests.get(f"{made.stack.web_url}/metrics", timeout=30)
    if not metrics.ok:
        return False
    values = dict(
        line.rsplit(" ", 1) for line in metrics.text.splitlines() if not line.startswith("#")
    )
    since_s = time.time() - since_ms / 1000
    ages = ("vomind_scheduler_seen_seconds", "vomind_outbox_age_seconds")
    return all(float(values[age]) < since_s for age in ages)
