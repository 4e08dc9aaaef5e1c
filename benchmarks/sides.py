"""The implementations that are measured: ours, and another one that ``PEER`` names."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.client import Client, make_call
from benchmarks.machine import cpu_s
from benchmarks.processes import QUIET, QUIET_POLL_S, Command, wait_for
from devserver.parts import COMMANDS, FAKE_ACCOUNT
from tests.ports import free_port
from tests.servers import Server

ROOT = Path(__file__).resolve().parent.parent

#: How long all may take to be at rest after their start, s.
REST_S = 20.0

#: Nothing of the operator's own settings reaches our processes but these.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, kw_only=True)
class Side:
    """How one implementation is started; it finds ports and sizes in its environment."""

    name: str
    api: str
    worker: str
    environment: Mapping[str, str]
    #: What makes it keep every completed and failed call.
    keep_all: Mapping[str, str]
    #: What else runs beside API and worker where it is deployed, by name.
    beside: Mapping[str, str] = field(default_factory=dict)
    #: What people look at it with, by name.
    watching: Mapping[str, str] = field(default_factory=dict)


def _python(*arguments: str) -> str:
    return "exec " + shlex.join([sys.executable, *arguments])


#: The null dialer in place of Twilio's, all else as deployed.
_WORKER = [
    "benchmarks.null_worker" if part == "celery_app" else part for part in COMMANDS["worker"]
]


def ours() -> Side:
    """This repository's, without the limit, with the null dialer."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return Side(
        name="ours",
        api=_python(*COMMANDS["web"]),
        worker=_python(*_WORKER) + ' -n "$WORKER_NAME@%h"',
        environment=kept
        | FAKE_ACCOUNT
        | {
            "VOMIND_ENV_FILE": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "CALL_RATE_LIMIT": "off",
            # Only ever loopback: no benchmark may ring anybody.
            "TWILIO_API_BASE": "http://127.0.0.1:9",
        },
        keep_all={"KEEP_COMPLETED": "7d,10000000", "KEEP_FAILED": "30d,10000000"},
        beside={name: _python(*COMMANDS[name]) for name in ("shipper", "beat")},
        watching={"flower": _python(*COMMANDS["flower"])},
    )


def peer() -> Side | None:
    """Return the side whose commands are in ``PEER_API`` and ``PEER_WORKER``, or in ``PEER``."""
    both = os.environ.get("PEER")
    api, worker = os.environ.get("PEER_API", both), os.environ.get("PEER_WORKER", both)
    if not api or not worker:
        return None
    return Side(
        name="peer",
        api=api,
        worker=worker,
        environment={"FOLD_PRIORITIZED": "1", **os.environ, "LIMITER_MAX": "0"},
        keep_all={"KEEP_COMPLETED": "false", "KEEP_FAILED": "false"},
    )


@dataclass(kw_only=True)
class System:
    """A server, an API and workers of one side, for as long as a ``with`` lasts."""

    side: Side
    #: Processes of the API, where the side can have several on one port.
    processes: int = 1
    workers: int = 0
    #: Calls that one worker places at the same time.
    slots: int = 5
    #: Whether everything runs that is deployed, not API and workers alone.
    whole: bool = False
    #: Whether the server writes each change down before it answers.
    durable: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.server = Server(
            kind="valkey", directory=self.directory / "server", durable=self.durable
        )
        self.server.start()
        self._stack.callback(self.server.kill)
        self.port = free_port()
        self.client = Client(self.url)
        self._stack.callback(self.client.close)
        self.start_program("api", self.side.api, ROLE="api")
        wait_for(self._answers, f"the API of {self.side.name} answers")
        self._check_counts()
        for number in range(1, self.workers + 1):
            self.start_worker(f"worker{number}")
        for name, command in self.side.beside.items() if self.whole else ():
            self.start_program(name, command)
        self.rest()

    def _check_counts(self) -> None:
        """Raise RuntimeError where a call waits and is not counted: no backlog could be read."""
        call = make_call(1, priority="normal")
        job_id = self.client.ask("POST", "/schedule-call", call)["jobId"]
        counted = self.client.backlog()
        self.client.ask("DELETE", f"/job/{job_id}")
        if counted != 1:
            raise RuntimeError(
                f"GET /stats of {self.side.name} counts {counted} calls where 1 waits: "
                "its dispatch, memory and retries cannot be measured"
            )

    def start_worker(self, name: str) -> Command:
        """Start one more worker without waiting for it."""
        return self.start_program(name, self.side.worker, ROLE="worker", WORKER_NAME=name)

    def stop_workers(self) -> None:
        """End all workers in order."""
        for name in [name for name in self.commands if name.startswith("worker")]:
            self.commands.pop(name).stop()

    def start_program(self, name: str, command: str, **environment: str) -> Command:
        """Start a shell command with the system's environment without waiting for it."""
        environ = dict(self.side.environment)
        environ |= {
            "PORT": str(self.port),
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.server.port),
            "CALL_WORKER_CONCURRENCY": str(self.slots),
            "WEB_PROCESSES": str(self.processes),
            "PUBLIC_URL": self.url,
            "DATA_DIR": str(self.directory / "data"),
        }
        environ |= {**self.settings, **environment}
        started = Command(command, environ, self.directory / f"{name}.log")
        self._stack.callback(started.kill)
        self.commands[name] = started
        return started

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name; ``redis`` is the server's."""
        return {"redis": self.server.pid} | {n: each.pid for n, each in self.commands.items()}

    def rest(self) -> None:
        """Wait until nothing of it has anything to do, as after a start."""
        deadline = time.monotonic() + REST_S
        while time.monotonic() < deadline:
            before = cpu_s(self.pids.values())
            time.sleep(QUIET_POLL_S)
            if cpu_s(self.pids.values()) - before < QUIET * QUIET_POLL_S:
                break
        for command in self.commands.values():
            command.check()

    def _answers(self) -> bool:
        self.commands["api"].check()
        try:
            return "waiting" in self.client.stats()
        except OSError:
            self.client.close()
            return False
