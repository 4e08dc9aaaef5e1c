"""Commands that a benchmark starts and ends, each in its own session and with its own log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

#: For a process to end by itself after SIGTERM, s.
END_S = 15.0
#: For one to become ready, s: two busy cores included.
READY_S = 60.0
#: CPU of a process that waits for work, at most, in a core's share, and how long it is watched, s.
QUIET = 0.1
QUIET_POLL_S = 0.5


class Command:
    """A shell command that runs."""

    def __init__(self, command: str, environment: Mapping[str, str], log: Path) -> None:
        """Start it. ``log`` gets all that it writes."""
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S602 - the operator's own command
                command,
                shell=True,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def output(self) -> str:
        """All that it has written."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Raise RuntimeError with its last words when it has ended."""
        if self._popen.poll() is not None:
            raise RuntimeError(f"{self._popen.args!r} ended:\n{self.output[-4000:]}")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it and its descendants at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        self._popen.wait(END_S)

    def stop(self) -> None:
        """End it in order, or at once when that takes too long."""
        if self._popen.poll() is None:
            self._popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(END_S)
        self.kill()


def wait_for(condition: Callable[[], object], what: str, *, within_s: float = READY_S) -> None:
    """Ask until it is true. Raise TimeoutError."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s} s: {what}")
        time.sleep(0.01)
