"""The process that reads or accepts one large list; a web process starts it, and it ends with that.

``python -m vomind_queue.processes.list_reader CAMPAIGN LIST TOKEN``

It takes only what calls leave of the machine's time, and a bounded part of its memory.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
from contextlib import suppress

from vomind_queue.api.list_judging import ListJudge
from vomind_queue.config.loading import load_or_exit
from vomind_queue.config.settings import Settings
from vomind_queue.container.log_services import open_log
from vomind_queue.container.web_services import build_on
from vomind_queue.errors import ListNotFound, StoreUnavailable
from vomind_queue.observability import logs
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.usecases.read_large_list import ReadLargeList, Superseded

logger = logging.getLogger(__name__)

#: Memory, bytes: several times what the longest list takes.
MOST_MEMORY = 2 << 30
#: Calls and requests go first, but it goes on under any load.
NICENESS = 10
#: The pipe from the web process.
_STDIN = 0


def main() -> None:
    """Do the work; end with 1 where Redis went away in between."""
    settings = load_or_exit()
    logs.configure(settings)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work = _work(settings, *sys.argv[1:4])
    stopped = threading.Event()
    threading.Thread(target=_keep_noting, args=(work, stopped), daemon=True).start()
    try:
        with suppress(Superseded, ListNotFound):
            work.run()
    except StoreUnavailable as error:
        logger.warning("list left for another try: %s", error)
        sys.exit(1)
    finally:
        stopped.set()


def _work(settings: Settings, campaign_id: str, list_id: str, token: str) -> ReadLargeList:
    # Nobody waits for an answer here: Redis may take as long as for a worker.
    client = connect(settings.redis_url, timeout_s=WORKER_TIMEOUT_S)
    services = build_on(RedisStore(client, settings.outbox_max), settings, open_log(settings))
    judge = ListJudge(services)
    return ReadLargeList(
        services.list_work,
        services.lists,
        judge.judge,
        judge.hints,
        campaign_id=campaign_id,
        list_id=list_id,
        token=token,
    )


def _keep_noting(work: ReadLargeList, stopped: threading.Event) -> None:
    """Show that the work goes on; end the process once it is not wanted any more."""
    try:
        work.keep_noting(stopped)
    except (Superseded, ListNotFound):
        os._exit(0)


def _end_with_parent() -> None:
    """End with the web process, as its end of the pipe does: nobody would wait for this one."""
    # Not `sys.stdin`: Python aborts at its exit where a thread reads that.
    while os.read(_STDIN, 1):
        continue
    os._exit(1)


if __name__ == "__main__":
    main()
