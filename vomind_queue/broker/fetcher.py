"""Fetches calls for a worker.

A check of the queue claims as many calls as the worker has free slots, and returns when the next
one is due. In between the worker sleeps: until that time, until one of its calls ends, or until
another process notifies it. All checks run in the event loop, which a `Notifier` wakes.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any, Protocol

import redis

from vomind_queue.broker.names import CALL_QUEUES
from vomind_queue.calls.decisions import Claim
from vomind_queue.errors import StoreUnavailable
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.queue.worker_queue import WorkerQueue

logger = logging.getLogger(__name__)

#: The longest time between two checks, s: a worker that was not notified sees it then.
IDLE_FETCH_S = 5.0
#: The wait after a check that failed, other than by a lost connection, s.
FAILED_FETCH_WAIT_S = 1.0
#: How long a worker leaves a notification to the others that it was meant for, s.
PASS_ON_S = 0.1
#: How long one wait for a notification lasts on the server, s.
LISTEN_WAIT_S = 5
#: How long it may take in all before the connection counts as dead, s.
LISTEN_TIMEOUT_S = LISTEN_WAIT_S + 3.0
#: Time between two tries to wait for a notification while Redis is unreachable, s.
LISTEN_RETRY_S = 0.5


class Notifier:
    """A pair of sockets: any thread writes to one, the event loop reads from the other.

    The event loop itself, in which Celery acknowledges calls, needs none to be told.
    """

    def __init__(self) -> None:
        #: Whether a notice has been written and not been taken in: one is enough.
        self._noticed = False
        #: The thread of the event loop, and what it is told by.
        self._loop_thread = 0
        self._tell: Callable[[], None] | None = None

    def serve_this_thread(self, tell: Callable[[], None]) -> None:
        """Take the calling thread for that of the event loop, which is told by ``tell``."""
        self._loop_thread = threading.get_ident()
        self._tell = tell

    def notify(self) -> None:
        """Wake the event loop; from any thread."""
        if self._tell is not None and threading.get_ident() == self._loop_thread:
            self._tell()
            return
        if self._noticed:
            return
        self._noticed = True
        # A full buffer is a notice that has not been read yet; a closed one, the worker's end.
        with suppress(OSError):
            self._sockets[1].send(b"\0")

    def fileno(self) -> int:
        """Return the descriptor that is readable after a notice."""
        return self._sockets[0].fileno()

    def clear(self) -> None:
        """Take in all notices so far; what they are about has to be looked for after this."""
        with suppress(BlockingIOError):
            self._sockets[0].recv(4096)
        # Not before: the notice of one who writes in between would be gone, and be waited for.
        self._noticed = False

    def close(self) -> None:
        """Wake nothing more."""
        for end in self._sockets:
            end.close()

    @cached_property
    def _sockets(self) -> tuple[socket.socket, socket.socket]:
        # Opened on first use: most programs that load the application never run a worker.
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        return reader, writer


class NotificationListener:
    """A thread that waits for one notification at a time and passes it on to the event loop.

    Not kombu's own BRPOP: that one stops reading while the worker is full, and would keep to
    itself a notification that was meant for another worker with a free slot.
    """

    def __init__(self, store: RedisStore, notifier: Notifier) -> None:
        """``store``: used by nothing else, with ``LISTEN_TIMEOUT_S`` for an answer."""
        self._store = store
        self._notifier = notifier
        #: Set while it should wait, and again at the end.
        self._wanted = threading.Event()
        self._closed = threading.Event()
        # A daemon: Redis may not answer for seconds, and must not hold up the exit.
        self._thread = threading.Thread(target=self._run, name="wake", daemon=True)

    def start(self) -> None:
        """Start the thread; it waits for nothing yet."""
        self._thread.start()

    @property
    def listens(self) -> bool:
        """Whether it waits for a notification."""
        return self._wanted.is_set()

    def listen(self) -> None:
        """Wait for one notification, unless it does already."""
        self._wanted.set()

    def close(self) -> None:
        """Wait no more; a wait that the thread is in ends with its connection."""
        self._closed.set()
        self._wanted.set()
        self._store.client.connection_pool.disconnect()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closed.is_set():
            try:
                if self._store.ask("BRPOP", keys.NOTIFY, LISTEN_WAIT_S):
                    self._pass_on()
            except StoreUnavailable:
                self._retry()
            except Exception:
                # A connection that is closed while it is read fails in any way.
                if not self._closed.is_set():
                    logger.exception("wait for a notification failed")
                self._retry()

    def _pass_on(self) -> None:
        # First: a worker that closes from here on sets both, and this thread sees one of them.
        self._wanted.clear()
        if self._closed.is_set():
            # The worker no longer claims calls. The thread must still end.
            self._wanted.set()
            self._store.ask("LPUSH", keys.NOTIFY, "1")
            return
        self._notifier.notify()

    def _retry(self) -> None:
        # The event loop checks the queue, and learns whether Redis is reachable.
        self._notifier.notify()
        self._closed.wait(LISTEN_RETRY_S)


class Feed(Protocol):
    """What a fetcher needs of a channel."""

    @property
    def qos(self) -> Any: ...
    @property
    def call_queues(self) -> list[str]: ...
    def deliver(self, claim: Claim) -> None: ...
    def give_up(self, claim: Claim) -> None: ...


class Fetcher:
    """Feeds one channel with calls, in the thread of the event loop."""

    def __init__(
        self,
        channel: Feed,
        hub: Any,
        *,
        worker_queue: WorkerQueue,
        notifier: Notifier,
        listener_store: RedisStore,
    ) -> None:
        """``listener_store``: over which a `NotificationListener` waits."""
        self._channel = channel
        self._worker_queue = worker_queue
        self._notifier = notifier
        self._hub = hub
        self._closed = False
        self._timer: Any = None
        #: When the timer rings, on the monotonic clock.
        self._due_s = 0.0
        #: Whether there is a check before the next wait.
        self._looks_soon = False
        self._listener = NotificationListener(listener_store, notifier)
        self._listener.start()
        notifier.serve_this_thread(self._look_soon)
        hub.add_reader(notifier.fileno(), self._on_notice)

    def close(self) -> None:
        """Take nothing more in."""
        self._closed = True
        self._stop_timer()
        self._hub.remove_reader(self._notifier.fileno())
        self._listener.close()

    def _on_notice(self) -> None:
        # First, so that a notice during the check brings another one.
        self._notifier.clear()
        self._check_queue()

    def _look_soon(self) -> None:
        # By a timer, and so once for all calls that were acknowledged since the last wait. Right
        # after its timers the loop decides how long to wait: what is found later, it oversleeps.
        if not self._looks_soon:
            self._looks_soon = True
            self._hub.call_later(0, self._on_look)

    def _on_look(self) -> None:
        self._looks_soon = False
        self._check_queue()

    def _check_queue(self) -> None:
        if self._closed:
            return
        wait_s = FAILED_FETCH_WAIT_S
        try:
            wait_s = self._fetch()
        except StoreUnavailable as error:
            # Celery reconnects to a broker that is lost.
            raise redis.ConnectionError(str(error)) from error
        except Exception:
            logger.exception("check of the queue failed")
        finally:
            # Whatever went wrong, there is a next check.
            self._check_in(wait_s)

    def _check_in(self, seconds: float) -> None:
        due_s = time.monotonic() + seconds
        if self._closed or (self._timer is not None and self._due_s <= due_s):
            # The one that is set comes sooner, and learns when the next is due.
            return
        self._stop_timer()
        self._due_s = due_s
        self._timer = self._hub.call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._check_queue()

    def _fetch(self) -> float:
        """Take calls for all free slots; return how long to wait for the next check, s."""
        queues = self._channel.call_queues
        if not queues:
            return IDLE_FETCH_S
        ranks = "".join(str(CALL_QUEUES[queue].rank) for queue in queues)
        found = self._worker_queue.claim(self._free_slots(), ranks)
        for claim in found.calls:
            self._deliver(claim)
        if self._free_slots():
            # A full worker must not swallow a notification that another one could act on.
            self._listen_in(PASS_ON_S if found.passed_on else 0.0)
        wait_s = IDLE_FETCH_S if found.next_ms is None else found.next_ms / 1000
        return min(wait_s, IDLE_FETCH_S)

    def _listen_in(self, seconds: float) -> None:
        if seconds and not self._listener.listens:
            self._hub.call_later(seconds, self._listener.listen)
        else:
            self._listener.listen()

    def _deliver(self, claim: Claim) -> None:
        try:
            self._channel.deliver(claim)
        except Exception:
            # Held and renewed, but never run: nobody else would ever get it.
            logger.exception("call not handed over", extra={"job_id": claim.job_id})
            self._channel.give_up(claim)

    def _free_slots(self) -> int:
        qos = self._channel.qos
        # Calls of a channel that a reconnect has closed are held still.
        held: int = max(len(self._worker_queue.leases), qos.unacknowledged())
        slots: int = qos.prefetch_count
        return max(0, slots - held)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
