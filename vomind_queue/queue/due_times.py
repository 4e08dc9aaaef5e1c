"""When background work is due: what waits for a time, and what is done as a worker starts."""

from __future__ import annotations

from vomind_queue.observability.redis_memory import Memory, MemoryWatch
from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore, connect, translate_errors
from vomind_queue.queue.held_calls import HeldCalls
from vomind_queue.queue.worker_report import WorkerReport

#: The names of what becomes due, in the order in which the script returns them.
RECONCILIATIONS, STATUS_POLLS, ORPHANS, VOICEMAILS, EXPIRIES, CANCELLED_CAMPAIGNS = DUTIES = (
    "reconciliations",
    "status polls",
    "orphaned calls",
    "voicemails",
    "expiries",
    "cancelled campaigns",
)
#: What is due as a worker starts, and when a rule was loosened.
HELD_CALLS = "held calls"
#: The longest wait on the server, s, and how long after that an answer may be overdue.
WAIT_S, OVERDUE_S = 5.0, 3.0
#: The shortest wait, s: none at all would be for ever.
_LEAST_S = 0.01


class DueTimes:
    """What the store knows of them. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, url: str, held: HeldCalls, report: WorkerReport) -> None:
        """``url``: the same server, for waits on a connection that nothing else uses."""
        self._report = report
        self._held = held
        self._store = store
        self._memory = MemoryWatch()
        self._waiting = connect(url, timeout_s=WAIT_S + OVERDUE_S, max_connections=1)

    def next(self) -> dict[str, float]:
        """Return how long until each thing is due, s; without what never will be by itself."""
        self._report.note()
        _, (used, limit), old_keys, woken, *waits_ms = self._store.read("due", [keys.RECONCILING])
        if old_keys:
            # A process of an older version that is being replaced has written to them.
            self._store.move_old_keys()
        self._memory.note(Memory(used=used, limit=limit))
        found = zip(DUTIES, waits_ms, strict=True)
        once = {HELD_CALLS: 0.0} if self._held.pending or not woken else {}
        return {name: wait_ms / 1000 for name, wait_ms in found if wait_ms >= 0} | once

    def wait(self, seconds: float) -> bool:
        """Wait, for `WAIT_S` at most; true when something may be due sooner than expected."""
        timeout = min(max(seconds, _LEAST_S), WAIT_S)
        with translate_errors(writes=True):
            return self._waiting.blpop([keys.DUE], timeout=timeout) is not None

    def put_back(self) -> None:
        """Leave the notification that ended a wait to another worker."""
        with translate_errors(writes=True):
            self._waiting.lpush(keys.DUE, "1")

    def interrupt(self) -> None:
        """End a wait that another thread is in."""
        self._waiting.connection_pool.disconnect()
