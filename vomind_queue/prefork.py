"""Serving processes, forked from one that watches over them.

Each has a listening socket of its own, which the watching one keeps open: what the system has
dealt to a process that died waits for the one that takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from types import FrameType

import uvicorn

logger = logging.getLogger(__name__)

Serve = Callable[[socket.socket], None]

#: Between a death and the next process in its place, s, for one that did not last …
RETRY_S = 1.0
#: … this long, s.
LASTING_S = 5.0
#: How often in a row the processes may fail at their start, for each socket.
MOST_FAILURES = 3
#: How long a process gets beyond ``stop_s`` before it is killed, s.
GRACE_S = 2.0
#: How often a serving process renews the time that it tells with its answers, s.
TICK_S = 1.0
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """Ends by SIGTERM alone: Ctrl-C reaches the parent, too, which tells its processes."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """For as long as it serves; afterwards, another SIGTERM changes nothing."""
        self._told = asyncio.Event()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        yield

    async def main_loop(self) -> None:
        """Until it is told to end; uvicorn's own looks ten times a second whether it is."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK_S)

    def _stop(self) -> None:
        self.should_exit = True
        self._told.set()


def run(sockets: Sequence[socket.socket], serve: Serve, *, stop_s: float) -> None:
    """Keeps a process for each socket until SIGTERM or SIGINT; to be called without threads.

    ``stop_s``: how long a process may take to end by itself after SIGTERM, s. Ends this process
    when all of them fail at their start again and again.
    """
    if code := _Parent(sockets, serve, stop_s).run():
        sys.exit(code)


class _Parent:
    def __init__(self, sockets: Sequence[socket.socket], serve: Serve, stop_s: float) -> None:
        self._sockets = sockets
        self._serve = serve
        self._stop_s = stop_s
        #: Which socket a process serves, and since when, s.
        self._children: dict[int, tuple[socket.socket, float]] = {}
        #: Sockets without a process, and when they get one, s.
        self._vacant: list[tuple[float, socket.socket]] = [(0.0, sock) for sock in sockets]
        self._is_told = False
        #: How many have failed in a row since one lasted.
        self._failures = self._code = 0
        #: Nothing is ever written there; the reading ends see it close, however this process ends.
        self._reading, self._writing = os.pipe()

    def run(self) -> int:
        """Until told to stop, and all processes are gone; the code to end with."""
        # Signals are waited for: none of them must come between a look and the wait.
        waited = {*_STOPPING, signal.SIGCHLD}
        for number in waited:
            signal.signal(number, _ignore)
        signal.pthread_sigmask(signal.SIG_BLOCK, waited)
        while not self._is_told:
            self._fill()
            self._wait(self._vacant[0][0] if self._vacant else None)
        self._stop()
        return self._code

    def _fill(self) -> None:
        now = time.monotonic()
        due = [sock for at, sock in self._vacant if at <= now]
        self._vacant = sorted(
            ((at, sock) for at, sock in self._vacant if at > now), key=lambda each: each[0]
        )
        for sock in due:
            self._children[self._fork(sock)] = (sock, now)

    def _fork(self, sock: socket.socket) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            for other in self._sockets:
                if other is not sock:
                    other.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            os.close(self._writing)
            threading.Thread(target=_follow, args=(self._reading,), daemon=True).start()
            self._serve(sock)
            code = 0
        except SystemExit as end:
            # As the interpreter itself would.
            if isinstance(end.code, str):
                sys.stderr.write(f"{end.code}\n")
            else:
                code = end.code or 0
        except BaseException:
            logger.exception("a serving process failed")
        finally:
            logging.shutdown()
            gc.freeze()
            os._exit(code)

    def _wait(self, until: float | None) -> None:
        left_s = 3600.0 if until is None else max(0.0, until - time.monotonic())
        got = signal.sigtimedwait({*_STOPPING, signal.SIGCHLD}, left_s)
        if got is not None and got.si_signo in _STOPPING:
            self._is_told = True
        self._reap()

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            sock, since = self._children.pop(pid)
            if self._is_told:
                continue
            now = time.monotonic()
            at = now if now - since >= LASTING_S else now + RETRY_S
            self._vacant.append((at, sock))
            self._vacant.sort(key=lambda each: each[0])
            code = os.waitstatus_to_exitcode(status)
            logger.error("a serving process ended", extra={"pid": pid, "code": code})
            self._judge(code, since, now)

    def _judge(self, code: int, since: float, now: float) -> None:
        """Gives up where it is not one process that fails; who is killed has not failed."""
        begun = (since, *(at for _, at in self._children.values()))
        if code <= 0 or any(now - at >= LASTING_S for at in begun):
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= MOST_FAILURES * len(self._sockets):
            logger.error("serving processes fail at their start: giving up")
            self._code, self._is_told = code, True

    def _stop(self) -> None:
        # Nobody would accept what comes from now on.
        for sock in self._sockets:
            sock.close()
        self._tell(signal.SIGTERM)
        give_up_at = time.monotonic() + self._stop_s + GRACE_S
        while self._children and time.monotonic() < give_up_at:
            self._wait(give_up_at)
        self._tell(signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)


def _follow(reading: int) -> None:
    """Ends this process when its parent was killed: it would keep the port."""
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A signal that is ignored is not waited for either; one that is handled is."""
