"""A person, or a program, who types commands: in a pipe or in a real terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests import nursery
from tests.stack import ROOT

COMMAND = (sys.executable, "-m", "vomind_queue")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def documents(self) -> list[dict[str, Any]]:
        """One a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(kw_only=True)
class Typist:
    """Types commands in one directory."""

    directory: Path
    environment: Mapping[str, str]
    url: str
    more: dict[str, str] = field(default_factory=dict)

    def _environ(self, **more: str) -> dict[str, str]:
        return {
            **self.environment,
            "PYTHONPATH": str(ROOT),
            "VOMIND_URL": self.url,
            **self.more,
            **more,
        }

    def __call__(self, *arguments: str, text: str | None = None, **environ: str) -> Done:
        """Run a command to its end, without a terminal."""
        variables = self._environ(**environ)
        if nursery.current:
            # What is forked has the product imported already.
            del variables["PYTHONPATH"]
        done = nursery.run(
            [*COMMAND[1:], *arguments], environment=variables, directory=self.directory, text=text
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command, without a terminal."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self._environ(**environ),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed,  # noqa: PLW1509
        )

    def terminal(self, *arguments: str, columns: int = 120, **environ: str) -> Terminal:
        """Start a command in its own terminal."""
        more = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40", **environ}
        return Terminal([*COMMAND, *arguments], self._environ(**more), self.directory)


class Terminal:
    """A command in a pseudo-terminal; use it in a ``with``."""

    def __init__(self, command: list[str], environ: dict[str, str], directory: Path) -> None:
        self._screen, inner = pty.openpty()
        self._process = subprocess.Popen(
            command, env=environ, cwd=directory, stdin=inner, stdout=inner, stderr=inner,
            start_new_session=True, preexec_fn=_control,  # noqa: PLW1509
        )  # fmt: skip
        os.close(inner)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        os.close(self._screen)

    def press(self, keys: str) -> None:
        """Type keys; Ctrl-C is ``\\x03``."""
        os.write(self._screen, keys.encode())

    def wait_for(self, text: str, *, within_s: float = 30) -> None:
        """Read on until ``text`` is shown."""
        deadline = time.monotonic() + within_s
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} is not shown:\n{self.shown}"
            if not self._read(0.2):
                assert self._process.poll() is None or text in self.shown, self.shown

    def end(self, *, within_s: float = 30) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + within_s
        while self._process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self._read(0.1)
        while self._read(0.1):
            pass
        return self._process.returncode

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._screen], [], [], wait_s)[0]:
            return False
        try:
            piece = os.read(self._screen, 65_536)
        except OSError:
            # So Linux says that nobody holds the other side any more.
            return False
        self.shown += piece.decode(errors="replace")
        return bool(piece)


def _control() -> None:
    """Make the terminal the controlling one, so that Ctrl-C reaches the command."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _heed()


def _heed() -> None:
    """Ctrl-C counts, though a shell that runs the tests in the background had it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
