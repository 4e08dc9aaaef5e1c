"""Keeps a few processes running: starts, restarts and ends them, and passes on what they say.

Why not a library: honcho ends everything when one process ends; circus brings
ZeroMQ and takes fixed ports, Flower's among them; supervisor wants a
configuration file and knows no readiness. None of them ties a child to the
supervisor's own life, and that is what leaves no orphan after a ``kill -9``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vomind_queue.stack import leash
from vomind_queue.stack.probes import Probe

#: Wait before a process is started again, seconds; doubled up to the most.
FIRST_DELAY_S = 0.5
MOST_DELAY_S = 5.0

#: A process that ran for so long, in seconds, had started well.
STEADY_S = 10.0

#: So many faulty ends in a row, before all was ready once, are a fault that stays.
HOPELESS = 3

#: What is read at once of a process's output, bytes; a longer line is cut in two.
LINE = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A process to be kept running."""

    #: Stands before each line of its output.
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    #: How long it may take to end when asked, seconds; then it is killed.
    grace_s: float
    #: ``None`` when it cannot be asked.
    probe: Probe | None
    #: Open files that it inherits.
    inherits: Sequence[int] = ()


Say = Callable[[str, str], None]


class Keeper:
    """Keeps one part running until it is stopped."""

    def __init__(self, part: Part, say: Say, hopeless: Callable[[str], None]) -> None:
        """``hopeless`` is told when the part ends with a fault again and again."""
        self.part = part
        self._say = say
        self._hopeless = hopeless
        self._stop = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the part; returns at once."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Asks the part to end and returns when it and its children have."""
        self._stop.set()
        if self._task is None:
            return
        if self._process is not None:
            self._send(signal.SIGTERM)
        done, _ = await asyncio.wait({self._task}, timeout=self.part.grace_s)
        if not done:
            self._say(self.part.name, f"did not end within {self.part.grace_s:g} s: killed")
            self._send(signal.SIGKILL)
        await self._task

    async def _keep(self) -> None:
        delay_s, faults = FIRST_DELAY_S, 0
        while not self._stop.is_set():
            started = asyncio.get_running_loop().time()
            status = await self._run_once()
            if self._stop.is_set():
                return
            if asyncio.get_running_loop().time() - started > STEADY_S:
                delay_s, faults = FIRST_DELAY_S, 0
            # A signal is somebody's doing, not the part's own.
            faults += status > 0
            if faults >= HOPELESS:
                self._hopeless(self.part.name)
            self._say(self.part.name, f"ended ({_told(status)}); started again in {delay_s:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay_s)
            delay_s = min(2 * delay_s, MOST_DELAY_S)

    async def _run_once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid())),
            *self.part.command,
            env=dict(self.part.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the terminal reaches the supervisor alone, which keeps the order.
            start_new_session=True,
            pass_fds=self.part.inherits,
        )
        self._process = process
        if self._stop.is_set():
            self._send(signal.SIGTERM)
        pump = asyncio.create_task(self._pump(process.stdout))
        status = await _exit(process)
        # Whatever it started must not outlive it, nor hold its port.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await pump
        self._process = None
        return status

    async def _pump(self, stream: asyncio.StreamReader | None) -> None:
        rest = b""
        while stream is not None and (chunk := await stream.read(LINE)):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(self.part.name, line.decode(errors="replace").rstrip("\r"))
        if rest:
            self._say(self.part.name, rest.decode(errors="replace"))

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """Keeps parts running, from the first signal to start until one to end."""

    def __init__(self, parts: Sequence[Part], *, first: int = 0) -> None:
        """``parts`` in the order of starting; they are ended in the opposite one.

        The first ``first`` of them must be ready before the others are started. Those start
        together: web is ready only once it has seen a worker and a scheduler.
        """
        self._keepers = [Keeper(part, self.say, self._give_up) for part in parts]
        self._first = first
        self._width = max((len(part.name) for part in parts), default=0)
        self._asked_to_end = asyncio.Event()
        self._announced = False
        self._gave_up = False

    async def run(self, announce: Callable[[], None]) -> bool:
        """Starts all, calls ``announce`` once all are ready, returns when all have ended.

        False when a part could not be started at all.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, number.name)
        work = asyncio.create_task(self._start(announce))
        ended = asyncio.create_task(self._asked_to_end.wait())
        try:
            await asyncio.wait({ended, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            await ended
        finally:
            work.cancel()
            for keeper in reversed(self._keepers):
                await keeper.stop()
            self.say("stack", "ended")
        return not self._gave_up

    def say(self, name: str, line: str) -> None:
        """Writes one line; a reader that went away asks the stack to end."""
        with suppress(OSError):
            print(f"{name:{self._width}} | {line}", flush=True)  # noqa: T201
            return
        self._asked_to_end.set()

    def _give_up(self, name: str) -> None:
        if not self._announced and not self._gave_up:
            self._gave_up = True
            self._end(f"{name} cannot be started, it says why above")

    def _end(self, reason: str) -> None:
        self.say("stack", f"{reason}: ending …")
        self._asked_to_end.set()

    async def _start(self, announce: Callable[[], None]) -> None:
        for group in (self._keepers[: self._first], self._keepers[self._first :]):
            for keeper in group:
                keeper.start()
            for keeper in group:
                if keeper.part.probe is not None:
                    await keeper.part.probe.ready()
        self._announced = True
        announce()


async def _exit(process: asyncio.subprocess.Process) -> int:
    """The exit status, without waiting for the end of the output as ``wait`` does.

    A grandchild may hold the output open for as long as it lives.
    """
    while process.returncode is None:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return process.returncode


def _told(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"
