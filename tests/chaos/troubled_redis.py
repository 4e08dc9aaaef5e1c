"""Redis misbehaves: connections reset, scripts flushed, read-only, full, unfit."""

from __future__ import annotations

import random
import threading
import time
from functools import partial

import redis

from tests.chaos.arena import Arena, arena
from tests.chaos.harm import meanwhile
from tests.chaos.kills import busy_clients
from tests.chaos.proxy import Proxy
from tests.chaos.scale import Scale
from tests.chaos.verify import fail_on
from tests.servers import Server
from tests.stack import until

#: Calls that wait when memory becomes full.
WAITING = 60


def disturbed(scale: Scale, seed: int) -> tuple[str, str]:
    """Connections reset between command and reply, SCRIPT FLUSH, CLIENT KILL, under load."""
    calls, seconds = scale.pick(40, 300, 2_000), scale.pick(3.0, 20.0, 120.0)
    with arena(scale, seed) as made:
        proxy = Proxy(made.server.port, random.Random(made.rng.random()))
        made.stack.redis_url = proxy.url
        made.start(workers=2)
        made.phone.faults({"fault": "slow", "ms": 100, "when": "after"})
        counts = [0]
        with meanwhile(partial(_poke, made, counts)):
            proxy.chance = 0.02
            busy_clients(made, calls, seconds)
            proxy.chance = 0.0
        made.client().resume()
        evidence = made.judge(within_s=180)
        proxy.close()
        size = f"{calls} calls, {proxy.resets} resets, {counts[0]} SCRIPT FLUSH or CLIENT KILL"
    rings = sum(map(len, evidence.rings.values()))
    return size, f"0 lost, 0 twice; {rings} rings, {len(evidence.journal.refused)} refused"


def _poke(made: Arena, counts: list[int], over: threading.Event) -> None:
    rng = random.Random(made.seed)
    with made.server.client() as client:
        while not over.wait(rng.uniform(0.1, 1.0)):
            if rng.random() < 0.5:
                client.script_flush()
            else:
                client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            counts[0] += 1


def failover(scale: Scale, seed: int) -> tuple[str, str]:
    """A replica that is still read-only takes over, and is promoted later."""
    with arena(scale, seed) as made:
        proxy = Proxy(made.server.port, made.rng)
        made.stack.redis_url = proxy.url
        made.start(workers=2)
        client = made.client()
        client.pause()
        client.add(made.numbers(40))
        replica = Server(kind="valkey", directory=made.stack.directory / "replica", durable=True)
        replica.start()
        try:
            follow(made, replica)
            proxy.target = replica.port
            proxy.cut_all()
            for _ in range(20):
                client.add(made.numbers(1))
                time.sleep(scale.pick(0.02, 0.1, 1.0))
            refused = len(made.journal.refused)
            with replica.client() as direct:
                direct.execute_command("REPLICAOF", "NO", "ONE")
            client.resume()
            made.judge(within_s=60)
        finally:
            proxy.close()
            replica.kill()
    fail_on([] if refused else ["a read-only replica accepted calls"])
    return "40 calls waiting, 20 requests to a read-only replica", (
        f"{refused} refused, slowest 503 {max(made.journal.refusals_s):.2f} s; 40 rang once"
    )


def follow(made: Arena, replica: Server) -> None:
    """Make a server a replica of the arena's, and wait until it is in step."""
    with replica.client() as direct, made.server.client() as master:
        direct.execute_command("REPLICAOF", "127.0.0.1", made.server.port)
        until(
            lambda: direct.info("replication")["master_link_status"] == "up",
            within_s=60,
            what="the replica is in step",
        )
        master.set("last", "word")
        assert master.wait(1, 5_000) == 1


def full_memory(scale: Scale, seed: int) -> tuple[str, str]:
    """``maxmemory`` is reached: 503, nothing half-written; calls are placed all the same."""
    with arena(scale, seed) as made:
        made.start(workers=2)
        client = made.client()
        made.phone.faults({"fault": "slow", "ms": 200, "when": "after"})
        client.pause()
        client.add(made.numbers(WAITING))
        # For a few bulks.
        room = scale.pick(1_000_000, 8_000_000, 30_000_000)
        with made.server.client() as direct:
            direct.config_set("maxmemory", direct.info("memory")["used_memory"] + room)
            size = scale.pick(800, 3_000, 10_000)
            later: list[str] = []
            until(lambda: _is_full(made, size, later), within_s=60, what="memory is full")
            # Single calls, too, into what room is left.
            for _ in range(300):
                client.add(made.numbers(1), delayMs=1_000)
            _cancel_some(made, later)
            client.resume()
            # Workers that lose their connections now come back all the same.
            direct.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            until(
                lambda: _completed(made) >= WAITING,
                within_s=30,
                what="calls are placed while memory is full",
            )
            direct.config_set("maxmemory", 0)
        for job_id in later:
            client.cancel(job_id)
        evidence = made.judge(within_s=60)
    unknown = evidence.journal.unknown
    fail_on([f"{len(unknown)} requests were reported as unknown"] if unknown else [])
    return f"{len(evidence.journal.accepted)} calls until memory was full", (
        f"{len(evidence.journal.refused)} refused with 503, nothing half-written; "
        f"{WAITING} calls placed meanwhile, all others later"
    )


def _completed(made: Arena) -> int:
    """Return how many calls are completed, 0 for a 503: its connections were cut just now."""
    answer = made.api.ask("GET", "/stats")
    return int(answer.json()["stats"]["completed"]) if answer.status_code != 503 else 0


def _is_full(made: Arena, size: int, later: list[str]) -> bool:
    """Add one more bulk for much later; whether it was refused."""
    before = len(made.journal.refused)
    later += made.client().add(made.numbers(size), delayMs=3_600_000)
    return len(made.journal.refused) > before


def _cancel_some(made: Arena, later: list[str]) -> None:
    """A full server must let calls go all the same."""
    client = made.client()
    done = sum(client.cancel(later.pop()) for _ in range(20))
    fail_on([] if done == 20 else [f"only {done} of 20 calls could be cancelled"])


def unfit(scale: Scale, seed: int) -> tuple[str, str]:
    """A wrong password or an eviction policy: a clear line and a non-zero exit at the start."""
    faults = []
    with arena(scale, seed) as made:
        with made.server.client() as direct:
            direct.config_set("maxmemory-policy", "allkeys-lru")
            for part in ("web", "worker"):
                faults += _refuses(made, part, "ALLOW_EVICTION", {})
            direct.config_set("maxmemory-policy", "noeviction")
            direct.config_set("requirepass", "right")
        wrong = {"REDIS_URL": made.server.url.replace("//", "//:wrong@")}
        for part in ("web", "worker"):
            faults += _refuses(made, part, "refuses our credentials", wrong)
        with redis.Redis(port=made.server.port, password="right") as direct:
            direct.config_set("requirepass", "")
    fail_on(faults)
    return "web and worker, wrong password and allkeys-lru", "4 refused to start and said why"


def _refuses(made: Arena, part: str, words: str, settings: dict[str, str]) -> list[str]:
    process = made.stack.start(part, **settings)
    status = process.wait(within_s=30)
    if status != 0 and words in process.output and "Traceback" not in process.output:
        return []
    return [f"{part} ended with {status} and said: {process.output[-500:]}"]
