"""The whole stack as `make run` starts it."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import redis
import requests

from tests.ports import free_port
from tests.stack import READY_S, Process, until


class Copy:
    """One copy of the whole stack, with its own ports and data directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "VOMIND_ENV_FILE": "",
            "DATA_DIR": str(directory / "data"),
            "PORT": str(self.port),
            "FLOWER_PORT": str(free_port()),
            "NOTIFIER_PORT": str(free_port()),
            "SIMULATOR_PORT": str(free_port()),
            "EMBEDDED_REDIS_PORT": str(free_port()),
            "WEB_PROCESSES": "1",
            "LEASE_TIME": "1s",
        }
        if "PYTHONPATH" in os.environ:
            self.environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self.process = Process(
            name="run",
            arguments=("-m", "devserver"),
            environment=self.environment,
            log=directory / "run.log",
        )

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        ready = self.process.output.count("VoMind Queue is ready.")
        self.process.start()
        until(
            lambda: self._count() > ready or not self.process.alive,
            within_s=2 * READY_S,
            what="the stack is ready",
        )
        assert self.process.alive, self.process.output

    def _count(self) -> int:
        return self.process.output.count("VoMind Queue is ready.")

    def get(self, path: str) -> dict[str, Any]:
        """Return the answer of the queue's API."""
        url = f"http://127.0.0.1:{self.port}/api/queue/{path}"
        answer: dict[str, Any] = requests.get(url, timeout=30).json()
        return answer

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of the queue's API."""
        url = f"http://127.0.0.1:{self.port}/api/queue/{path}"
        answer: dict[str, Any] = requests.post(url, json=body, timeout=30).json()
        return answer

    def completed(self, job_id: str) -> bool:
        """Return whether that call was placed."""
        return bool(self.get(f"job/{job_id}")["state"] == "completed")

    def valkey(self) -> redis.Redis:
        """Return a client of its embedded server, with the password that it made."""
        directory = Path(self.environment["DATA_DIR"]) / "valkey"
        password = (directory / "access.conf").read_text().removeprefix("requirepass ").strip()
        port = int(self.environment["EMBEDDED_REDIS_PORT"])
        return redis.Redis(port=port, password=password, decode_responses=True)

    def rings(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return what the simulator rang: all, or that number alone."""
        url = f"http://127.0.0.1:{self.environment['SIMULATOR_PORT']}/simulator/rings"
        rings: list[dict[str, Any]] = requests.get(url, timeout=30).json()["rings"]
        return [ring for ring in rings if to in (None, ring["to"])]

    def end(self) -> None:
        """Leave nothing of it."""
        self.process.kill()
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pids(self) -> dict[int, str]:
        """Return all its processes that still run, with their command lines."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if self._owns(place):
                    line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    # Python's own, on macOS: it reads the end of the stack from a pipe, and ends.
                    if "multiprocessing.resource_tracker" not in line:
                        found[int(place.name)] = line
            except OSError:
                continue
        return found

    def _owns(self, place: Path) -> bool:
        # The server overwrites its environment with its title, but it works in its directory.
        if str((place / "cwd").readlink()).startswith(self.environment["DATA_DIR"]):
            return True
        return (
            f"DATA_DIR={self.environment['DATA_DIR']}".encode() in (place / "environ").read_bytes()
        )

    def pid_of(self, words: str) -> int:
        """Return the first process with these words in its command line."""
        return min(pid for pid, line in self.pids().items() if words in line)
