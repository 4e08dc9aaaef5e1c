"""Endpoints for the queue as a whole, and for many finished calls at once."""

from __future__ import annotations

from flask import Blueprint, Response, request

from vomind_queue.api import auth
from vomind_queue.api.body import read_no_fields, read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.call import State

routes = Blueprint("queue", __name__)


@routes.get("/stats")
def stats() -> Response:
    """Return all numbers, read at one moment."""
    return job_serializer.success(job_serializer.stats(services().queue.stats()))


def page(state: State) -> Response:
    """Return a page of jobs of one state, in that state's order."""
    start, end = queue_schemas.PAGE.load(request.args.to_dict())
    return job_serializer.success(job_serializer.page(services().queue.page(state, start, end)))


for _state in State:
    routes.add_url_rule(f"/{_state}", str(_state), page, defaults={"state": _state})


@routes.post("/clean")
def clean() -> Response:
    """Remove finished jobs from history, oldest first."""
    body = read_object()
    grace_ms, limit = queue_schemas.CLEAN.load(body)
    removed = services().control.clean(grace_ms, limit, auth.caller())
    document = job_serializer.cleaned(removed)
    return job_serializer.success(document, queue_schemas.CLEAN.ignored(body))


@routes.post("/clean/preview")
def preview() -> Response:
    """Return what /clean would remove; remove nothing."""
    body = read_object()
    grace_ms, limit = queue_schemas.CLEAN.load(body)
    counts = services().control.cleanable(grace_ms)
    document = {
        "completed": counts[State.COMPLETED],
        "failed": counts[State.FAILED],
        "total": min(sum(counts.values()), limit),
    }
    return job_serializer.success(document, queue_schemas.CLEAN.ignored(body))


@routes.post("/pause")
def pause() -> Response:
    """Pause the queue: no call starts from now on."""
    body = read_object()
    reason = queue_schemas.PAUSE.load(body).get("reason")
    services().control.pause(auth.caller(), reason)
    return job_serializer.success({"message": "Queue paused"}, queue_schemas.PAUSE.ignored(body))


@routes.post("/resume")
def resume() -> Response:
    """Resume the queue."""
    ignored = read_no_fields()
    services().control.resume(auth.caller())
    return job_serializer.success({"message": "Queue resumed"}, ignored)


@routes.get("/failed/reasons")
def reasons() -> Response:
    """Return why calls failed, by kind."""
    kinds = services().control.failure_kinds()
    found = [{"kind": each.kind, "count": each.count, "example": each.example} for each in kinds]
    total = sum(each.count for each in kinds)
    return job_serializer.success({"count": len(kinds), "total": total, "reasons": found})


@routes.post("/retry-failed")
def retry() -> Response:
    """Queue failed calls of one kind again, latest failure first."""
    body = read_object()
    asked = queue_schemas.RETRY_FAILED.load(body)
    limit = asked.get("limit") or queue_schemas.MOST_RETRIED
    done = services().control.retry_failed(asked.get("reason"), limit, auth.caller())
    count = len(done.job_ids)
    document = {
        "message": f"{count} call{'' if count == 1 else 's'} queued again",
        "count": count,
        "jobIds": list(done.job_ids),
        "more": done.more,
    }
    return job_serializer.success(document, queue_schemas.RETRY_FAILED.ignored(body))
