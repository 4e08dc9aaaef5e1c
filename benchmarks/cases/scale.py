"""What one Redis has to do when there is very much, and what it can carry: ours."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from hashlib import sha1
from typing import Any

import redis

from benchmarks.bench import Bench, Figures
from benchmarks.client import BULK, Client, bulks, fill, make_call, wait_until_done
from benchmarks.machine import Meter
from benchmarks.processes import wait_for
from benchmarks.sides import System, ours
from vomind_queue.queue.lua_sources import names, source

#: Calls that wait while every script runs.
WAITING = 1_000_000
#: Requests of each kind meanwhile.
ASKED = 200
#: How long a worker places calls meanwhile, s.
DISPATCH_S = 3.0
#: Scripts faster than this are not looked at, µs.
SLOW_US = 500
#: No script may hold the server for longer, µs.
TOO_LONG_US = 5000
#: Idle workers, and how long they are watched, s: a few of their longest waits.
WORKERS = (1, 10, 100)
WATCH_S = 20.0


def scripts(bench: Bench) -> None:
    """The longest run of each script at Redis, with 1,000,000 calls waiting."""
    side, waiting = ours(), bench.size(WAITING, WAITING // 10)
    bench.round = 1
    with System(side=side, workers=1, slots=50, settings=side.keep_all) as system:
        failed = _failed(system.client)
        fill(system.client, waiting)
        undisturbed(system.server.pid)
        with system.server.client() as client:
            client.config_set("slowlog-max-len", 100_000)
            client.config_set("slowlog-log-slower-than", SLOW_US)
            client.slowlog_reset()
            _everything(system, failed)
            found = longest(client)
    what = f"{waiting:,} waiting"
    commits = found.pop("commit", [0])
    _note(bench, f"longest commit of a bulk, {what}", commits)
    _note(bench, f"longest script, {what}", [us for each in found.values() for us in each])
    for name, each in sorted(found.items(), key=lambda each: -max(each[1])):
        _note(bench, f"longest run of {name}, {what}", each)


def _note(bench: Bench, what: str, us: Sequence[int]) -> None:
    figures = {
        "ms": round(max(us) / 1000, 2),
        "over_5_ms": sum(each > TOO_LONG_US for each in us),
        f"over_{SLOW_US}_us": len(us),
    }
    bench.measure(what, "ours", partial(dict, figures), noise=False)


def _failed(client: Client) -> list[str]:
    ids = [each for b in bulks(client, ASKED, metadata={"simulate": {"failures": 3}}) for each in b]
    wait_until_done(client)
    client.ask("POST", "/pause", {})
    return ids


def _everything(system: System, failed: list[str]) -> None:
    """Each request of the API, three bulks, and a worker at full speed."""
    client = system.client
    last = client.stats()["waiting"]
    for n in range(ASKED):
        job = client.ask("POST", "/schedule-call", make_call(n))["jobId"]
        later = client.ask("POST", "/schedule-delayed-call", make_call(n, delayMs=60_000))["jobId"]
        client.ask("GET", f"/job/{job}")
        client.ask("GET", "/stats")
        client.ask("DELETE", f"/job/{job}")
        client.ask("DELETE", f"/job/{later}")
        client.ask("POST", f"/job/{failed[n]}/retry")
        client.ask("GET", "/waiting?start=0&end=999")
        client.ask("GET", f"/waiting?start={last - 500}&end={last + 499}")
    for _ in range(3):
        calls = [make_call(n) for n in range(BULK)]
        client.ask("POST", "/schedule-bulk-calls", {"calls": calls})
    client.ask("POST", "/resume", {})
    time.sleep(DISPATCH_S)
    client.ask("POST", "/pause", {})
    client.ask("GET", "/completed?start=0&end=999")
    client.ask("POST", "/clean", {"grace": 0})


def longest(client: redis.Redis[str]) -> dict[str, list[int]]:
    """Return durations of what took long, µs, by the script's name."""
    known = {sha1(source(name).encode()).hexdigest(): name for name in names()}  # noqa: S324 - Redis's
    found: dict[str, list[int]] = defaultdict(list)
    for entry in client.slowlog_get(100_000):
        command = entry["command"]
        words = (command.decode() if isinstance(command, bytes) else command).split()
        # What a script does is noted beside it, too, and is part of it.
        if words[0].upper() == "EVALSHA":
            found[known.get(words[1], "another script")].append(int(entry["duration"]))
    return found


def undisturbed(pid: int) -> None:
    """Let nobody else take the server's core in the middle of a script, where that is allowed.

    The slow log has the time on the clock, and on two busy cores that of others is among it.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))


def idle_workers(bench: Bench) -> None:
    """Commands a second at Redis for 1, 10 and 100 workers with nothing to do."""
    side = ours()
    bench.round = 1
    for workers in WORKERS[:2] if bench.quick else WORKERS:
        with System(side=side) as system, system.server.client() as client:
            many = shlex.join([sys.executable, "-m", "benchmarks.many_workers", str(workers)])
            system.start_program("workers", f"exec {many}")
            wait_for(
                lambda client=client, workers=workers: client.zcard("{calls}:workers") == workers,
                "all workers ask for calls",
                within_s=180,
            )
            system.rest()
            step = partial(_watch, system, client, bench.seconds(WATCH_S))
            what = f"{workers} idle worker{'s' if workers > 1 else ''}"
            bench.measure(what, side.name, step, noise=False)


def _watch(system: System, client: redis.Redis[str], seconds: float) -> Figures:
    meter, before = Meter(system.pids), _commands(client)
    time.sleep(seconds)
    after, took, used = _commands(client), meter.seconds(), meter.used_s()
    asked, done = (after[n] - before[n] for n in range(2))
    return {
        "commands_per_s": round(done / took, 2),
        "scripts_per_s": round(asked / took, 2),
        "redis_percent": round(used["redis"] / took * 100, 2),
        "workers_percent": round(used["workers"] / took * 100, 2),
    }


def _commands(client: redis.Redis[str]) -> tuple[int, int]:
    """Return scripts run so far, and commands, those within scripts included."""
    stats: dict[str, Any] = client.info("commandstats")
    scripts = int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])
    return scripts, sum(int(each["calls"]) for each in stats.values())
