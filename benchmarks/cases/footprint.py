"""What calls cost in Redis, and what everything costs when nothing happens."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import Bench, Figures
from benchmarks.client import fill, make_call, wait_until_done
from benchmarks.machine import Meter, resident_bytes
from benchmarks.sides import System
from tests.ports import free_port

#: Calls before the first look: streams and small tables have grown by then.
BEFORE = 10_000
CALLS = 50_000
DELAYED = 10_000
COMPLETED = 10_000
#: How long idle processes are watched, s.
IDLE_S = 20.0
#: Until the connections that Flower's first questions took are closed again, s.
CLOSED_S = 15.0
#: Calls that go through a worker before its memory is read.
USED = 5_000
SLOTS = 200


def memory(bench: Bench) -> None:
    """Redis bytes a waiting, delayed and completed call; the same in every round."""
    for side in bench.sides:
        bench.round = 1
        with System(side=side, workers=1, slots=50, settings=side.keep_all, whole=True) as system:
            _memory(bench, system)


def _memory(bench: Bench, system: System) -> None:
    client, name = system.client, system.side.name
    client.ask("POST", "/pause", {})
    fill(client, BEFORE)

    def note(what: str, total: int, before: int) -> int:
        used = _used(system)
        figures = {"bytes": round((used - before) / total, 1)}
        bench.measure(f"Redis memory of a {what} call", name, lambda: figures, noise=False)
        return used

    waiting, later = bench.size(CALLS, BEFORE), bench.size(DELAYED, 1_000)
    before = _used(system)
    fill(client, waiting)
    before = note("waiting", waiting, before)
    for n in range(later):
        client.ask("POST", "/schedule-delayed-call", make_call(n, delayMs=86_400_000))
    note("delayed", later, before)
    _completed(bench, system)


def _completed(bench: Bench, system: System) -> None:
    """What a finished call leaves on an otherwise empty server."""
    client, total = system.client, bench.size(COMPLETED, 2_000)
    client.ask("POST", "/pause", {})
    with system.server.client() as redis:
        # All that waits, so that only finished calls are left: as if it had never been asked for.
        redis.flushdb()
    client.ask("POST", "/pause", {})
    client.ask("POST", "/resume", {})
    for calls in (BEFORE // 5, total):
        before = _used(system)
        fill(client, calls)
        wait_until_done(client)
        system.rest()
    figures = {"bytes": round((_used(system) - before) / total, 1)}
    what = "Redis memory of a completed call"
    bench.measure(what, system.side.name, lambda: figures, noise=False)


def _used(system: System) -> int:
    with system.server.client() as redis:
        return int(redis.info("memory")["used_memory"])


def idle(bench: Bench) -> None:
    """CPU, commands and connections of everything that is deployed, with nothing to do."""
    with ExitStack() as stack:
        systems = [
            stack.enter_context(
                System(side=side, processes=os.cpu_count() or 1, workers=1, whole=True)
            )
            for side in bench.sides
        ]
        for _ in bench.turns([None], most=3):
            # Each process's own CPU is read, so all may be idle at the same time.
            meters = [Meter(system.pids) for system in systems]
            time.sleep(bench.seconds(IDLE_S))
            for system, meter in zip(systems, meters, strict=True):
                step = partial(_shares, meter)
                bench.measure("CPU of everything, idle", system.side.name, step, noise=False)
        for system in systems:
            bench.round = 1
            step = partial(_asked, system, bench.seconds(IDLE_S))
            bench.measure("Redis at rest", system.side.name, step, noise=False)


def _asked(system: System, seconds: float) -> Figures:
    """Return commands a second that clients send, and connections once Flower runs as well.

    What a script does within Redis is no command of a client's: nobody is charged for it.
    """
    sent = 0
    with system.server.client() as client, client.monitor() as monitor:
        until = time.monotonic() + seconds
        # MONITOR is silent while nothing happens: its reader must not wait for ever.
        monitor.connection.connect()
        while (left := until - time.monotonic()) > 0:
            if monitor.connection.can_read(timeout=left):
                sent += monitor.next_command()["client_type"] != "lua"
    for name, command in system.side.watching.items():
        system.start_program(name, command, FLOWER_PORT=str(free_port()))
    if system.side.watching:
        system.rest()
        time.sleep(CLOSED_S)
    with system.server.client() as client:
        # Without this client's own connection.
        connected = int(client.info("clients")["connected_clients"]) - 1
    return {"commands_per_s": round(sent / seconds, 2), "connections": connected}


def _shares(meter: Meter) -> Figures:
    used, seconds = meter.used_s(), meter.seconds()
    each = {f"{name}_percent": round(spent / seconds * 100, 3) for name, spent in used.items()}
    return {"percent": round(sum(used.values()) / seconds * 100, 3), **each}


def resident(bench: Bench) -> None:
    """Memory of web and worker at 200 slots, after all of them were in use."""
    for side in bench.turns(bench.sides, most=2):
        for processes in (1, os.cpu_count() or 1):
            with System(side=side, processes=processes, workers=1, slots=SLOTS) as system:
                many = "1 process" if processes == 1 else "as deployed"
                what = f"resident memory at {SLOTS} slots, {many}"
                bench.measure(what, side.name, partial(_resident, system), noise=False)


def _resident(system: System) -> Figures:
    fill(system.client, USED)
    wait_until_done(system.client)
    used = {n: resident_bytes(pid) / 2**20 for n, pid in system.pids.items() if n != "redis"}
    each = {f"{name}_mib": round(mib, 1) for name, mib in used.items()}
    return {"mib": round(sum(used.values()), 1), **each}
