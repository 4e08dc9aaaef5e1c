"""Build the answers about acts on many calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from vomind_queue.api.serializers.jobs import success
from vomind_queue.calls.call_act import Outcome, Progress


def progress(shown: Progress, ignored: Sequence[str] = ()) -> Response:
    """Return how far an act is, and what became of the calls."""
    document: dict[str, Any] = {
        "id": shown.order.id,
        "act": shown.order.act.value,
        "by": shown.order.by,
        "status": shown.status.value,
        "total": shown.total,
        "handled": shown.handled,
        "counts": dict(shown.counts),
        "results": [_result(job_id, each) for job_id, each in shown.outcomes.items()],
        "more": shown.more,
    }
    return success(document, ignored)


def _result(job_id: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "result": outcome.result.value,
        "newJobId": outcome.new_id,
        "detail": outcome.detail,
    }
