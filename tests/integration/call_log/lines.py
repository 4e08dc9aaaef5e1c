"""Lines of the log, made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vomind_queue.call_log.models import CallEvent, CallRow

#: 2030-11-20T10:00:00Z
AT = 1_921_399_200_000


def key(index: int) -> str:
    """The key of a row."""
    return f"{AT + index:015d}-{index:012d}"


def row(index: int, **changes: Any) -> CallRow:
    """A call that was placed, all of its fields filled in."""
    made = CallRow(
        key=key(index),
        job_id=str(index),
        version=10,
        to_number=f"+1555{index:07d}",
        lead_id=f"lead-{index}",
        priority="high",
        message="Grüße, \N{TELEPHONE RECEIVER} \"quoted\", 'and' \\ more",
        metadata={"campaign": "Q4", "nested": {"list": [1, 2.5, None, True]}},
        state="completed",
        attempts=2,
        scheduled_ms=AT + 1,
        queued_ms=AT + index,
        started_ms=AT + 2,
        finished_ms=AT + 3,
        answered_ms=AT + 4,
        call_sid=f"CA{index}",
        call_status="completed",
        outcome="completed",
        duration=17,
        price="-0.0085",
        price_unit="USD",
        answered_by="human",
        failure="the first attempt was refused",
        options={"retryOn": ["busy"], "language": "de-DE"},
        campaign_id="7",
    )
    return replace(made, **changes)


def event(index: int, sequence: int = 1, **changes: Any) -> CallEvent:
    """Something that happened to that call."""
    made = CallEvent(
        key=key(index),
        job_id=str(index),
        sequence=sequence,
        time_ms=AT + sequence,
        event="completed",
        state="completed",
        attempt=1,
        call_sid=f"CA{index}",
        call_status="queued",
        from_number="+15005550006",
        to_number=f"+1555{index:07d}",
        duration=17,
        details={"sip": "200"},
    )
    return replace(made, **changes)
