"""The processes of the stack under honcho, and the two servers beneath them.

honcho runs what ``Procfile.dev`` names, passes on what it says and ends all when one ends. What
it has no word for is here: servers that start before the others and end after them, a grace as
long as a worker's drain, and a line once all is ready.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import TextIO

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer

from devserver.probes import PAUSE_S
from devserver.process_guard import ProcessGuard
from devserver.servers import Server

#: honcho's statuses for a Ctrl-C and a SIGTERM.
_ASKED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
#: What honcho says of its processes.
_TOLD = re.compile(r"(?P<name>\S+) (?P<what>started|stopped) \((?:pid|rc)=(?P<value>-?\d+)\)")


def ask_to_end() -> None:
    """End the stack as Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGTERM)


class Screen(Printer):
    """Writes as honcho does, and notes what honcho says of its processes."""

    def __init__(self, output: TextIO) -> None:
        super().__init__(output)
        self.started: set[str] = set()
        #: The first process that ended, with its status.
        self.first_ended: tuple[str, str] | None = None
        self._gone = False

    def write(self, message: Message) -> None:
        """Write a line; a reader that went away asks the stack to end."""
        if message.name == SYSTEM_PRINTER_NAME and (found := _TOLD.match(message.data)):
            self._note(found["name"], found["what"], found["value"])
        try:
            super().write(message)
        except OSError:
            if not self._gone:
                self._gone = True
                ask_to_end()

    def _note(self, name: str, what: str, value: str) -> None:
        if what == "started":
            self.started.add(name)
        elif self.first_ended is None:
            self.first_ended = (name, value)


class Processes(Manager):
    """honcho's manager with its own grace period; it may be asked to end at any moment."""

    def __init__(
        self,
        screen: Screen,
        guard: ProcessGuard,
        commands: Mapping[str, str],
        environ: Mapping[str, str],
        grace_s: float,
    ) -> None:
        """``grace_s``: how long processes may take to end when asked; then they are killed."""
        super().__init__(screen)
        self._screen = screen
        self._names = frozenset(commands)
        for name, command in commands.items():
            self.add_process(name, guard.shell(command), env=dict(environ))
        self._grace_s = grace_s
        self._kill_at = float("inf")

    def all_started(self) -> bool:
        """Return whether honcho has seen the start of each process."""
        return self._screen.started >= self._names

    def terminate(self) -> None:
        """Ask all to end. honcho fails for one whose start it has not seen: then try again."""
        if not self.all_started():
            _later(PAUSE_S, self.terminate)
            return
        if self._kill_at == float("inf"):
            self._kill_at = time.monotonic() + self._grace_s
            # honcho kills only once one of them has ended.
            _later(self._grace_s, self.kill)
        super().terminate()

    def kill(self) -> None:
        """Kill what is left once the grace is over; honcho asks for it after 5 s."""
        if time.monotonic() >= self._kill_at:
            super().kill()


class Stack:
    """All of it, from the first server to the last line."""

    def __init__(
        self,
        servers: Sequence[Server],
        commands: Mapping[str, str],
        environ: Mapping[str, str],
        grace_s: float,
    ) -> None:
        """``servers`` in the order of starting; they end in the opposite one, after the rest.

        ``commands`` are lines of a shell by name, which start together. ``grace_s`` is theirs.
        """
        self._guard = ProcessGuard()
        self._servers = servers
        self._screen = Screen(sys.stdout)
        self._processes = Processes(self._screen, self._guard, commands, environ, grace_s)
        self._over = threading.Event()
        self._fault: str | None = None

    def run(self, ready: Sequence[Callable[[], bool]], announcement: str) -> bool:
        """Run all until one ends or somebody asks; return whether somebody asked.

        ``announcement`` is written once each of ``ready`` has said yes.
        """
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            with self._guard:
                self._run(ready, announcement)
        except KeyboardInterrupt:
            return True
        return self._was_asked()

    def _run(self, ready: Sequence[Callable[[], bool]], announcement: str) -> None:
        try:
            for server in self._servers:
                server.start(self._guard)
            signal.signal(signal.SIGHUP, lambda *_: ask_to_end())
            threading.Thread(target=self._watch, args=(ready, announcement), daemon=True).start()
            self._processes.loop()
        finally:
            self._over.set()
            for server in reversed(self._servers):
                server.end()

    def _was_asked(self) -> bool:
        """Say why all has ended, unless somebody asked for it."""
        if self._fault is None and self._processes.returncode not in _ASKED:
            name, status = self._screen.first_ended or ("a process", "unknown")
            self._fault = f"{name} ended (status {status})"
        if self._fault is not None:
            _say(f"{self._fault}, so everything was ended; it says why above.")
        return self._fault is None

    def _watch(self, ready: Sequence[Callable[[], bool]], announcement: str) -> None:
        """Announce that all is ready, and end all when a server ends."""
        left = [self._processes.all_started, *ready]
        while not self._over.wait(PAUSE_S):
            for server in self._servers:
                if (status := server.ended()) is not None:
                    self._fault = f"{server.name} ended (status {status})"
                    ask_to_end()
                    return
            if left and left[0]():
                left.pop(0)
                if not left:
                    _say(announcement)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _later(wait_s: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(wait_s, action)
    timer.daemon = True
    timer.start()


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201
