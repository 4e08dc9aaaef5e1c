"""What is read of the queue for people who look after it; nothing here changes a call.

A minute's hash (`keys.MINUTE`) has these fields, each a count:

==================  ============================================================
``w<n>``            starts of calls that had waited that long in their turn: the number
                    of a half octave, as in `overview.py`
``completed``       calls that a person answered; ``busy``, ``no-answer``, ``failed`` and
                    ``canceled`` are Twilio's other last words
``machine``         calls that a machine answered, where that is told
``not-placed``      calls given up that Twilio did not take
==================  ============================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vomind_queue.calls.call import State
from vomind_queue.errors import CampaignNotFound, JobNotFound
from vomind_queue.observability.explain import Place
from vomind_queue.observability.explain_campaign import CampaignWaits
from vomind_queue.observability.last_hour import MINUTES, Hour, Minute
from vomind_queue.observability.webhook_stats import WebhookStats
from vomind_queue.queue import keys
from vomind_queue.queue.call_record import pairs
from vomind_queue.queue.connection import RedisStore, translate_errors
from vomind_queue.rules.law import HOLDING

#: Failed calls read at once.
SLICE = 500
_MINUTE_MS = 60_000
#: Held calls, for each kind of rule, among which those of a campaign are looked for.
HELD_LOOKED_AT = 200

#: A notifier that did not renew its leases for this long is gone, ms.
NOTIFIER_GONE_MS = 10_000


class Inspection:
    """Looks at the queue. Everything may raise StoreUnavailable."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def hour(self) -> Hour:
        """Return what happened in the last hour."""
        now_ms, version, waiting, *flat = self._store.read("hour", [keys.ACTIVE], MINUTES)
        minutes = [
            _minute(minute, pairs(counts))
            for minute, counts in zip(flat[::2], flat[1::2], strict=True)
        ]
        waits: dict[int, int] = {}
        for octave, count in zip(waiting[::2], waiting[1::2], strict=True):
            waits[octave] = waits.get(octave, 0) + count
        return Hour(now_ms=now_ms, version=str(version), minutes=minutes, waiting=waits)

    def webhooks(self) -> WebhookStats:
        """Return how deliveries to webhooks go."""
        answer = self._store.read("webhook_state", [keys.WEBHOOKS], NOTIFIER_GONE_MS)
        webhooks, ended, failing, notifiers, lost, lag_ms = map(int, answer[:6])
        return WebhookStats(
            webhooks=webhooks,
            ended=ended,
            failing=failing,
            notifiers=notifiers,
            lost=lost,
            lag_ms=lag_ms,
            totals={name: int(count) for name, count in pairs(answer[6:]).items()},
        )

    def place(self, job_id: str) -> Place:
        """Return where a call is in the queue. Raise JobNotFound."""
        now_ms, *found = self._store.read("explain", [keys.ACTIVE], job_id)
        if not found:
            raise JobNotFound(job_id)
        state, ahead, at, marked, stood_back, attempts, failure, by, *rest = found
        owner, talking, held, campaign_id, campaign_state, campaign_hours = rest
        return Place(
            now_ms=now_ms,
            state=State(state),
            ahead=ahead,
            at_ms=int(float(at)) if at else None,
            marked=bool(marked),
            stood_back=stood_back,
            attempts=attempts,
            failure=failure,
            reconciled_by_ms=int(by) if by else None,
            waits_for=owner,
            on_the_line=bool(talking),
            held=held,
            campaign_id=campaign_id,
            campaign_state=campaign_state,
            campaign_hours=campaign_hours,
        )

    def campaign_waits(self, campaign_id: str) -> CampaignWaits:
        """Return what the calls of a campaign wait for. Raise CampaignNotFound."""
        now_ms, *found = self._store.read(
            "explain_campaign", [keys.CAMPAIGNS], campaign_id, HELD_LOOKED_AT, *HOLDING
        )
        if not found:
            raise CampaignNotFound(campaign_id)
        used, reset_ms, ahead, *held = found
        first_due = zip(held[::2], held[1::2], strict=True)
        return CampaignWaits(
            now_ms=now_ms,
            used=used,
            reset_ms=reset_ms,
            ahead=ahead,
            held={kind: int(float(due)) for kind, due in first_due},
        )

    def failures(self) -> Iterator[tuple[str, str]]:
        """Return ids and reasons of failed calls, the last one to fail first; a slice at a time."""
        start = 0
        while True:
            _, *flat = self._store.read("failure_reasons", [keys.FAILED], start, start + SLICE - 1)
            yield from zip(flat[::2], flat[1::2], strict=True)
            if len(flat) < 2 * SLICE:
                return
            start += SLICE

    def cleanable(self, grace_ms: int) -> Mapping[State, int]:
        """Return how many calls ended at least so long ago."""
        with translate_errors(writes=False), self._store.client.pipeline() as both:
            # By the server's own word, as `clean` goes: what has just ended has ended.
            seconds, micros = self._store.client.time()
            before = seconds * 1000 + micros // 1000 - grace_ms
            both.zcount(keys.COMPLETED, "-inf", before)
            both.zcount(keys.FAILED, "-inf", before)
            completed, failed = both.execute()
        return {State.COMPLETED: completed, State.FAILED: failed}


def _minute(minute: int, counts: Mapping[str, Any]) -> Minute:
    waits = {int(name[1:]): int(n) for name, n in counts.items() if name[1:].isdecimal()}
    outcomes = {name: int(n) for name, n in counts.items() if not name[1:].isdecimal()}
    return Minute(
        at_ms=minute * _MINUTE_MS, starts=sum(waits.values()), outcomes=outcomes, waits=waits
    )
