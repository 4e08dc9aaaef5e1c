"""What becomes of placed calls: status callbacks come in, and calls are handed out to be polled."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call_status import (
    CallbackResult,
    OutcomePolicy,
    PolledCall,
    StatusUpdate,
    UpdateOutcome,
)
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.worker_queue import WorkerQueue

#: How long a call that was handed out is left to its worker, ms; also the wait after Twilio could
#: not answer.
POLL_LEASE_MS = 60_000
#: Calls handed out at once, and the time between two such answers over all workers, ms: ten
#: requests a second are far below what Twilio refuses.
POLLED_AT_ONCE = 10
POLL_PACE_MS = 1_000
#: How long an orphaned call is left to the worker that ends it, ms; also the wait before the next
#: try.
ORPHAN_LEASE_MS = 5_000
ORPHANS_AT_ONCE = 5


class CallbackStore:
    """Everything is safe to repeat, and may raise StoreUnavailable."""

    def __init__(self, store: RedisStore, worker_queue: WorkerQueue, policy: OutcomePolicy) -> None:
        self._store = store
        self._worker_queue = worker_queue
        self._sid_ttl_ms = worker_queue.protocol.sid_ttl_ms
        self._number_gap_ms = worker_queue.protocol.number_gap_ms
        self._talks_kept = worker_queue.protocol.talks_kept
        self._policy = policy

    def record(
        self, job_id: str, token: str, update: StatusUpdate, *, poll_ms: int, price_ms: int
    ) -> CallbackResult:
        """Record what Twilio says of an attempt's call.

        ``look_ms``: when to ask for it while it is not over, ms from now; ``price_ms``: when to
        ask for its price once it is over. 0 for never.
        """
        policy = self._policy
        answer = self._store.write(
            "status_callback",
            [keys.ACTIVE],
            job_id,
            token,
            update.sid,
            update.status or "",
            update.status.rank if update.status else 0,
            *map(_text, (update.sequence, update.duration_s, update.answered_by, update.sip_code)),
            *map(_text, (update.price, update.price_unit)),
            json.dumps(list(policy.retry_on)),
            policy.delay_ms,
            policy.most,
            poll_ms,
            price_ms,
            self._sid_ttl_ms,
            *((update.recording.sid, update.recording.url) if update.recording else ("", "")),
            self._number_gap_ms,
            self._talks_kept,
        )
        outcome = UpdateOutcome(Code(answer[0]).name.lower())
        if outcome is not UpdateOutcome.OK:
            return CallbackResult(outcome=outcome)
        status, moved, repeated, request_id = answer[2:]
        return CallbackResult(
            outcome=outcome,
            status=status,
            moved=bool(moved),
            repeated=bool(repeated),
            request_id=request_id or None,
        )

    def has_token(self, job_id: str, token: str) -> bool:
        """Return whether that token was given to an attempt at that call."""
        return bool(self._store.read("has_token", [keys.ACTIVE], job_id, token)[0])

    def reconcile(self, job_id: str, token: str, sid: str) -> None:
        """Record evidence that an attempt whose outcome is not written yet did place that call."""
        self._worker_queue.complete(job_id, token, Accepted(sid=sid, status="queued"))

    def due_status_polls(self) -> list[PolledCall]:
        """Return calls to be polled, leased to the caller; paced over all workers."""
        _, *flat = self._store.write(
            "due_status_polls", [keys.STATUS_POLLS], POLLED_AT_ONCE, POLL_LEASE_MS, POLL_PACE_MS
        )
        return [
            PolledCall(job_id=job_id, token=token, sid=sid, polls=int(polls) + 1, over=bool(over))
            for job_id, token, sid, polls, over in zip(*[iter(flat)] * 5, strict=True)
        ]

    def due_orphans(self) -> Sequence[str]:
        """Return SIDs of calls to be ended at Twilio, leased to the caller."""
        _, *sids = self._store.write(
            "orphaned_calls", [keys.ORPHANS], ORPHANS_AT_ONCE, ORPHAN_LEASE_MS
        )
        return sids

    def orphan_ended(self, sid: str) -> None:
        """Forget an orphaned call that was ended."""
        with translate_errors(writes=True):
            self._store.client.zrem(keys.ORPHANS, sid)


def _text(value: object) -> str:
    return "" if value is None else str(value)
