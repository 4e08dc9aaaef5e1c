"""How fast the API takes calls on."""

from __future__ import annotations

import os
import statistics
import threading
import time
from functools import partial

from benchmarks import wrk
from benchmarks.bench import Bench, Figures, quantiles
from benchmarks.client import BULK, Client, make_call
from benchmarks.machine import Meter
from benchmarks.sides import Side, System

CONNECTIONS = (1, 16, 64)
#: For the first requests, which compile and connect, s.
WARM_S = 2.0
POST_S = 3.0
#: Pause between two reads of the statistics beside a bulk, s.
BESIDE_PAUSE_S = 0.01


def post(bench: Bench) -> None:
    """POST /schedule-call, one process of the API."""
    for side in bench.turns(bench.sides):
        _post(bench, side, processes=1, label="1 process")


def post_cores(bench: Bench) -> None:
    """The same as deployed: ours with a process for each core."""
    for side in bench.turns(bench.sides):
        _post(bench, side, processes=os.cpu_count() or 1, label="as deployed")


def _post(bench: Bench, side: Side, *, processes: int, label: str) -> None:
    with System(side=side, processes=processes) as system:
        wrk.post(system.url, connections=16, seconds=WARM_S)
        for connections in CONNECTIONS:
            many = f"{connections} connection{'s' if connections > 1 else ''}"
            bench.measure(
                f"POST, {many}, {label}",
                side.name,
                partial(_load, system, connections, bench.seconds(POST_S)),
            )


def _load(system: System, connections: int, seconds: float) -> Figures:
    meter = Meter(system.pids)
    seen = wrk.post(system.url, connections=connections, seconds=seconds)
    if seen["errors"]:
        raise RuntimeError(f"{seen['errors']} requests of {seen['requests']} failed")
    return {"per_s": seen.pop("rate"), **seen, **meter.per(seen["requests"])}


def bulk(bench: Bench) -> None:
    """POST /schedule-bulk-calls with 10,000 calls, and GET /stats beside it."""
    body = {"calls": [make_call(n) for n in range(BULK)]}
    requests = bench.size(5, 3)
    for side in bench.turns(bench.sides):
        with System(side=side) as system:
            request = system.client.encode("POST", "/schedule-bulk-calls", body)
            system.client.exchange(request)
            bench.measure("bulk of 10,000", side.name, partial(_bulk, system, request, requests))
            bench.measure(
                "GET stats beside bulks", side.name, partial(_beside, system, request, requests)
            )


def _bulk(system: System, request: bytes, requests: int) -> Figures:
    meter = Meter(system.pids)
    took = [system.client.timed_ms(request) for _ in range(requests)]
    rate = BULK / statistics.median(took) * 1000
    return {"per_s": round(rate), "max_ms": round(max(took), 1), **meter.per(BULK * requests)}


def _beside(system: System, request: bytes, requests: int) -> Figures:
    """Return latency of GET /stats on its own connection while bulks are taken on."""
    over = threading.Event()
    took: list[float] = []

    def ask() -> None:
        other = Client(system.url)
        stats = other.encode("GET", "/stats")
        while not over.is_set():
            took.append(other.timed_ms(stats))
            time.sleep(BESIDE_PAUSE_S)
        other.close()

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(requests):
            system.client.exchange(request)
    finally:
        over.set()
        asker.join()
    return quantiles(took)
