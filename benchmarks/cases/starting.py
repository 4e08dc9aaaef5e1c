"""How soon things work after their start, and the pace at Twilio."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Figures
from benchmarks.client import Client, Refused, fill, make_call
from benchmarks.machine import Meter
from benchmarks.processes import Command, wait_for
from benchmarks.sides import Side, System, ours
from devserver.parts import COMMANDS
from tests.ports import free_port

#: Slots of the worker, and how long each call takes at Twilio, ms.
SLOTS = 200
ANSWER_MS = 500
#: Give or take so much. Without it all slots come back at the same moment, for ever.
SPREADS_MS = (200, 0)
TWILIO_S = 10.0
POLL_INTERVAL_S = 0.1


def start(bench: Bench) -> None:
    """From the start of the whole stack to the first ring: ours, as ``make run`` starts it."""
    for _ in bench.turns([None]):
        bench.measure("start of the stack to the first ring", "ours", _first_ring)


def _first_ring() -> Figures:
    with tempfile.TemporaryDirectory() as directory:
        ports = {
            name: free_port()
            for name in (
                "PORT",
                "SIMULATOR_PORT",
                "FLOWER_PORT",
                "NOTIFIER_PORT",
                "EMBEDDED_REDIS_PORT",
            )
        }
        environment = {n: v for n, v in ours().environment.items() if not n.startswith("TWILIO")}
        environment |= {name: str(port) for name, port in ports.items()}
        environment |= {"DATA_DIR": f"{directory}/data", "CALL_RATE_LIMIT": "10/m"}
        command = "exec " + shlex.join([sys.executable, "-m", "devserver"])
        client = Client(f"http://127.0.0.1:{ports['PORT']}")
        began = time.perf_counter()
        stack = Command(command, environment, Path(directory) / "stack.log")
        try:
            wait_for(partial(_accepted, client, stack), "the API takes a call")
            accepted = time.perf_counter() - began
            wait_for(partial(_rung, ports["SIMULATOR_PORT"]), "the simulator rings")
            rung = time.perf_counter() - began
        finally:
            client.close()
            stack.stop()
    return {"seconds": round(rung, 3), "accepted_s": round(accepted, 3)}


def _accepted(client: Client, stack: Command) -> bool:
    stack.check()
    try:
        return bool(client.ask("POST", "/schedule-call", make_call(1)))
    except (OSError, Refused):
        client.close()
        return False


def _rung(port: int) -> bool:
    return bool(_simulator(port, "GET", "/simulator/rings")["count"])


def _simulator(port: int, method: str, path: str, body: object = None) -> dict[str, int]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - an address of ours
        counts: dict[str, int] = json.loads(answer.read())
    return counts


def second_worker(bench: Bench) -> None:
    """From the start of a second worker to its first look for calls: ours."""
    side = ours()
    with System(side=side, workers=1) as system, system.server.client() as redis:
        for _ in bench.turns([side]):
            bench.measure("start of a second worker", "ours", partial(_second, system, redis))


def _second(system: System, redis: object) -> Figures:
    def seen() -> bool:
        return int(redis.zcard("{calls}:workers")) > before  # type: ignore[attr-defined]

    before = int(redis.zcard("{calls}:workers"))  # type: ignore[attr-defined]
    began = time.perf_counter()
    worker = system.start_worker("second")
    wait_for(seen, "the second worker asks for calls")
    took = time.perf_counter() - began
    worker.stop()
    return {"seconds": round(took, 3)}


def twilio(bench: Bench) -> None:
    """200 slots with calls that take 500 ms at Twilio, more or less: against the simulator."""
    real = ours()
    worker = real.worker.replace("benchmarks.null_worker", "celery_app")
    for spread in bench.turns(SPREADS_MS):
        port = free_port()
        environment = dict(real.environment) | {"TWILIO_API_BASE": f"http://127.0.0.1:{port}"}
        side = Side(
            name="ours",
            api=real.api,
            worker=worker,
            environment=environment,
            keep_all=real.keep_all,
        )
        with System(side=side, slots=SLOTS, settings={"PUBLIC_URL": ""}) as system:
            simulator = shlex.join([sys.executable, *COMMANDS["simulator"]])
            system.start_program("simulator", f"exec {simulator}", SIMULATOR_PORT=str(port))
            wait_for(partial(_listens, port), "the simulator listens")
            fault = {"fault": "slow", "ms": ANSWER_MS, "spread": spread}
            _simulator(port, "POST", "/simulator/faults", fault)
            system.start_worker("worker1")
            system.rest()
            spread_text = f" ± {spread}" if spread else ""
            what = f"{SLOTS} slots, {ANSWER_MS}{spread_text} ms at Twilio"
            bench.measure(what, "ours", partial(_pace, system, bench.seconds(TWILIO_S)))


def _listens(port: int) -> bool:
    try:
        return bool(_simulator(port, "GET", "/simulator/health"))
    except OSError:
        return False


def _pace(system: System, seconds: float) -> Figures:
    """Calls per second once all slots are in use, the rest left over."""
    client = system.client
    client.ask("POST", "/pause", {})
    possible = SLOTS * 1000 // ANSWER_MS
    fill(client, int(possible * (seconds + 4)) - client.backlog())
    client.ask("POST", "/resume", {})
    time.sleep(2 * ANSWER_MS / 1000)
    done = client.stats()["completed"]
    meter = Meter(system.pids)
    time.sleep(seconds)
    done, took = client.stats()["completed"] - done, meter.seconds()
    figures = {
        "per_s": round(done / took, 1),
        "of_possible": round(done / took / possible, 4),
        **meter.per(done),
    }
    client.ask("POST", "/pause", {})
    system.rest()
    return figures
