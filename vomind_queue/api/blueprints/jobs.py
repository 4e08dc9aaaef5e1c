"""Endpoints for one job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from vomind_queue.api.auth import caller
from vomind_queue.api.body import read_no_fields, read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.errors import ExpiresTooSoon, JobNotFound
from vomind_queue.usecases.manage_queue import HISTORY

routes = Blueprint("jobs", __name__)
_JOB_ID = re.compile(r"[!-~]{1,128}")


@routes.get("/job/<job_id>")
def show(job_id: str) -> Response:
    """Return the job with its state and attempts."""
    return job_serializer.success(job_serializer.job(services().queue.job(plausible(job_id))))


@routes.delete("/job/<job_id>")
def cancel(job_id: str) -> Response:
    """Remove a call from the queue, or a finished one from history."""
    was = services().control.cancel(plausible(job_id), caller())
    message = "Job removed" if was in HISTORY else "Call cancelled successfully"
    return job_serializer.success({"message": message, "jobId": job_id, "was": was.value})


@routes.post("/job/<job_id>/hangup")
def hang_up(job_id: str) -> Response:
    """End a call that is ringing or answered."""
    ignored = read_no_fields()
    services().control.hang_up(plausible(job_id), caller())
    document = {"message": "Call is being hung up", "jobId": job_id, "status": "hanging-up"}
    return job_serializer.success(document, ignored)


@routes.post("/job/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Give a failed call a new set of attempts."""
    body = read_object()
    _retry(plausible(job_id), queue_schemas.RETRY.load(body))
    document = {"message": "Call retry initiated", "jobId": job_id, "status": "retrying"}
    return job_serializer.success(document, queue_schemas.RETRY.ignored(body))


def _retry(job_id: str, wanted: Mapping[str, Any]) -> None:
    if "not_after" not in wanted:
        services().control.retry(job_id, caller())
        return
    try:
        services().control.retry_until(job_id, wanted["not_after"], caller())
    except ExpiresTooSoon:
        raise ValidationError({"notAfter": ["Must be in the future."]}) from None


def plausible(job_id: str) -> str:
    """Return the id. Raise JobNotFound for what was never one, without asking Redis."""
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFound(job_id[:128])
    return job_id
