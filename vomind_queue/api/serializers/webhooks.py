"""Build the answers about webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.instants import iso
from vomind_queue.webhooks.subscription import Delivery, Ended, Shown


def webhook(shown: Shown) -> dict[str, Any]:
    """Return a webhook without its secret, and how its deliveries go."""
    wanted, progress = shown.subscription, shown.progress
    ended = progress.ended if wanted.enabled else Ended.OFF
    state = "failing" if progress.failing_since_ms else "active"
    return {
        "id": wanted.id,
        "url": wanted.url,
        "types": list(wanted.types),
        "campaign": wanted.campaign,
        "includeMessage": wanted.with_words,
        "description": wanted.description,
        "state": "disabled" if ended else state,
        "disabledReason": ended.value if ended else None,
        "disabledAt": iso_or_none(progress.ended_ms),
        "createdAt": iso(wanted.created_ms),
        "createdBy": wanted.by,
        "oldSecretUntil": iso_or_none(wanted.old_until_ms or None),
        "delivered": progress.delivered,
        "retrying": shown.retrying,
        "behind": max(shown.last - progress.cursor, 0),
        "missed": progress.missed,
        "abandoned": progress.abandoned,
        "failingSince": iso_or_none(progress.failing_since_ms),
        "nextTryAt": iso_or_none(progress.next_ms or None),
        "lastSuccessAt": iso_or_none(progress.last_success_ms),
        "lastError": progress.last_error,
        "sequence": progress.cursor,
        "lastSequence": shown.last,
    }


def with_secret(shown: Shown) -> dict[str, Any]:
    """Return a webhook with its secret, which is shown this once."""
    return {**webhook(shown), "secret": shown.subscription.secret}


def delivery(shown: Delivery) -> dict[str, Any]:
    """Return an attempt to deliver an event."""
    return {
        "at": iso(shown.at_ms),
        "id": f"evt_{shown.sequence}",
        "sequence": shown.sequence,
        "type": shown.type,
        "jobId": shown.job_id or None,
        "attempt": shown.attempt,
        "status": shown.status,
        "durationMs": shown.duration_ms,
        "error": shown.error,
    }


def deliveries(shown: Sequence[Delivery]) -> dict[str, Any]:
    """Return the last attempts."""
    return {"count": len(shown), "deliveries": [delivery(each) for each in shown]}
