"""TCP ports for the tests' processes, which no other run of the tests gives away."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: Below the ports that Linux, macOS and Windows give to outgoing connections.
FIRST = 20_000
#: How many runs may be at work on one machine, and the ports of each.
BLOCKS, BLOCK_SIZE = 60, 200


class Ports:
    """A block of ports that belongs to this process until it ends.

    Asking the kernel for a free port is not enough: between that answer and the start of the
    process that is to listen, another run of the tests may get the same one.
    """

    def __init__(self, directory: Path) -> None:
        """Claim nothing yet; the locks of all runs are in ``directory``."""
        self._directory = directory
        self._lock: int | None = None
        self._numbers: Iterator[int] = iter(())

    def free(self) -> int:
        """Return a port on loopback where nothing listens."""
        if self._lock is None:
            self._claim()
        for port in itertools.islice(self._numbers, BLOCK_SIZE):
            if _unused(port):
                return port
        raise AssertionError(f"something listens on all {BLOCK_SIZE} ports of this run")

    def close(self) -> None:
        """Leave the block to another run."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _claim(self) -> None:
        self._directory.mkdir(exist_ok=True)
        for block in range(BLOCKS):
            lock = os.open(self._directory / f"block-{block}", os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            first = FIRST + block * BLOCK_SIZE
            self._lock, self._numbers = lock, itertools.cycle(range(first, first + BLOCK_SIZE))
            return
        raise AssertionError(f"{BLOCKS} runs of the tests hold all ports: {self._directory}")


def _unused(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_of_this_process = Ports(Path(tempfile.gettempdir()) / "vomind-queue-ports")


def free_port() -> int:
    """Return a TCP port on loopback that nothing listens on, and that no other run is given."""
    return _of_this_process.free()
