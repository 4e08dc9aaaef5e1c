"""What a task leaves behind for the benchmark: one line in a file, written in one piece."""

from __future__ import annotations

import os
import time
from functools import cache

#: Names the file; without it nothing is written.
TRACE = "BENCH_TRACE"


def note(what: str, number: int) -> None:
    """Write ``what number unix-ms``; what is written survives a kill."""
    if path := os.environ.get(TRACE):
        os.write(_opened(path), f"{what} {number} {time.time() * 1000:.1f}\n".encode())


@cache
def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def work(number: int, ms: float) -> None:
    """A task's body: nothing, or a wait of some ms between two lines."""
    note("start", number)
    if ms:
        time.sleep(ms / 1000)
        note("end", number)
