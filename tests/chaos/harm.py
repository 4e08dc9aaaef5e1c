"""What is done to processes: killed, ended, frozen, at moments that a seed decides."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.chaos.arena import Arena
from tests.servers import Server
from tests.stack import Process

#: Between a death and the new life, as a supervisor needs, s.
REST_S = (0.05, 0.6)


@dataclass(kw_only=True, slots=True)
class Victim:
    """A process that is harmed and revived."""

    name: str
    #: Sends a signal to it.
    send: Callable[[signal.Signals], None]
    #: Waits for its end, and starts it again.
    revive: Callable[[], None]
    #: How often each harm was done.
    suffered: Counter[str] = field(default_factory=Counter)

    def harm(self, rng: random.Random, longest_stop_s: float, shortest_stop_s: float) -> None:
        """One harm, and the recovery from it."""
        deed = rng.choice(("kill", "term", "stop"))
        pause_s, rest_s = rng.uniform(shortest_stop_s, longest_stop_s), rng.uniform(*REST_S)
        self.suffered[deed] += 1
        if deed == "stop":
            self.send(signal.SIGSTOP)
            time.sleep(pause_s)
            self.send(signal.SIGCONT)
            return
        self.send(signal.SIGKILL if deed == "kill" else signal.SIGTERM)
        time.sleep(rest_s)
        self.revive()


def of_process(process: Process) -> Victim:
    """Return a web process or a worker, with its children."""

    def send(number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    def revive() -> None:
        with contextlib.suppress(Exception):
            process.wait(within_s=15)
        process.kill()
        process.start()

    return Victim(name=process.name, send=send, revive=revive)


def of_server(server: Server) -> Victim:
    """Return the server that holds the calls."""

    def send(number: signal.Signals) -> None:
        process = server._process
        assert process is not None
        process.send_signal(number)

    def revive() -> None:
        server.stop()
        server.start()

    return Victim(name="valkey", send=send, revive=revive)


def victims(arena: Arena) -> list[Victim]:
    """Web, workers and server."""
    assert arena.web is not None
    return [*map(of_process, (arena.web, *arena.workers)), of_server(arena.server)]


def in_parallel(arena: Arena, run: Callable[[random.Random], None], clients: int = 4) -> None:
    """Run it in threads, each with its own random numbers; raise what the first one raised."""
    seeds = [random.Random(arena.rng.random()) for _ in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        for _ in pool.map(run, seeds):
            pass


@contextlib.contextmanager
def meanwhile(*runs: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run each in a thread while the block runs; raise what the first one raised.

    Each is handed an event that is set at the block's end.
    """
    over = threading.Event()
    with ThreadPoolExecutor(max(len(runs), 1)) as pool:
        started = [pool.submit(run, over) for run in runs]
        try:
            yield
        finally:
            over.set()
        for each in started:
            each.result()


@contextlib.contextmanager
def havoc(
    arena: Arena,
    targets: Sequence[Victim],
    *,
    every_s: tuple[float, float],
    stop_s: tuple[float, float],
) -> Iterator[None]:
    """Harm each target at random while the block runs; in the end all are alive again."""

    def go_on(victim: Victim, rng: random.Random, over: threading.Event) -> None:
        while not over.wait(rng.uniform(*every_s)):
            victim.harm(rng, stop_s[1], stop_s[0])

    seeds = [random.Random(arena.rng.random()) for _ in targets]
    with meanwhile(*map(partial(partial, go_on), targets, seeds)):
        yield


def deeds(targets: Sequence[Victim]) -> str:
    """Return what was done, in a few words."""
    total: Counter[str] = Counter()
    for victim in targets:
        total.update(victim.suffered)
    return ", ".join(f"{count} {deed}" for deed, count in sorted(total.items())) or "no harm"
