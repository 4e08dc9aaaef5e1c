"""Build the answers about the call log, with the field names of the other endpoints."""

from __future__ import annotations

import csv as table
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from vomind_queue.api.serializers.jobs import success
from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.call_log.models import CallEvent, CallRow
from vomind_queue.call_log.trends import Span, by_hour
from vomind_queue.calls.deed import Deed
from vomind_queue.calls.instants import iso
from vomind_queue.encoding import no_formula
from vomind_queue.usecases.call_history import Forgotten, Found, Trends

#: What a list misses that the queue gives because there is no call log: calls that were cancelled
#: or removed from history, and the order of acceptance over all states.
NOT_IN_QUEUE = ("cancelled", "removed", "order")


def row(shown: CallRow) -> dict[str, Any]:
    """Return a call with the field names of a job."""
    return {
        "jobId": shown.job_id,
        "state": shown.state,
        "to": shown.to_number,
        "lead_id": shown.lead_id,
        "priority": shown.priority,
        "message": shown.message,
        "metadata": shown.metadata,
        "options": shown.options,
        "attemptsMade": shown.attempts,
        "outcome": shown.outcome,
        "failedReason": shown.failure,
        "createdAt": iso(shown.queued_ms),
        "scheduledFor": iso_or_none(shown.scheduled_ms),
        "startedAt": iso_or_none(shown.started_ms),
        "answeredAt": iso_or_none(shown.answered_ms),
        "finishedAt": iso_or_none(shown.finished_ms),
        "call": _call(shown),
        "anonymizedAt": iso_or_none(shown.anonymized_ms),
        **({} if shown.campaign_id is None else {"campaignId": shown.campaign_id}),
    }


def _call(shown: CallRow) -> dict[str, Any] | None:
    if shown.call_sid is None:
        return None
    return {
        "sid": shown.call_sid,
        "status": shown.call_status,
        "duration": shown.duration,
        "answeredBy": shown.answered_by,
        "price": shown.price,
        "priceUnit": shown.price_unit,
    }


def event(shown: CallEvent) -> dict[str, Any]:
    """Return an event of a call."""
    return {
        "sequence": shown.sequence,
        "at": iso(shown.time_ms),
        "event": shown.event,
        "state": shown.state,
        "attempt": shown.attempt,
        "sid": shown.call_sid,
        "status": shown.call_status,
        "duration": shown.duration,
        "details": dict(shown.details),
    }


def page(found: Found, total: int | None) -> Response:
    """Return a page of calls, the cursor of the next one, and how many there are where counted."""
    document: dict[str, Any] = {
        "count": len(found.rows),
        "calls": [row(each) for each in found.rows],
        "next": found.cursor,
        "source": "log" if found.from_log else "queue",
        "missing": [] if found.from_log else list(NOT_IN_QUEUE),
    }
    return success(document if total is None else {**document, "total": total})


def deeds(shown: Sequence[Deed], more: bool) -> dict[str, Any]:
    """Return a page of what people did, and the cursor of the next one."""
    lines = [
        {
            "at": iso(deed.at_ms),
            "by": deed.by,
            "act": deed.act,
            "subject": deed.subject,
            "details": dict(deed.details),
        }
        for deed in shown
    ]
    return {"count": len(lines), "activity": lines, "next": str(shown[-1].number) if more else None}


def trends(shown: Trends, span: Span, zone: str) -> dict[str, Any]:
    """Return what became of calls over time, and by the hours of the day in a zone."""
    return {
        "span": span.value,
        "timezone": zone,
        "since": iso(shown.window.since_ms),
        "until": iso(shown.window.until_ms),
        "stepMs": shown.window.step_ms,
        "steps": [
            {
                "at": iso(step.at_ms),
                "outcomes": dict(sorted(step.outcomes.items())),
                "waitMs": {"p50": step.wait_p50_ms, "p90": step.wait_p90_ms},
            }
            for step in shown.steps
        ],
        "hours": [
            {"hour": each.hour, "calls": each.calls, "answered": each.answered}
            for each in by_hour(shown.steps, zone)
        ],
    }


def csv(rows: Sequence[CallRow]) -> Response:
    """Return a page of calls as CSV (RFC 4180), with a header."""
    return table_of(COLUMNS, [_flat(each) for each in rows])


def table_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Response:
    """Return a table as CSV (RFC 4180), with a header; no cell may be a formula."""
    text = io.StringIO()
    writer = table.writer(text)
    writer.writerow(columns)
    writer.writerows([each[name] for name in columns] for each in rows)
    kind = "text/csv; charset=utf-8; header=present"
    return Response(text.getvalue().encode(), content_type=kind)


COLUMNS = (
    "jobId", "state", "to", "lead_id", "priority", "message", "metadata", "attemptsMade",
    "outcome", "failedReason", "createdAt", "scheduledFor", "startedAt", "answeredAt",
    "finishedAt", "sid", "status", "duration", "answeredBy", "price", "priceUnit",
    "campaignId",
)  # fmt: skip


def _flat(shown: CallRow) -> dict[str, Any]:
    found = {**dict.fromkeys(COLUMNS), **row(shown)}
    metadata = None if shown.metadata is None else json.dumps(shown.metadata, ensure_ascii=False)
    found |= {**(found["call"] or {}), "metadata": metadata}
    free = ("lead_id", "message", "failedReason", "metadata")
    return {**found, **{name: no_formula(found[name]) for name in free}}


def forgotten(done: Forgotten) -> dict[str, Any]:
    """Return what was done to erase a number, without naming it."""
    left = len(done.being_placed)
    message = "The number was forgotten"
    if left:
        calls = "1 call is" if left == 1 else f"{left} calls are"
        message = f"{calls} being placed, and will be hung up and forgotten"
    return {
        "message": message,
        "complete": done.complete,
        "cancelled": done.cancelled,
        "recurring": done.recurring,
        "history": done.history,
        "log": {"calls": done.log.calls, "events": done.log.events} if done.log else None,
        "beingPlaced": list(done.being_placed),
        "doNotCall": None if done.hashed is None else "hashed" if done.hashed else "kept",
    }
