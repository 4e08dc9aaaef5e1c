"""Build the answers about jobs, lists and numbers, as the REST contract defines them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify

from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.call import NewCall, State
from vomind_queue.calls.failure_kinds import kind_of
from vomind_queue.calls.instants import iso
from vomind_queue.calls.job import AttemptMade, Cleaned, Held, Job, Page, Placed, Receipt
from vomind_queue.observability.explain import Obstacle
from vomind_queue.observability.queue_stats import Stats
from vomind_queue.rules.law import Why
from vomind_queue.rules.words import IN_SHORT


def success(document: dict[str, Any], ignored: Sequence[str] = ()) -> Response:
    """Return a 200 that starts with ``success`` and ends with any ignored fields."""
    whole = {"success": True, **document}
    if ignored:
        whole["ignored"] = list(ignored)
    return jsonify(whole)


def due_ms(new: NewCall, accepted_ms: int) -> int:
    """Return when a call that is accepted at a time is due, unix ms."""
    if new.due_ms is not None:
        return max(new.due_ms, accepted_ms)
    return accepted_ms + (new.delay_ms or 0)


def scheduled(
    new: NewCall, receipt: Receipt, message: str, ignored: Sequence[str], will_hold: Held | None
) -> Response:
    """Return the answer to one call, from request and receipt alone, as replays require.

    ``will_hold``: what will keep it from ringing when it is due.
    """
    job_id = receipt.job_ids[0]
    document: dict[str, Any] = {"message": message, "jobId": job_id, "status": "scheduled"}
    if new.due_ms is not None:
        document["scheduledFor"] = iso(new.due_ms)
    elif new.delay_ms is not None:
        document["scheduledFor"] = iso(receipt.accepted_ms + new.delay_ms)
    if will_hold:
        document["held"] = held(will_hold)
    document["data"] = new.call.as_data()
    response = success(document, ignored)
    response.headers["Location"] = f"/api/queue/job/{job_id}"
    return response


def scheduled_many(receipt: Receipt, ignored: Sequence[str]) -> Response:
    """Return the answer to a bulk, its jobs in the order sent."""
    count = len(receipt.job_ids)
    document = {
        "message": f"{count} call{'' if count == 1 else 's'} scheduled successfully",
        "count": count,
        "jobs": [{"jobId": job_id, "status": "scheduled"} for job_id in receipt.job_ids],
    }
    return success(document, ignored)


def job(shown: Job) -> dict[str, Any]:
    """Return a job; existing clients read the three unix times at the end."""
    holding = {"held": held(shown.held)} if shown.held else {}
    return {
        "jobId": shown.id,
        **({} if shown.campaign_id is None else {"campaignId": shown.campaign_id}),
        "state": shown.state.value,
        "progress": shown.progress,
        "data": shown.call.as_data(),
        "attemptsMade": shown.attempts_made,
        "failedReason": shown.failed_reason,
        "failedKind": _failed_kind(shown),
        "priority": shown.call.priority.value,
        "createdAt": iso(shown.created_ms),
        "scheduledFor": iso_or_none(shown.due_ms),
        "nextAttemptAt": iso_or_none(shown.next_attempt_ms),
        "notAfter": iso_or_none(shown.not_after_ms),
        **holding,
        "reconciledBy": iso_or_none(shown.reconciled_by_ms),
        "startedAt": iso_or_none(shown.started_ms),
        "finishedAt": iso_or_none(shown.finished_ms),
        "call": _call(shown.placed),
        "attempts": [_attempt(made) for made in shown.attempts],
        "timestamp": shown.created_ms,
        "processedOn": shown.started_ms,
        "finishedOn": shown.finished_ms,
    }


def _failed_kind(shown: Job) -> str | None:
    failed = shown.state is State.FAILED and shown.failed_reason is not None
    return kind_of(shown.failed_reason or "") if failed else None


def held(shown: Held) -> dict[str, Any]:
    """Return why a rule holds a call; `GET …/why` has the whole story."""
    return {"by": shown.by, "until": iso_or_none(shown.until_ms), "why": IN_SHORT[Why(shown.by)]}


def obstacle(shown: Obstacle) -> dict[str, Any]:
    """Return one reason why something does not ring."""
    return {"kind": shown.kind, "text": shown.text, "until": iso_or_none(shown.until_ms)}


def page(shown: Page) -> dict[str, Any]:
    """Return a page of a list."""
    jobs = [job(each) for each in shown.jobs]
    return {"count": len(jobs), "total": shown.total, "jobs": jobs}


def stats(shown: Stats) -> dict[str, Any]:
    """Return the numbers, and what limits the starts."""
    pause, use, log = shown.pause, shown.rate_use, shown.outbox
    names = ("waiting", "active", "completed", "failed", "delayed", "total")
    return {
        "stats": {name: getattr(shown, name) for name in names},
        "paused": pause is not None,
        "pausedBy": pause.by if pause else None,
        "pausedAt": iso(pause.at_ms) if pause else None,
        "pauseReason": pause.reason if pause else None,
        "byPriority": {key.value: count for key, count in shown.by_priority.items()},
        "rateLimit": use
        and {
            "max": use.rate.max_starts,
            "windowMs": use.rate.window_ms,
            "used": use.used,
            "resetMs": use.reset_ms,
            "overridden": use.overridden,
        },
        "circuitOpenUntil": iso_or_none(shown.circuit_open_until_ms),
        "unknownOutcomes": shown.unknown_outcomes,
        "onTheLine": {
            "dialing": shown.on_the_line.dialing,
            "ringing": shown.on_the_line.ringing,
            "talking": shown.on_the_line.talking,
        },
        "unansweredAttempts": shown.unanswered.attempts,
        "unansweredSince": iso_or_none(shown.unanswered.since_ms),
        "reconciledBy": iso_or_none(shown.unanswered.reconciled_by_ms)
        if shown.unknown_outcomes
        else None,
        "oldestWaitingAt": iso_or_none(shown.oldest_waiting_ms),
        "orphanedCalls": shown.orphaned_calls,
        "overriddenStarts": shown.overridden,
        "workers": shown.workers,
        "callLog": {
            "pending": log.pending,
            "behindMs": log.behind_ms,
            "deadLetters": log.dead,
            "lost": sum(log.lost.values()),
            "shipperActive": log.shipper_active,
        },
        "recurring": shown.recurring,
        "schedulerActive": shown.scheduler_active,
    }


def cleaned(removed: Cleaned) -> dict[str, Any]:
    """Return the ids of the removed jobs."""
    return {
        "message": "Old jobs cleaned",
        "completedCleaned": list(removed.completed),
        "failedCleaned": list(removed.failed),
        "total": len(removed.completed) + len(removed.failed),
    }


def _call(placed: Placed | None) -> dict[str, Any] | None:
    if placed is None:
        return None
    line = _on_the_line(placed)
    price = {"price": placed.price, "priceUnit": placed.price_unit}
    return {"sid": placed.sid, **line, **price, **_recording(placed)}


def _attempt(made: AttemptMade) -> dict[str, Any]:
    """Return an attempt without its token, which is secret."""
    return {
        "number": made.number,
        "sid": made.placed.sid if made.placed else None,
        "startedAt": iso_or_none(made.started_ms),
        "endedAt": iso_or_none(made.ended_ms),
        **_on_the_line(made.placed),
        "failedReason": made.reason,
        **_recording(made.placed),
    }


def _recording(placed: Placed | None) -> dict[str, Any]:
    found = placed and placed.recording
    return {"recording": {"sid": found.sid, "url": found.url}} if found else {}


def _on_the_line(placed: Placed | None) -> dict[str, Any]:
    return {
        "from": placed.from_number if placed else None,
        "status": placed.status if placed else None,
        "duration": placed.duration_s if placed else None,
        "answeredBy": placed.answered_by if placed else None,
        "sipResponseCode": placed.sip_code if placed else None,
    }
