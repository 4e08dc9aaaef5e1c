"""Check point by point whether a Redis server is suitable, with a remedy for each problem.

A worker checks only what would lose calls (`server_requirements`); this is the full list.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from vomind_queue.errors import StoreUnavailable
from vomind_queue.observability.check_result import CheckResult, advice, fine, wrong
from vomind_queue.observability.redis_memory import REMEDY, TIGHT, Memory
from vomind_queue.queue.connection import translate_errors
from vomind_queue.queue.redis_permissions import missing_rights
from vomind_queue.queue.server_requirements import OLDEST, SAFE_POLICY, lacking, mode_fault

#: Number of round trips that are timed.
PINGS = 50
#: Round trips above the first are noticeable, above the second harmful, ms: an API request
#: makes two or three.
SLOW_MS, TOO_SLOW_MS = 10.0, 100.0
#: Calls ring by Redis's clock. Above the first offset that is worth checking; above the second,
#: people are called in the wrong minute, ms.
OFF_MS, FAR_OFF_MS = 1_000, 30_000
#: Connections that web with two processes, worker, beat and shipper may hold (docs/redis.md).
CONNECTIONS = 25


def run_checks(client: redis.Redis, *, allow_eviction: bool, start: str) -> Iterator[CheckResult]:
    """Yield all results; ``start`` says how to start a server that does not answer."""
    try:
        with translate_errors(writes=False):
            facts: dict[str, Any] = client.info()
    except StoreUnavailable as error:
        yield wrong("Redis", str(error), start)
        return
    except redis.RedisError as error:
        yield wrong("Redis", f"Login failed: {error}", "Check REDIS_URL.")
        return
    if fault := mode_fault(facts):
        yield wrong("Redis", fault, "Check REDIS_URL.")
        return
    yield _version(facts)
    yield _role(facts)
    yield _eviction(facts, allow_eviction=allow_eviction)
    yield from _memory(facts)
    yield from _clients(facts)
    yield _persistence(client, facts)
    try:
        with translate_errors(writes=False):
            yield _rights(client)
            yield _latency(client)
            yield _clock(client)
    except StoreUnavailable as error:
        yield wrong("Redis", str(error), start)


def _version(facts: Mapping[str, Any]) -> CheckResult:
    kind = "Valkey" if "valkey_version" in facts else "Redis"
    version = str(facts.get("valkey_version") or facts["redis_version"])
    name = f"{kind} {version}"
    if tuple(map(int, str(facts["redis_version"]).split(".")[:2])) < OLDEST:
        return wrong("version", name, "Install Redis 6.2 or later, or Valkey.")
    return fine("version", name)


def _role(facts: Mapping[str, Any]) -> CheckResult:
    if facts.get("role") != "master":
        said = "It is a replica and cannot store calls."
        return wrong("role", said, "Point REDIS_URL at the primary.")
    replicas = int(facts.get("connected_slaves", 0))
    return fine("role", f"primary, with {replicas} {'replica' if replicas == 1 else 'replicas'}")


def _eviction(facts: Mapping[str, Any], *, allow_eviction: bool) -> CheckResult:
    policy = str(facts.get("maxmemory_policy", SAFE_POLICY))
    if policy == SAFE_POLICY:
        return fine("eviction", policy)
    said = f"{policy}: calls are dropped when memory is full."
    remedy = f"redis-cli config set maxmemory-policy {SAFE_POLICY}, and set it in redis.conf."
    return advice("eviction", said, remedy) if allow_eviction else wrong("eviction", said, remedy)


def _memory(facts: Mapping[str, Any]) -> Iterator[CheckResult]:
    used = int(facts.get("used_memory", 0)) - int(facts.get("mem_not_counted_for_evict", 0))
    memory = Memory(used=used, limit=int(facts.get("maxmemory", 0)))
    if memory.full:
        yield wrong("memory", f"{memory}: full, new calls are refused.", REMEDY)
    elif memory.share >= TIGHT:
        yield advice("memory", f"{memory}: when full, new calls are refused.", REMEDY)
    elif memory.limit:
        yield fine("memory", str(memory))
    else:
        yield fine("memory", f"{used / 2**20:,.0f} MiB used, no maxmemory")


def _clients(facts: Mapping[str, Any]) -> Iterator[CheckResult]:
    most = facts.get("maxclients")
    if most is not None and int(most) < CONNECTIONS:
        said = f"It allows {int(most)} connections; all processes together may need {CONNECTIONS}."
        yield advice("connections", said, "Raise maxclients, or choose a larger plan.")


def _persistence(client: redis.Redis, facts: Mapping[str, Any]) -> CheckResult:
    failed = [
        name
        for name in ("aof_last_write_status", "rdb_last_bgsave_status")
        if facts.get(name, "ok") != "ok"
    ]
    if failed:
        said = f"The last write to its disk failed ({', '.join(failed)})."
        return wrong("persistence", said, "Check its log and the free space on its disk.")
    if facts.get("aof_enabled"):
        how = _setting(client, "appendfsync")
        return fine("persistence", f"append-only file{f', appendfsync {how}' if how else ''}")
    remedy = "redis-cli config set appendonly yes, and set it in redis.conf."
    if _setting(client, "save") == "":
        return wrong("persistence", "Nothing is written to disk: a restart loses calls.", remedy)
    said = "Snapshots only: a crash loses the calls accepted since the last one."
    return advice("persistence", said, remedy)


def _setting(client: redis.Redis, name: str) -> str | None:
    """Return a setting of the server's; ``None`` if it is hidden, as on hosted servers."""
    try:
        found: Mapping[str, str] = client.config_get(name)  # type: ignore[assignment]
    except redis.RedisError:
        return None
    return found.get(name)


def _rights(client: redis.Redis) -> CheckResult:
    if missing := missing_rights(client):
        return wrong("rights", lacking(missing), "Add what is missing with ACL SETUSER.")
    return fine("rights", "our user has every permission it needs")


def _latency(client: redis.Redis) -> CheckResult:
    times = []
    for _ in range(PINGS):
        started = time.perf_counter()
        client.ping()
        times.append((time.perf_counter() - started) * 1000)
    middle = statistics.median(times)
    said = f"median {middle:.2f} ms over {PINGS} round trips, {max(times):.1f} ms at most"
    if middle > TOO_SLOW_MS:
        return wrong("latency", said, "Move it closer: into the same region as web and workers.")
    if middle > SLOW_MS:
        return advice(
            "latency", said, "Move it closer: each request makes two or three round trips."
        )
    return fine("latency", said)


def _clock(client: redis.Redis) -> CheckResult:
    before = time.time()
    seconds, micros = client.time()
    here = (before + time.time()) / 2
    off_ms = round((seconds + micros / 1e6 - here) * 1000)
    said = f"{abs(off_ms):,} ms {'ahead of' if off_ms > 0 else 'behind'} this machine's"
    remedy = "Synchronize both machines by NTP; calls ring by Redis's clock."
    if abs(off_ms) > FAR_OFF_MS:
        return wrong("clock", said, remedy)
    if abs(off_ms) > OFF_MS:
        return advice("clock", said, remedy)
    return fine("clock", said)
