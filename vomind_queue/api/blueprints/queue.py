"""The endpoints about the queue as a whole, and about many calls of history at once."""

from __future__ import annotations

from flask import Blueprint, Response, request

from vomind_queue.api import auth
from vomind_queue.api.body import read_object
from vomind_queue.api.context import services, take_nothing
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.call import State

routes = Blueprint("queue", __name__)


@routes.get("/stats")
def stats() -> Response:
    """All numbers, read at one moment."""
    return job_serializer.success(job_serializer.stats(services().queue.stats()))


def page(state: State) -> Response:
    """Some jobs of one state, in that state's order."""
    start, end = call_schemas.PAGE.load(request.args.to_dict())
    return job_serializer.success(job_serializer.page(services().queue.page(state, start, end)))


for _state in State:
    routes.add_url_rule(f"/{_state}", str(_state), page, defaults={"state": _state})


@routes.post("/clean")
def clean() -> Response:
    """Removes finished jobs from history, the oldest first."""
    body = read_object()
    removed = services().control.clean(*call_schemas.CLEAN.load(body))
    return job_serializer.success(job_serializer.cleaned(removed), call_schemas.CLEAN.ignored(body))


@routes.post("/clean/preview")
def preview() -> Response:
    """What /clean would remove; removes nothing."""
    body = read_object()
    grace_ms, limit = call_schemas.CLEAN.load(body)
    counts = services().control.cleanable(grace_ms)
    document = {
        "completed": counts[State.COMPLETED],
        "failed": counts[State.FAILED],
        "total": min(sum(counts.values()), limit),
    }
    return job_serializer.success(document, call_schemas.CLEAN.ignored(body))


@routes.post("/pause")
def pause() -> Response:
    """No call starts from now on."""
    ignored = take_nothing()
    services().control.pause(auth.caller())
    return job_serializer.success({"message": "Queue paused"}, ignored)


@routes.post("/resume")
def resume() -> Response:
    """Calls start again."""
    ignored = take_nothing()
    services().control.resume()
    return job_serializer.success({"message": "Queue resumed"}, ignored)


@routes.get("/failed/reasons")
def reasons() -> Response:
    """Why calls failed, by kind."""
    kinds = services().control.failure_kinds()
    found = [{"kind": each.kind, "count": each.count, "example": each.example} for each in kinds]
    total = sum(each.count for each in kinds)
    return job_serializer.success({"count": len(kinds), "total": total, "reasons": found})


@routes.post("/retry-failed")
def retry() -> Response:
    """Lets failed calls of one kind wait again, the last one to fail first."""
    body = read_object()
    asked = call_schemas.RETRY_FAILED.load(body)
    limit = asked.get("limit") or call_schemas.MOST_RETRIED
    done = services().control.retry_failed(asked.get("reason"), limit)
    count = len(done.job_ids)
    document = {
        "message": f"{count} call{'' if count == 1 else 's'} queued again",
        "count": count,
        "jobIds": list(done.job_ids),
        "more": done.more,
    }
    return job_serializer.success(document, call_schemas.RETRY_FAILED.ignored(body))
