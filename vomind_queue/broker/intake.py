"""Takes calls in.

A look at the queue takes as many calls as the worker has free slots and says
when the next look is due. In between the worker sleeps: until that time, until
one of its calls is done, or until somebody leaves a word under the wake key.

A thread whose call is done goes on with the next one by itself: that is taken when the
outcome of the first is written, in one go, or the thread looks. All other looks are the
event loop's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import redis

from vomind_queue.broker.link import Link
from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.broker.wake import WakeListener
from vomind_queue.errors import StoreUnavailable
from vomind_queue.store.desk import Intake as Found
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
    def deliver(self, taken: Taken) -> None: ...
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
        #: Whether the event loop was asked for a look that it has not begun.
        self._woken = False
        #: When the timer rings, on the monotonic clock.
        self._due_s = 0.0
        #: Held by who looks.
        self._turn = threading.Lock()
        #: Looks that were begun so far.
        self._looks = 0
        self._slot = link.slot
        # Acknowledgements may come by a channel that was closed in a reconnect.
        link.desk.on_free = self._wake
        link.counter.on_idle = self.refill
        link.desk.wants_next = self._wants_next
        link.desk.on_next = self._note_next
        self._listener = WakeListener(link.desk.waker, hub, self.soon)
        self._extend_timer = hub.call_repeatedly(
            link.desk.protocol.lease_ms / 3000, self._guarded, self._desk.extend
        )

    def soon(self) -> None:
        """Looks at the queue in this or the next turn of the event loop; called there."""
        if not self._soon and not self._closed:
            self._soon = True
            self._look_in(0.0)

    def refill(self) -> None:
        """Goes on in the thread that calls; a slot's, that has become free."""
        found: Found | None = getattr(self._slot, "found", None)
        try:
            wait_s = self._refill() if found is None else self._use(found, self._in_hub)
        except StoreUnavailable:
            # The event loop tries the same, and tells Celery what comes of it.
            self._wake()
            return
        finally:
            self._slot.found = None
        if wait_s is not None and time.monotonic() + wait_s < self._due_s:
            self._in_hub(self._look_in, wait_s)

    def _refill(self) -> float | None:
        known = self._looks
        with self._turn:
            # A look that was begun since then knew of this slot.
            if self._closed or self._looks != known or not self._free_slots():
                return None
            return self._take_in(self._in_hub)

    def _wants_next(self) -> str:
        if self._closed:
            return ""
        qos = self._channel.qos
        # The slot of the call that ends is counted still; the next one comes in its place.
        full = max(len(self._desk.book), qos.unacknowledged()) > qos.prefetch_count
        return "" if full else self._ranks()

    def _note_next(self, found: Found) -> None:
        self._slot.found = found

    def close(self) -> None:
        """Takes nothing more in."""
        self._closed = True
        for timer in (self._timer, self._extend_timer):
            if timer is not None:
                timer.cancel()
        self._listener.close()

    def _wake(self) -> None:
        """Looks soon; from any thread."""
        if not self._woken:
            self._woken = True
            self._in_hub(self.soon)

    def _in_hub(self, step: Callable[..., None], *args: Any) -> None:
        # By a timer: in a timer Celery takes an error for what it is.
        self._hub.call_soon(self._hub.call_later, 0.0, self._guarded, step, *args)

    def _look_in(self, seconds: float) -> None:
        if self._soon and seconds:
            # A look is about to come, and says when the next one is due.
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = time.monotonic() + seconds
        self._timer = self._hub.call_later(seconds, self._guarded, self._look)

    def _guarded(self, step: Callable[..., None], *args: Any) -> None:
        if self._closed:
            return
        try:
            step(*args)
        except StoreUnavailable as error:
            # Told to Celery as what it is: a lost broker, to be reconnected to.
            raise redis.ConnectionError(str(error)) from error

    def _look(self) -> None:
        self._soon = self._woken = False
        self._timer = None
        wait_s = FAILED_LOOK_S
        try:
            with self._turn:
                wait_s = self._take_in(_at_once)
        finally:
            # Whatever went wrong, there is a next look.
            if not self._soon and not self._closed:
                self._look_in(wait_s)

    def _take_in(self, in_hub: Callable[..., None]) -> float:
        """One look; answers how long to wait for the next, s.

        ``in_hub`` does in the event loop what has to be done there.
        """
        ranks = self._ranks()
        if not ranks:
            return IDLE_LOOK_S
        self._looks += 1
        return self._use(self._desk.take(self._free_slots(), ranks), in_hub)

    def _use(self, found: Found, in_hub: Callable[..., None]) -> float:
        for taken in found.calls:
            self._deliver(taken)
        if self._free_slots() and not self._listener.listens:
            # A full worker must not swallow a word that another one could act on.
            in_hub(self._listen_in, PASS_ON_S if found.passed_on else 0.0)
        wait_s = IDLE_LOOK_S if found.next_ms is None else found.next_ms / 1000
        return min(wait_s, IDLE_LOOK_S)

    def _ranks(self) -> str:
        return "".join(str(CALL_QUEUES[queue].rank) for queue in self._channel.call_queues)

    def _listen_in(self, seconds: float) -> None:
        if seconds:
            self._hub.call_later(seconds, self._guarded, self._listener.listen)
        else:
            self._listener.listen()

    def _deliver(self, taken: Taken) -> None:
        try:
            if self._closed:
                self._channel.give_up(taken.job_id, taken.lease)
            else:
                self._channel.deliver(taken)
        except Exception:
            # Held and renewed, but never run: nobody else would ever get it.
            logger.exception("a call could not be handed over", extra={"job_id": taken.job_id})
            self._channel.give_up(taken.job_id, taken.lease)

    def _free_slots(self) -> int:
        qos = self._channel.qos
        held: int = max(len(self._desk.book), qos.unacknowledged())
        slots: int = qos.prefetch_count
        return max(0, slots - held)


def _at_once(step: Callable[..., None], *args: Any) -> None:
    step(*args)
