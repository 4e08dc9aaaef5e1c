"""Remote-control commands that Celery's own versions would do harm by, or break off.

Celery logs a traceback for a command that raises; an answer says the same to the operator.
"""

from __future__ import annotations

import logging
from typing import Any

from celery.worker import control
from celery.worker import state as worker_state
from kombu.utils.functional import maybe_list

from vomind_queue.broker.names import CALL_QUEUES

logger = logging.getLogger(__name__)

_SLOTS_ARE_FIXED = (
    "The number of slots is fixed: set CALL_WORKER_CONCURRENCY and restart the worker."
)


def install() -> None:
    """Put our versions in the place of Celery's, for this process."""
    control.Panel.data.update(
        revoke=revoke,
        cancel_consumer=cancel_consumer,
        pool_grow=resize,
        pool_shrink=resize,
        pool_restart=resize,
        autoscale=resize,
    )


def cancel_consumer(state: Any, queue: str, **options: Any) -> Any:
    """Return a worker that takes no calls would look well while they wait for ever."""
    if queue in CALL_QUEUES:
        return _refused(
            f"{queue} holds calls and is always consumed from; "
            "to stop calls, pause the queue: POST /api/queue/pause or `vomind-queue pause`."
        )
    return control.cancel_consumer(state, queue, **options)


def revoke(state: Any, task_id: Any, **options: Any) -> Any:
    """Revoke as Celery does, but ends no task that runs: no thread can be ended from outside."""
    terminate = options.pop("terminate", False)
    answer = control.revoke(state, task_id, **options)
    running = {request.id for request in worker_state.active_requests}
    under_way = sorted(running.intersection(maybe_list(task_id) or []))
    if not terminate or not under_way:
        return answer
    return _refused(f"Under way, and not to be ended by this: {', '.join(under_way)}.")


def resize(*_: Any, **__: Any) -> Any:
    """Refuses, whatever was asked for: threads that run are never taken away."""
    return _refused(_SLOTS_ARE_FIXED)


def _refused(words: str) -> Any:
    logger.warning("an operator's command was refused: %s", words)
    return control.nok(words)
