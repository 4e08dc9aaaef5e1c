"""Takes calls in, in the worker's event loop.

A look at the queue takes as many calls as the worker has free slots and says
when the next look is due. In between the worker sleeps: until that time, until
one of its calls is done, or until somebody leaves a word under the wake key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import redis

from vomind_queue.broker.link import Link
from vomind_queue.broker.messages import message_of
from vomind_queue.broker.names import CALL_QUEUES, QUEUE_OF_RANK
from vomind_queue.broker.wake import WakeListener
from vomind_queue.errors import StoreUnavailable
from vomind_queue.store.desk import Taken

logger = logging.getLogger(__name__)

#: The longest time without a look, s: a worker that was not told something sees it then.
IDLE_LOOK_S = 5.0
#: The wait after a look that failed for another cause than a lost connection, s.
FAILED_LOOK_S = 1.0
#: How long a worker leaves a word to the others that it was meant for, s.
PASS_ON_S = 0.1


class Feed(Protocol):
    """What an intake needs of a channel."""

    @property
    def qos(self) -> Any: ...
    @property
    def call_queues(self) -> list[str]: ...
    def deliver(self, queue: str, message: dict[str, Any]) -> None: ...
    def give_up(self, job_id: str, lease: str) -> None: ...


class Intake:
    """Feeds one channel with calls."""

    def __init__(self, channel: Feed, link: Link, hub: Any) -> None:
        self._channel = channel
        self._desk = link.desk
        self._hub = hub
        self._closed = False
        self._timer: Any = None
        self._soon = False
        # Acknowledgements may come by a channel that was closed in a reconnect.
        link.desk.on_free = self.soon
        self._listener = WakeListener(link.desk.waker, hub, self.soon)
        self._extend_timer = hub.call_repeatedly(
            link.desk.protocol.lease_ms / 3000, self._guarded, self._desk.extend
        )

    def soon(self) -> None:
        """Looks at the queue in this or the next turn of the event loop."""
        if not self._soon and not self._closed:
            self._soon = True
            self._look_in(0.0)

    def close(self) -> None:
        """Takes nothing more in."""
        self._closed = True
        for timer in (self._timer, self._extend_timer):
            if timer is not None:
                timer.cancel()
        self._listener.close()

    def _look_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._hub.call_later(seconds, self._guarded, self._look)

    def _guarded(self, step: Callable[[], None]) -> None:
        if self._closed:
            return
        try:
            step()
        except StoreUnavailable as error:
            # Told to Celery as what it is: a lost broker, to be reconnected to.
            raise redis.ConnectionError(str(error)) from error

    def _look(self) -> None:
        self._soon = False
        self._timer = None
        wait_s = FAILED_LOOK_S
        try:
            wait_s = self._take_in()
        finally:
            # Whatever went wrong, there is a next look.
            if not self._soon and not self._closed:
                self._look_in(wait_s)

    def _take_in(self) -> float:
        """One look; answers how long to wait for the next, s."""
        queues = self._channel.call_queues
        if not queues:
            return IDLE_LOOK_S
        ranks = "".join(str(CALL_QUEUES[queue].rank) for queue in queues)
        intake = self._desk.take(self._free_slots(), ranks)
        for taken in intake.calls:
            self._deliver(taken)
        if self._free_slots():
            # A full worker must not swallow a word that another one could act on.
            self._listen_in(PASS_ON_S if intake.passed_on else 0.0)
        wait_s = IDLE_LOOK_S if intake.next_ms is None else intake.next_ms / 1000
        return min(wait_s, IDLE_LOOK_S)

    def _listen_in(self, seconds: float) -> None:
        if seconds:
            self._hub.call_later(seconds, self._guarded, self._listener.listen)
        else:
            self._listener.listen()

    def _deliver(self, taken: Taken) -> None:
        try:
            self._channel.deliver(QUEUE_OF_RANK[taken.rank], message_of(taken))
        except Exception:
            # Held and renewed, but never run: nobody else would ever get it.
            logger.exception("a call could not be handed over", extra={"job_id": taken.job_id})
            self._channel.give_up(taken.job_id, taken.lease)

    def _free_slots(self) -> int:
        qos = self._channel.qos
        slots: int = qos.prefetch_count
        unacknowledged: int = slots - qos.can_consume_max_estimate()
        return max(0, slots - max(len(self._desk.book), unacknowledged))
