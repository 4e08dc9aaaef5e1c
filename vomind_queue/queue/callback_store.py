"""What becomes of placed calls: reports come in, and calls are handed out to be asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vomind_queue.calls.attempts import Accepted
from vomind_queue.calls.call_status import CallbackResult, Followed, Hearing, OutcomePolicy, Report
from vomind_queue.queue import keys
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.queue.worker_queue import WorkerQueue

#: How long a call that was handed out is left to whoever has it, ms; also the wait after Twilio
#: could not answer.
FOLLOW_LEASE_MS = 60_000
#: Calls handed out at once, and the time between two such answers over all workers, ms: ten
#: requests a second are far below what Twilio refuses.
FOLLOWED_AT_ONCE = 10
FOLLOW_PACE_MS = 1_000
#: How long a stray is left to whoever ends it, ms; also the wait before the next try.
STRAY_LEASE_MS = 5_000
STRAYS_AT_ONCE = 5


class CallbackStore:
    """Everything is safe to repeat, and may raise StoreUnavailable."""

    def __init__(self, gate: RedisStore, desk: WorkerQueue, policy: OutcomePolicy) -> None:
        self._gate = gate
        self._desk = desk
        self._sid_ttl_ms = desk.protocol.sid_ttl_ms
        self._policy = policy

    def report(
        self, job_id: str, token: str, report: Report, *, look_ms: int, price_ms: int
    ) -> CallbackResult:
        """Takes in what Twilio says of an attempt's call.

        ``look_ms``: when to ask for it while it is not over, ms from now; ``price_ms``: when to
        ask for its price once it is over. 0 for never.
        """
        policy = self._policy
        answer = self._gate.write(
            "report",
            [keys.ACTIVE],
            job_id,
            token,
            report.sid,
            report.status or "",
            report.status.rank if report.status else 0,
            *map(_text, (report.sequence, report.duration_s, report.answered_by, report.sip_code)),
            *map(_text, (report.price, report.price_unit)),
            json.dumps(list(policy.retry_on)),
            policy.delay_ms,
            policy.most,
            look_ms,
            price_ms,
            self._sid_ttl_ms,
        )
        hearing = Hearing(Code(answer[0]).name.lower())
        if hearing is not Hearing.OK:
            return CallbackResult(hearing=hearing)
        status, moved, repeated, request_id = answer[2:]
        return CallbackResult(
            hearing=hearing,
            status=status,
            moved=bool(moved),
            repeated=bool(repeated),
            request_id=request_id or None,
        )

    def knows(self, job_id: str, token: str) -> bool:
        """Whether that token was given to an attempt at that call."""
        return bool(self._gate.read("expected", [keys.ACTIVE], job_id, token)[0])

    def settle(self, job_id: str, token: str, sid: str) -> None:
        """Evidence that an attempt whose outcome is not written yet did place that call."""
        self._desk.complete(job_id, token, Accepted(sid=sid, status="queued"))

    def silent(self) -> list[Followed]:
        """Calls that Twilio is to be asked for, leased to the caller; paced over all workers."""
        _, *flat = self._gate.write(
            "follow", [keys.FOLLOWING], FOLLOWED_AT_ONCE, FOLLOW_LEASE_MS, FOLLOW_PACE_MS
        )
        return [
            Followed(job_id=job_id, token=token, sid=sid, looks=int(looks) + 1, over=bool(over))
            for job_id, token, sid, looks, over in zip(*[iter(flat)] * 5, strict=True)
        ]

    def strays(self) -> Sequence[str]:
        """SIDs of calls to be ended at Twilio, leased to the caller."""
        _, *sids = self._gate.write("strays", [keys.STRAYS], STRAYS_AT_ONCE, STRAY_LEASE_MS)
        return sids

    def ended(self, sid: str) -> None:
        """A stray is no more."""
        with translate_errors(writes=True):
            self._gate.client.zrem(keys.STRAYS, sid)


def _text(value: object) -> str:
    return "" if value is None else str(value)
