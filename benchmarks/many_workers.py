"""Many of our workers, forked from one process that has everything imported already.

``python -m benchmarks.many_workers 100``. Each is a whole worker, as one that was started alone.
"""

from __future__ import annotations

import os
import signal
import sys

import celery.apps.worker
import celery.bin.worker
import celery.worker.consumer  # noqa: F401

import vomind_queue.processes.worker
from benchmarks.null_worker import NullDialer


def main() -> None:
    """Fork so many and end them on SIGTERM."""
    children = [_fork(number) for number in range(1, int(sys.argv[1]) + 1)]
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    for child in children:
        os.kill(child, signal.SIGKILL)


def _fork(number: int) -> int:
    child = os.fork()
    if child:
        return child
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    app = vomind_queue.processes.worker.create_app(dialer=NullDialer())
    app.worker_main(["--quiet", "worker", "-n", f"worker{number}@%h"])
    sys.exit(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
