"""Start a process for each large list, one at a time: reading takes all of a core for a while."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from vomind_queue.errors import QueueError, StoreUnavailable

logger = logging.getLogger(__name__)

#: What such a process runs.
MODULE = "vomind_queue.processes.list_reader"
#: How often it is started where it ends by itself, and the wait before the next time, s.
MOST_STARTS = 3
RETRY_S = 1.0
#: Between two signs of life of what waits, s: far less than `list_work.PATIENCE_MS`.
NOTE_S = 10.0
#: Variables of a web process that are not for others.
_OWN = ("PROMETHEUS_MULTIPROC_DIR",)


class ListProcesses:
    """Those of one web process. They end with it; their work goes on when somebody asks for it."""

    def __init__(self, note: Callable[[str, str], object]) -> None:
        """``note``: notes by list and token that work goes on, though it only waits so far."""
        self._note = note
        self._wanted: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self._waiting: deque[tuple[str, str, str]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, campaign_id: str, list_id: str, token: str) -> None:
        """Have that work done as soon as the work before has ended."""
        with self._lock:
            self._waiting.append((campaign_id, list_id, token))
            self._wanted.put((campaign_id, list_id, token))
            if self._thread is None:
                # A daemon: what it waits for ends with this process.
                self._thread = threading.Thread(target=self._run, name="lists", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        stopped = threading.Event()
        while True:
            work = self._wanted.get()
            self._waiting.popleft()
            for _ in range(MOST_STARTS):
                status = self._run_once(work)
                if status == 0:
                    break
                logger.warning(
                    "reading of a list broke off", extra={"list_id": work[1], "status": status}
                )
                stopped.wait(RETRY_S)

    def _run_once(self, work: tuple[str, str, str]) -> int:
        """Return the status with which the process ended."""
        environ = {name: value for name, value in os.environ.items() if name not in _OWN}
        command = [sys.executable, "-m", MODULE, *work]
        try:
            # It ends when its standard input does, as that does with this process.
            with subprocess.Popen(command, stdin=subprocess.PIPE, env=environ) as process:  # noqa: S603
                return self._wait_for(process)
        except OSError:
            logger.exception("no process for a list could be started")
            return -1

    def _wait_for(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(NOTE_S)
            except subprocess.TimeoutExpired:
                self._note_waiting()

    def _note_waiting(self) -> None:
        """Otherwise what waits would count as broken off, and be begun again until given up."""
        for _, list_id, token in list(self._waiting):
            with suppress(QueueError, StoreUnavailable):
                self._note(list_id, token)
