"""Where an experiment takes place: real processes, real connections, clients with a journal."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.conftest import Api
from tests.chaos.client import Client
from tests.chaos.journal import Journal
from tests.chaos.scale import Scale
from tests.chaos.verify import Broken, Evidence, verify
from tests.ports import free_port
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Process, Stack, until


@dataclass(kw_only=True, slots=True)
class Arena:
    """One run of one experiment, with everything that it needs."""

    scale: Scale
    seed: int
    server: Server
    stack: Stack
    rng: random.Random
    journal: Journal = field(default_factory=Journal)
    workers: list[Process] = field(default_factory=list)
    web: Process | None = None
    _control_port: int = field(default_factory=free_port)
    _numbers: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, *, workers: int = 2, **settings: str) -> None:
        """Simulator, API and that many workers, ready for calls."""
        self.stack.settings.update(self.scale.times)
        self.stack.settings.update(settings)
        process = self.stack.start("simulator", "--control-port", str(self._control_port))
        until(lambda: answers(self._health), within_s=30, what="the simulator answers")
        assert process.alive
        started = [self.new_worker() for _ in range(workers)]
        self.web = self.stack.start_web()
        for worker in started:
            worker.wait_for(" ready.", within_s=60)

    def new_worker(self, **settings: str) -> Process:
        """Start one more worker, which may not be ready yet."""
        name = f"w{len(self.workers)}@%h"
        worker = self.stack.start("worker", "-n", name, **settings)
        self.workers.append(worker)
        return worker

    @property
    def _health(self) -> str:
        return f"http://127.0.0.1:{self._control_port}/simulator/health"

    @property
    def api(self) -> Api:
        """A plain client, for questions that must be answered."""
        return Api(self.stack.queue_url)

    def client(self) -> Client:
        """Return a client that keeps the journal."""
        return Client(self.stack.queue_url, self.journal)

    @property
    def phone(self) -> SimulatorClient:
        """Twilio; the control answers even while connections are refused."""
        control = f"http://127.0.0.1:{self._control_port}"
        return SimulatorClient(self.stack.simulator_url, control)

    def numbers(self, count: int) -> list[str]:
        """Return phone numbers that were never given out before."""
        with self._lock:
            first, self._numbers = self._numbers, self._numbers + count
        return [f"+1555{index:07d}" for index in range(first, first + count)]

    def until_quiet(self, *, within_s: float = 120) -> dict[str, Any]:
        """Wait until no call waits, is delayed or active; the last stats."""
        deadline = time.monotonic() + within_s
        stats: dict[str, Any] = {}
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException, AssertionError):
                stats = self.api("GET", "/stats")
                numbers = stats["stats"]
                if not numbers["waiting"] + numbers["delayed"] + numbers["active"]:
                    return stats
            time.sleep(0.05)
        raise Broken(f"calls are still under way after {within_s:.0f} s: {stats}")

    def judge(self, *, within_s: float = 120, left_to_a_person: bool = False) -> Evidence:
        """Wait for the end of all calls and judge."""
        self.until_quiet(within_s=within_s)
        rings = self.phone.rings()
        return verify(self.journal, self.api, rings, left_to_a_person=left_to_a_person)


def answers(url: str) -> bool:
    """Return whether something answers there without an error."""
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


@contextlib.contextmanager
def arena(scale: Scale, seed: int, *arguments: str) -> Iterator[Arena]:
    """An empty arena on a durable server; its processes' output is kept where a promise broke."""
    directory = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    server = Server(
        kind="valkey", directory=directory / "server", durable=True, arguments=arguments
    )
    server.start()
    stack = Stack(directory=directory, redis_url=server.url)
    made = Arena(scale=scale, seed=seed, server=server, stack=stack, rng=random.Random(seed))
    try:
        yield made
    except BaseException:
        print(f"the processes' output is kept in {directory}", flush=True)
        raise
    else:
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        stack.close()
        server.kill()
