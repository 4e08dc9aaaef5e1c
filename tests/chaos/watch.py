"""``python -m tests.chaos.watch URL``: how long GET takes, by a client that does nothing else.

Asks again and again until its input ends; then prints all durations, in seconds, as JSON. A
separate process: a thread would wait while its process is busy.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time

import requests

from tests.stack import ROOT

#: Pauses between two requests, s.
PAUSE_S = (0.005, 0.03)


def start(url: str) -> subprocess.Popen[str]:
    """Return one such client that has begun; `stop` ends it."""
    command = [sys.executable, "-m", "tests.chaos.watch", url]
    watcher = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert watcher.stdout is not None
    assert watcher.stdout.readline() == "begun\n"
    return watcher


def stop(watcher: subprocess.Popen[str]) -> list[float]:
    """Return what it measured, s."""
    printed, _ = watcher.communicate(timeout=30)
    durations: list[float] = json.loads(printed)
    return durations


def main() -> None:
    """Measure until the input ends."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    took: list[float] = []
    with requests.Session() as session:
        print("begun", flush=True)
        while not took or not over.wait(random.uniform(*PAUSE_S)):
            began = time.monotonic()
            session.get(sys.argv[1], timeout=10).raise_for_status()
            took.append(time.monotonic() - began)
    print(json.dumps(took))


if __name__ == "__main__":
    main()
