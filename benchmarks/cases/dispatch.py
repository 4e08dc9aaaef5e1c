"""How fast workers take calls, place them with a dialer that takes no time, and finish them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from benchmarks.bench import Bench, Figures, plural
from benchmarks.client import Client, fill
from benchmarks.machine import Meter
from benchmarks.sides import System

#: Slots of each worker, and how many workers.
SHAPES = ((5, (1,)), (50, (1, 2, 4)))
#: Calls that wait at the start: more than the fastest places within `MEASURE_S`.
CALLS = 30_000
MEASURE_S = 3.0
#: Share of the calls before the measurement begins, and after its end: they do not count.
EDGE = 0.03
POLL_INTERVAL_S = 0.05


class Running(Protocol):
    """What `rate` wants of API and workers."""

    @property
    def client(self) -> Client:
        """A connection to the API."""
        ...

    @property
    def pids(self) -> Mapping[str, int]:
        """Its processes, whose CPU time is reported."""
        ...

    def rest(self) -> None:
        """Wait until it has nothing to do."""
        ...


def dispatch(bench: Bench) -> None:
    """Calls per second of 1, 2 and 4 workers."""
    for side in bench.turns(bench.sides):
        for slots, steps in SHAPES[:2] if bench.quick else SHAPES:
            with System(side=side, slots=slots) as system:
                for workers in steps[:1] if bench.quick else steps:
                    _dispatch(bench, system, workers)


def _dispatch(bench: Bench, system: System, workers: int) -> None:
    for number in range(len(system.commands), workers + 1):
        system.start_worker(f"worker{number}")
    system.rest()
    bench.measure(
        f"dispatch, {plural(workers, 'worker')}, {system.slots} slots",
        system.side.name,
        partial(rate, system, bench.size(CALLS, 8_000), bench.seconds(MEASURE_S)),
    )


def rate(system: Running, calls: int, seconds: float) -> Figures:
    """From the resumption of a paused queue on; the rest of the calls is left over."""
    client = system.client
    client.ask("POST", "/pause", {})
    fill(client, max(0, calls - client.backlog()))
    system.rest()
    total = client.backlog()
    if total < calls:
        raise RuntimeError(f"GET /stats counts {total} calls where {calls} wait")
    client.ask("POST", "/resume", {})
    while (first := client.backlog()) > total * (1 - EDGE):
        time.sleep(POLL_INTERVAL_S)
    meter = Meter(system.pids)
    while (last := client.backlog()) > total * EDGE and meter.seconds() < seconds:
        time.sleep(POLL_INTERVAL_S)
    done, took = first - last, meter.seconds()
    figures = {"per_s": round(done / took), "calls": done, **meter.per(done)}
    # At rest again, or the work left over would count as noise.
    client.ask("POST", "/pause", {})
    system.rest()
    return figures
