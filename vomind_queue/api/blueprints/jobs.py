"""Endpoints for one job."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from vomind_queue.api.auth import caller
from vomind_queue.api.body import read_no_fields
from vomind_queue.api.middleware import services
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.errors import JobNotFound
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
    ignored = read_no_fields()
    services().control.retry(plausible(job_id), caller())
    document = {"message": "Call retry initiated", "jobId": job_id, "status": "retrying"}
    return job_serializer.success(document, ignored)


def plausible(job_id: str) -> str:
    """Return the id. Raise JobNotFound for what was never one, without asking Redis."""
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFound(job_id[:128])
    return job_id
