"""Load on a URL from many connections: wrk (https://github.com/wg/wrk), a separate program.

It takes some 5 µs of CPU for a request, where a client in Python takes 30 and more: on two cores
the load must not be what is measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

#: Requests that get no answer for so long count as errors.
_TIMEOUT = "30s"


def check() -> None:
    """End the program where wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; on Debian and Ubuntu: apt install wrk")


def post(base_url: str, *, connections: int, seconds: float, first: int = 0) -> dict[str, float]:
    """POST /schedule-call again and again, each with the next number after ``first``.

    ``seconds`` are rounded: wrk knows whole ones only. Answers ``rate`` (requests/s), ``p50_ms``,
    ``p99_ms``, ``requests`` and ``errors``.
    """
    length = f"-d{max(1, round(seconds))}s"
    command = ["wrk", "-t1", f"-c{connections}", length, "--timeout", _TIMEOUT]
    command += ["-s", str(Path(__file__).with_name("post.lua"))]
    command += [f"{base_url}/api/queue/schedule-call", "--", str(first)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
