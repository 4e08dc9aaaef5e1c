"""Celery on Redis as it comes. ``celery -A benchmarks.baselines.stock worker --pool threads``."""

from __future__ import annotations

import os

from celery import Celery

from benchmarks.baselines.trace import work

#: The task's name.
TASK = "place_call"


def create_app(broker: str | None, *, acks_late: bool) -> Celery:
    """Return the application.

    Without ``acks_late``, which is Celery's default, a started task is forgotten.
    """
    made = Celery("stock", broker=broker, set_as_current=False)
    made.conf.update(
        task_ignore_result=True,
        task_acks_late=acks_late,
        broker_connection_retry_on_startup=True,
    )
    made.task(name=TASK)(place_call)
    return made


def place_call(number: int, call: dict[str, object], ms: float = 0) -> None:  # noqa: ARG001
    """Take the call that ours takes, and do as much with it."""
    work(number, ms)


app = create_app(os.environ.get("BENCH_BROKER"), acks_late=os.environ.get("BENCH_ACKS_LATE") == "1")
