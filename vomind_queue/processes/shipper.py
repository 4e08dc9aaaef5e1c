"""The shipper process: it delivers what happened to the call log.

``python -m vomind_queue.processes.shipper`` starts it.

Two of them may run: one is active, the other takes over when it is gone.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

from vomind_queue.config.loading import load_or_exit
from vomind_queue.container.log_services import build_relay, log_place
from vomind_queue.container.web_services import check_store
from vomind_queue.observability import logs
from vomind_queue.usecases.outbox_relay import Interrupted

logger = logging.getLogger(__name__)


def main() -> None:
    """Deliver until SIGTERM or Ctrl-C."""
    settings = load_or_exit()
    logs.configure(settings)
    if fault := check_store(settings):
        sys.exit(fault)
    stopped = threading.Event()
    shipping = build_relay(settings)

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        shipping.interrupt()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logger.info("shipper started", extra={"log": log_place(settings)})
    with suppress(Interrupted):
        shipping.run(stopped)
    logger.info("shipper stopped")


if __name__ == "__main__":
    main()
