"""The endpoints about one job."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from vomind_queue.api import answers, schemas
from vomind_queue.api.body import read_object
from vomind_queue.calls import State
from vomind_queue.errors import JobNotFound
from vomind_queue.services import Services

_JOB_ID = re.compile(r"[!-~]{1,128}")
_HISTORY = (State.COMPLETED, State.FAILED)


class JobRoutes:
    """GET and DELETE /job/<jobId>, POST /job/<jobId>/retry."""

    def __init__(self, services: Services) -> None:
        self._control = services.control
        self._queue = services.queue

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("jobs", __name__)
        routes.get("/job/<job_id>")(self.show)
        routes.delete("/job/<job_id>")(self.cancel)
        routes.post("/job/<job_id>/retry")(self.retry)
        return routes

    def show(self, job_id: str) -> Response:
        """The job with its state and its story so far."""
        return answers.success(answers.job(self._queue.job(plausible(job_id))))

    def cancel(self, job_id: str) -> Response:
        """Takes a call out of the queue, or a finished one out of history."""
        was = self._control.cancel(plausible(job_id))
        message = "Job removed" if was in _HISTORY else "Call cancelled successfully"
        return answers.success({"message": message, "jobId": job_id, "was": was.value})

    def retry(self, job_id: str) -> Response:
        """Gives a failed call a new set of attempts."""
        body = read_object()
        schemas.BARE.load(body)
        self._control.retry(plausible(job_id))
        return answers.success(
            {"message": "Call retry initiated", "jobId": job_id, "status": "retrying"},
            schemas.BARE.ignored(body),
        )


def plausible(job_id: str) -> str:
    """Raises JobNotFound for what was never an id, without asking the store."""
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFound(job_id[:128])
    return job_id
