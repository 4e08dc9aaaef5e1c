"""What one Redis can carry, and two of them: ours."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import Bench, Figures
from benchmarks.cases.dispatch import CALLS, EDGE, POLL_INTERVAL_S
from benchmarks.cases.starting import _simulator
from benchmarks.client import Client, fill, make_call
from benchmarks.machine import Meter
from benchmarks.processes import wait_for
from benchmarks.sides import Side, System, ours
from tests.ports import free_port
from vomind_queue.queue.lua_sources import source

#: Paces of a Twilio account, calls/s.
PACES = (1, 10, 100)
PACE_S = 20.0
#: Until calls of all stages are under way, s: a simulated one takes six and is priced after one.
RUN_UP_S = 9.0
#: How much faster than the pace calls come in, so that some always wait.
AHEAD = 1.05
SLOTS = 100
#: Scripts sent to Redis in one go by each of so many connections, and how many in all.
DEPTH, CONNECTIONS, ADDS = 4, 4, 150_000
#: Calls stored by one script, so that the server has more to do than who asks it.
CALLS_AT_ONCE = 10
MEASURE_S = 4.0


def paces(bench: Bench) -> None:
    """CPU of everything at Twilio's paces: calls come in by POST, ring, report and are logged."""
    real = ours()
    worker = real.worker.replace("benchmarks.null_worker", "celery_app")
    bench.round = 1
    for pace in PACES:
        port = free_port()
        environment = dict(real.environment) | {
            "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
            "CALL_RATE_LIMIT": f"{pace}/s",
        }
        side = Side(
            name="ours",
            api=real.api,
            worker=worker,
            environment=environment,
            keep_all=real.keep_all,
            beside=real.beside,
        )
        with System(side=side, slots=SLOTS, whole=True) as system:
            simulator = shlex.join([sys.executable, "-m", "simulator"])
            system.start_program("simulator", f"exec {simulator}", SIMULATOR_PORT=str(port))
            wait_for(partial(_listens, port), "the simulator listens")
            system.start_worker("worker1")
            system.rest()
            step = partial(_pace, system, pace, bench.seconds(PACE_S))
            bench.measure(f"{pace} calls/s through everything", "ours", step, again=0)


def _listens(port: int) -> bool:
    try:
        return bool(_simulator(port, "GET", "/simulator/health"))
    except OSError:
        return False


def _pace(system: System, pace: int, seconds: float) -> Figures:
    over = threading.Event()
    client = system.client

    def come_in() -> None:
        other, n = Client(system.url), 0
        began = time.monotonic()
        while not over.wait(max(0.0, began + n / pace / AHEAD - time.monotonic())):
            other.ask("POST", "/schedule-call", make_call(n))
            n += 1
        other.close()

    caller = threading.Thread(target=come_in)
    caller.start()
    try:
        time.sleep(RUN_UP_S)
        with system.server.client() as server:
            placed, commands = client.stats()["completed"], _commands(server)
            meter = Meter(system.pids)
            time.sleep(seconds)
            placed = client.stats()["completed"] - placed
            commands = _commands(server) - commands
    finally:
        over.set()
        caller.join()
    used, took = meter.used_s(), meter.seconds()
    return {
        "per_s": round(placed / took, 2),
        "redis_percent": round(used["redis"] / took * 100, 2),
        "commands_per_call": round(commands / placed, 1),
        **meter.per(placed),
    }


def _commands(server: object) -> int:
    return int(server.info("stats")["total_commands_processed"])  # type: ignore[attr-defined]


def two(bench: Bench) -> None:
    """One Redis and two, each with its own queue: calls placed, and what Redis adds."""
    for queues in bench.turns((1, 2), most=3):
        label = f"{queues} queue{'s' if queues > 1 else ''}, each its own Redis"
        with ExitStack() as stack:
            systems = [
                stack.enter_context(System(side=ours(), workers=2 // queues, slots=50))
                for _ in range(queues)
            ]
            step = partial(_together, systems, bench.seconds(MEASURE_S), bench)
            bench.measure(f"dispatch by 2 workers, {label}", "ours", step)
            step = partial(_adds, systems, bench.size(ADDS, 30_000))
            bench.measure(f"the add script alone, {label}", "ours", step)


def _together(systems: list[System], seconds: float, bench: Bench) -> Figures:
    for system in systems:
        system.client.ask("POST", "/pause", {})
        fill(system.client, bench.size(CALLS, 15_000) // len(systems))
    total = sum(system.client.backlog() for system in systems)
    for system in systems:
        system.client.ask("POST", "/resume", {})

    def left() -> int:
        return sum(system.client.backlog() for system in systems)

    while (first := left()) > total * (1 - EDGE):
        time.sleep(POLL_INTERVAL_S)
    meters = [Meter(system.pids) for system in systems]
    while (last := left()) > total * EDGE and meters[0].seconds() < seconds:
        time.sleep(POLL_INTERVAL_S)
    took, done = meters[0].seconds(), first - last
    spent = [meter.used_s() for meter in meters]
    shares = [round(used["redis"] / took * 100, 1) for used in spent]
    for system in systems:
        system.client.ask("POST", "/pause", {})
        system.rest()
    figures: dict[str, float | None] = {"per_s": round(done / took)}
    figures |= {f"redis{n}_percent": share for n, share in enumerate(shares, 1)}
    return figures


def _adds(systems: list[System], total: int) -> Figures:
    """Return what redis-benchmark gets through, with the script that stores one call."""
    call = (
        '{"to":"+1__rand_int__","message":"Hello from VoMindAI","lead_id":"1",'
        '"metadata":{"campaign":"Q4 Outreach"}}'
    )
    arguments = ["1", "{calls}:id", "0", "", "", "86400000", "", "", ""]
    arguments += [call, "2", "", "", ""] * CALLS_AT_ONCE
    running = []
    began = time.perf_counter()
    meters = [Meter({"redis": system.server.pid}) for system in systems]
    for system in systems:
        with system.server.client() as client:
            sha = str(client.script_load(source("add")))
        command = ["redis-benchmark", "-p", str(system.server.port), "-q", "-r", "999999999"]
        command += ["-n", str(total // CALLS_AT_ONCE), "-P", str(DEPTH), "-c", str(CONNECTIONS)]
        running.append(
            subprocess.Popen(  # noqa: S603
                [*command, "EVALSHA", sha, *arguments], stdout=subprocess.DEVNULL
            )
        )
    for each in running:
        if each.wait():
            raise RuntimeError("redis-benchmark failed")
    took = time.perf_counter() - began
    redis_us = sum(meter.used_s()["redis"] for meter in meters) / total / len(systems) * 1e6
    return {"per_s": round(total * len(systems) / took), "redis_us": round(redis_us, 1)}
