"""How fast workers take calls, place them with a dialer that takes no time, and finish them."""

from __future__ import annotations

import time
from functools import partial

from benchmarks.bench import Bench, Figures
from benchmarks.client import fill
from benchmarks.machine import Meter
from benchmarks.sides import Side, System

#: Workers and slots of each.
SHAPES = ((1, 5), (1, 50), (2, 50), (4, 50))
#: Calls that wait at the start: more than the fastest places within `MEASURE_S`.
CALLS = 40_000
MEASURE_S = 4.0
#: Share of the calls before the measurement begins, and after its end: they do not count.
EDGE = 0.03
LOOK_S = 0.05


def dispatch(bench: Bench) -> None:
    """Calls per second of 1, 2 and 4 workers."""
    for side in bench.turns(bench.sides):
        for workers, slots in SHAPES[:2] if bench.quick else SHAPES:
            _dispatch(bench, side, workers, slots)


def _dispatch(bench: Bench, side: Side, workers: int, slots: int) -> None:
    with System(side=side, workers=workers, slots=slots) as system:
        many = f"{workers} worker{'s' if workers > 1 else ''}"
        bench.measure(
            f"dispatch, {many}, {slots} slots",
            side.name,
            partial(rate, system, bench.size(CALLS, 15_000), bench.seconds(MEASURE_S)),
        )


def rate(system: System, calls: int, seconds: float) -> Figures:
    """From the resumption of a paused queue on; the rest of the calls is left over."""
    client = system.client
    client.ask("POST", "/pause", {})
    fill(client, max(0, calls - client.backlog()))
    system.rest()
    total = client.backlog()
    client.ask("POST", "/resume", {})
    while (first := client.backlog()) > total * (1 - EDGE):
        time.sleep(LOOK_S)
    meter = Meter(system.pids)
    while (last := client.backlog()) > total * EDGE and meter.seconds() < seconds:
        time.sleep(LOOK_S)
    done, took = first - last, meter.seconds()
    figures = {"per_s": round(done / took), "calls": done, **meter.per(done)}
    # At rest again, or the work left over would count as noise.
    client.ask("POST", "/pause", {})
    system.rest()
    return figures
