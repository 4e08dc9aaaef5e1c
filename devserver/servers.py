"""Local replacements: Valkey for Redis, the simulator for Twilio."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from devserver.probes import PAUSE_S
from devserver.process_guard import ProcessGuard
from vomind_queue.errors import SettingsError


@dataclass(kw_only=True, slots=True)
class Server:
    """A server that starts before the processes and ends after them."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool]
    #: How long it may take to end when asked, seconds; then it is killed.
    grace_s: float
    #: Open files that it inherits.
    inherits: Sequence[int] = ()
    _process: subprocess.Popen[bytes] | None = None

    def start(self, guard: ProcessGuard) -> None:
        """Start it and return when it is ready. Raise SettingsError when it ends instead."""
        self._process = subprocess.Popen(  # noqa: S603
            guard.command(self.command),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            pass_fds=self.inherits,
            # Ctrl-C in the terminal must not reach it before the others.
            start_new_session=True,
        )
        while not self.ready():
            if (status := self.ended()) is not None:
                raise SettingsError(f"{self.name} cannot be started (status {status}).")
            time.sleep(PAUSE_S)

    def ended(self) -> int | None:
        """Return the status with which it ended; ``None`` while it runs."""
        return None if self._process is None else self._process.poll()

    def end(self) -> None:
        """Ask it to end and return when it has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self.grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
