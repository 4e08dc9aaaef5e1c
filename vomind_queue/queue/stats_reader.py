"""The numbers of the queue, as a script answers them."""

from __future__ import annotations

from typing import Any

from vomind_queue.calls.call import Priority
from vomind_queue.calls.limits import Pause, Rate
from vomind_queue.observability.queue_stats import (
    OnTheLine,
    OutboxState,
    RateUse,
    Stats,
    Unanswered,
)
from vomind_queue.observability.redis_memory import Memory
from vomind_queue.queue.worker_report import read_report
from vomind_queue.rules.law import HOLDING

#: A scheduler that did not check for this long is gone, ms.
SCHEDULER_GONE_MS = 30_000
#: A call that waits for the do-not-call list asks each second; after so long, ms, none waits.
LIST_MISSING_MS = 10_000


def read_stats(answer: list[Any]) -> Stats:
    """Return what `stats.lua` answered."""
    now, high, normal, low, active, completed, failed, delayed, unknown, workers = answer[:10]
    max_starts, window_ms, used, reset_ms, overridden, breaker, recurring, led, orphans, crowded = (
        map(int, answer[10:20])
    )
    rate_use = None
    if max_starts:
        rate = Rate(max_starts=max_starts, window_ms=window_ms)
        rate_use = RateUse(rate=rate, used=used, reset_ms=reset_ms, overridden=bool(overridden))
    pause = None
    attempts, since, until, oldest = map(int, answer[23])
    dialing, ringing, talking = answer[22]
    if answer[29:]:
        by, at, reason = answer[29:]
        pause = Pause(by=by, at_ms=int(at), reason=reason or None)
    return Stats(
        waiting=high + normal + low,
        active=active,
        completed=completed,
        failed=failed,
        delayed=delayed,
        by_priority={Priority.HIGH: high, Priority.NORMAL: normal, Priority.LOW: low},
        pause=pause,
        rate_use=rate_use,
        circuit_open_until_ms=breaker or None,
        capacity_until_ms=crowded if crowded > now else None,
        unknown_outcomes=unknown,
        unanswered=Unanswered(
            attempts=attempts, since_ms=since or None, reconciled_by_ms=until or None
        ),
        oldest_waiting_ms=oldest or None,
        on_the_line=OnTheLine(dialing=dialing, ringing=ringing, talking=talking),
        orphaned_calls=orphans,
        workers=workers,
        recurring=recurring,
        scheduler_active=now - led <= SCHEDULER_GONE_MS,
        outbox=_outbox(answer[20]),
        held={by: count for by, count in zip(HOLDING, answer[24], strict=True) if count},
        reports=list(map(read_report, answer[25])),
        listed_key=answer[26],
        overridden=answer[27],
        lacks_list=now - answer[28] < LIST_MISSING_MS,
        memory=Memory(used=answer[21][0], limit=answer[21][1]),
    )


def _outbox(answer: list[Any]) -> OutboxState:
    pending, behind_ms, dead, shipping, *lost = answer
    return OutboxState(
        pending=pending,
        behind_ms=behind_ms,
        dead=dead,
        shipper_active=bool(shipping),
        lost={name: int(count) for name, count in zip(lost[::2], lost[1::2], strict=True)},
    )
