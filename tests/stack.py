"""Real processes of the product for tests: web, worker, Flower, simulator."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import requests

from devserver.parts import COMMANDS, FAKE_ACCOUNT
from tests import nursery
from tests.ports import free_port

T = TypeVar("T")

ROOT = Path(__file__).parent.parent

#: Makes a process do without what only Linux has, see `portable/__init__.py`.
PORTABLE = {"PYTHONPATH": str(ROOT / "tests" / "portable" / "site")}

#: How long a process may take to be ready, seconds; two busy cores included.
READY_S = 90
#: No wait is limited to less, s: whatever hangs is told from what is slow.
LEAST_S = 30


def until(condition: Callable[[], T], *, within_s: float, what: str) -> T:
    """Ask ``condition`` until it is true, and return its answer; fail after ``within_s``."""
    assert within_s >= LEAST_S, f"a busy machine may take longer than {within_s} s"
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


@dataclass(slots=True, kw_only=True)
class Process:
    """One process with its output in a file, in its own process group."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    _popen: subprocess.Popen[bytes] | nursery.Child | None = None

    def start(self) -> None:
        """Start it, once more if it ran before."""
        with self.log.open("ab") as output:
            forks = nursery.current
            if forks and forks.takes(self.arguments, self.environment):
                self._popen = forks.start(self.arguments, self.environment, output.fileno())
                return
            self._popen = subprocess.Popen(
                [sys.executable, *self.arguments],
                env=dict(self.environment),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._popen is not None
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def output(self) -> str:
        """All that it ever wrote."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, not to its children."""
        os.kill(self.pid, number)

    def stop(self, *, within_s: float = 60) -> int:
        """SIGTERM; returns the exit status. Fails when it takes longer."""
        assert self._popen is not None
        self.send(signal.SIGTERM)
        return self._popen.wait(within_s)

    def wait(self, *, within_s: float = 60) -> int:
        """Wait for its end; return the exit status."""
        assert self._popen is not None
        return self._popen.wait(within_s)

    def kill(self) -> None:
        """``kill -9``, its children included; nothing when it does not run."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(30)

    def wait_for(self, text: str, *, within_s: float = READY_S) -> None:
        """Wait until it has written ``text``."""

        def written() -> bool:
            assert self.alive or text in self.output, f"{self.name} ended:\n{self.output}"
            return text in self.output

        until(written, within_s=within_s, what=f"{self.name} writes {text!r}")


@dataclass(slots=True, kw_only=True)
class Stack:
    """Processes that work together on one Redis, each with its own port."""

    directory: Path
    redis_url: str
    #: Environment variables over the defaults, for the processes started from now on.
    settings: dict[str, str] = field(default_factory=dict)
    web_port: int = field(default_factory=free_port)
    simulator_port: int = field(default_factory=free_port)
    flower_port: int = field(default_factory=free_port)
    notifier_port: int = field(default_factory=free_port)
    processes: list[Process] = field(default_factory=list)
    #: Another one's, used by this one: in its report, but neither started nor killed by it.
    borrowed: list[Process] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Return what a process of this stack gets: nothing of the tester's own settings.

        Refuses a Twilio beyond loopback: a live key must never ring people from a test.
        """
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START", "PYTHONPATH")
        environ = {name: os.environ[name] for name in kept if name in os.environ}
        environ |= {"VOMIND_ENV_FILE": "", "PYTHONUNBUFFERED": "1", **FAKE_ACCOUNT}
        environ |= {
            "REDIS_URL": self.redis_url,
            "PORT": str(self.web_port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "FLOWER_PORT": str(self.flower_port),
            "NOTIFIER_PORT": str(self.notifier_port),
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "TWILIO_API_BASE": self.simulator_url,
            "WEB_PROCESSES": "1",
            "DATA_DIR": str(self.directory / "data"),
        }
        environ |= self.settings
        host = urlsplit(environ["TWILIO_API_BASE"]).hostname
        assert host in {"127.0.0.1", "localhost", "::1"}, f"a Twilio beyond loopback: {host}"
        return environ

    @property
    def web_url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def queue_url(self) -> str:
        """Base of the queue's endpoints."""
        return f"{self.web_url}/api/queue"

    @property
    def simulator_url(self) -> str:
        """Where the simulator answers."""
        return f"http://127.0.0.1:{self.simulator_port}"

    def start(self, name: str, *arguments: str, **settings: str) -> Process:
        """Start ``web``, ``worker``, ``flower`` or ``simulator`` and do not wait for it."""
        process = Process(
            name=name,
            arguments=(*COMMANDS[name], *arguments),
            environment=self.environment() | settings,
            log=self.directory / f"{name}-{len(self.processes)}.log",
        )
        self.processes.append(process)
        process.start()
        return process

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the stack's settings to its end, whatever that is."""
        return nursery.run(arguments, environment=self.environment())

    def start_web(self, **settings: str) -> Process:
        """Start the API and wait until it answers."""
        process = self.start("web", **settings)
        self._wait_http(process, f"{self.web_url}/healthz")
        return process

    def use_web_of(self, other: Stack) -> None:
        """Use the API of another stack on the same Redis."""
        self.web_port = other.web_port
        self.borrowed += other.processes

    def start_simulator(self, **settings: str) -> Process:
        """Start the simulator and wait until it answers."""
        process = self.start("simulator", **settings)
        self._wait_http(process, f"{self.simulator_url}/simulator/rings")
        return process

    def start_worker(self, *arguments: str, **settings: str) -> Process:
        """Start a worker and wait until it takes calls.

        A second worker on the same Redis needs another name: ``"-n", "two@%h"``.
        """
        process = self.start("worker", *arguments, **settings)
        process.wait_for(" ready.")
        return process

    def start_all(self, **settings: str) -> None:
        """Simulator, worker and web, ready for a call."""
        self.start_simulator(**settings)
        self.start_worker(**settings)
        self.start_web(**settings)

    def _wait_http(self, process: Process, url: str) -> None:
        def answers() -> bool:
            assert process.alive, f"{process.name} ended:\n{process.output}"
            try:
                return requests.get(url, timeout=30).status_code < 500
            except requests.RequestException:
                return False

        until(answers, within_s=READY_S, what=f"{process.name} answers at {url}")

    def rings(self) -> list[dict[str, object]]:
        """Return what the simulator remembers to have rung, in order."""
        answer = requests.get(f"{self.simulator_url}/simulator/rings", timeout=30)
        rings: list[dict[str, object]] = answer.json()["rings"]
        return rings

    def close(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()

    def report(self) -> str:
        """Return the end of each process's output, for a failed test."""
        shown = self.borrowed + self.processes
        parts = (f"--- {p.name} ({p.log.name})\n{p.output[-6000:]}" for p in shown)
        return "\n".join(parts)
