"""Answers to remote control that do not hold up the worker.

kombu tries forever to deliver one. During an outage of Redis that would block the worker's event
loop, which then would not react to SIGTERM either. The caller has given up long before.

Leans on kombu 5.7's ``Mailbox._publish_reply``.
"""

from __future__ import annotations

from typing import Any

from celery.app.control import Control as StockControl
from kombu.pidbox import Mailbox as StockMailbox


class Mailbox(StockMailbox):
    """Tries once; Celery writes down what failed, and makes a new mailbox."""

    def _publish_reply(self, *args: Any, **options: Any) -> None:
        super()._publish_reply(*args, retry_policy={"max_retries": 0}, **options)


class Control(StockControl):
    """Celery's remote control with that mailbox."""

    Mailbox = Mailbox
