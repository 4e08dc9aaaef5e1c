"""Starts processes of the product that have imported it already, as imports are most of a start.

One process imports what the product needs, and forks for each process that a test starts. The fork
has the environment, the output and the session of a process that was started by its command line,
and runs the same module. Only `make test` does so: for `make portable`, `make chaos` and whatever
`make run` starts, Python itself is started.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

ROOT = Path(__file__).parent.parent
#: What is imported before. Neither what is run, nor what imports prometheus_client, which looks at
#: the environment then.
IMPORTED = (
    *("celery.apps.worker", "celery.apps.beat", "celery.bin.worker", "celery.bin.beat"),
    *("celery.concurrency.thread", "celery.worker.consumer", "tornado.web"),
    *("vomind_queue.processes.worker", "vomind_queue.container.log_services", "granian"),
    *("flask", "marshmallow", "vomind_queue.api.openapi.document", "simulator.simulator"),
    *("vomind_queue.cli.main", "vomind_queue.cli.doctor", "aiohttp.web"),
)
#: What is forked: these modules, and those within.
_OURS = ("celery", "simulator", "vomind_queue")
#: The longest that a command may take, s; two busy cores included.
RUN_S = 200
#: The longest order, bytes.
_ORDER_MAX = 128 * 1024
#: A process id and an exit status are told in so many bytes each.
_NUMBER = 16


class Child:
    """A process that was forked, with what tests use of `subprocess.Popen`."""

    def __init__(self, said: int) -> None:
        """``said``: a pipe that has the process's id, and later its exit status."""
        self._said = said
        self.pid = int(os.read(said, _NUMBER))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        ended = self._ended(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return ended

    def _ended(self, within_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._said], [], [], within_s)[0]:
            self.returncode = int(os.read(self._said, _NUMBER))
            os.close(self._said)
        return self.returncode


class Nursery:
    """The process that forks, as seen by tests. It is started when the first child is wanted."""

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._popen: subprocess.Popen[bytes] | None = None

    def takes(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Return whether it can start this: a module of ours, in an interpreter as any other."""
        return (
            arguments[0] == "-m"
            and arguments[1].split(".")[0] in _OURS
            and "PYTHONPATH" not in environment
        )

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: int,
        directory: Path = ROOT,
    ) -> Child:
        """Run a module with arguments, as ``python -m`` does; its output goes to ``log``."""
        with Path(os.devnull).open() as nothing:
            return self._fork(arguments, environment, directory, [nothing.fileno(), log, log])

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, text: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a module to its end, with ``text`` on its standard input."""
        with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            given.write(text)
            given.seek(0)
            streams = [each.fileno() for each in (given, out, err)]
            child = self._fork(arguments, environment, directory, streams)
            try:
                status = child.wait(RUN_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def _fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        streams: Sequence[int],
    ) -> Child:
        channel = self._channel or self._open()
        order = json.dumps(
            {
                "module": list(arguments[1:]),
                "environment": dict(environment),
                "directory": str(directory),
            }
        )
        heard, write_end = os.pipe()
        try:
            socket.send_fds(channel, [order.encode()], [*streams, write_end])
        finally:
            os.close(write_end)
        return Child(heard)

    def _open(self) -> socket.socket:
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        environ = {name: os.environ[name] for name in kept if name in os.environ}
        with other:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", __name__, str(other.fileno())],
                env={**environ, "PYTHONUNBUFFERED": "1"},
                cwd=ROOT,
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._channel

    def close(self) -> None:
        """End it; what it has forked goes on."""
        if self._channel and self._popen:
            self._channel.close()
            self._popen.wait(10)


#: The one that `Process.start` asks; None while there is none.
current: Nursery | None = None


def run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path = ROOT,
    text: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run Python with arguments to its end, forked where that can be; return what it printed."""
    if current and current.takes(arguments, environment):
        return current.run(arguments, environment, directory, text or "")
    return subprocess.run(
        [sys.executable, *arguments],
        env={**environment},
        cwd=directory,
        input=text or "",
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )


@contextmanager
def opened() -> Iterator[None]:
    """Let processes be forked."""
    global current  # noqa: PLW0603 - as one process serves all tests
    current = Nursery()
    yield
    current.close()
    current = None


class _Forker:
    """The same from inside: forks, and says what became of each child."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._told: dict[int, int] = {}
        self._wakened, wake = os.pipe()
        os.set_blocking(wake, False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)

    def next_child(self) -> list[str] | None:
        """Return in each child what it has to run; None, once there are no more orders."""
        while True:
            waited: list[Any] = [self._channel, self._wakened]
            ready, _, _ = select.select(waited, [], [])
            if self._wakened in ready:
                os.read(self._wakened, 1024)
                self._reap()
            if self._channel in ready:
                order, fds, _, _ = socket.recv_fds(self._channel, _ORDER_MAX, 4)
                if not order:
                    return None
                if module := self._fork(json.loads(order), fds[:3], fds[3]):
                    return module

    def _reap(self) -> None:
        while self._told:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            write_end = self._told.pop(pid)
            with suppress(BrokenPipeError):
                os.write(write_end, _number(os.waitstatus_to_exitcode(status)))
            os.close(write_end)

    def _fork(self, order: Any, streams: Sequence[int], write_end: int) -> list[str] | None:
        pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            self._told[pid] = write_end
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(order["directory"])
        # Not before it has a session: until then nobody could kill it by that.
        os.write(write_end, _number(os.getpid()))
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(order["environment"])
        return list(order["module"])


def _number(value: int) -> bytes:
    return str(value).rjust(_NUMBER).encode()


def _main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        import_module(name)
    assert "prometheus_client" not in sys.modules
    gc.collect()
    # Or each child would write to all of its memory, and have it copied.
    gc.freeze()
    module = _Forker(channel).next_child()
    channel.detach()
    if module:
        sys.argv = module
        runpy.run_module(module[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
