"""The endpoints about many calls of history at once, and what they would touch."""

from __future__ import annotations

from flask import Blueprint, Response

from vomind_queue.api import answers, schemas
from vomind_queue.api.body import read_object
from vomind_queue.calls import State
from vomind_queue.services import Services


class FailedRoutes:
    """GET /failed/reasons, POST /retry-failed and /clean/preview."""

    def __init__(self, services: Services) -> None:
        self._control = services.control

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("failed", __name__)
        routes.get("/failed/reasons")(self.reasons)
        routes.post("/retry-failed")(self.retry)
        routes.post("/clean/preview")(self.preview)
        return routes

    def reasons(self) -> Response:
        """Why calls failed, by kind."""
        kinds = self._control.failure_kinds()
        reasons = [
            {"kind": each.kind, "count": each.count, "example": each.example} for each in kinds
        ]
        total = sum(each.count for each in kinds)
        return answers.success({"count": len(kinds), "total": total, "reasons": reasons})

    def retry(self) -> Response:
        """Lets failed calls of one kind wait again, the last one to fail first."""
        body = read_object()
        asked = schemas.RETRY_FAILED.load(body)
        done = self._control.retry_failed(
            asked.get("reason"), asked.get("limit") or schemas.MOST_RETRIED
        )
        count = len(done.job_ids)
        document = {
            "message": f"{count} call{'' if count == 1 else 's'} queued again",
            "count": count,
            "jobIds": list(done.job_ids),
            "more": done.more,
        }
        return answers.success(document, schemas.RETRY_FAILED.ignored(body))

    def preview(self) -> Response:
        """What /clean would remove; removes nothing."""
        body = read_object()
        grace_ms, limit = schemas.CLEAN.load(body)
        counts = self._control.cleanable(grace_ms)
        document = {
            "completed": counts[State.COMPLETED],
            "failed": counts[State.FAILED],
            "total": min(sum(counts.values()), limit),
        }
        return answers.success(document, schemas.CLEAN.ignored(body))
