"""Whether the process is up, and whether calls can go out."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response

from vomind_queue.api import answers
from vomind_queue.api.problems import RETRY_AFTER_S, Refused
from vomind_queue.errors import StoreUnavailable
from vomind_queue.memory import REMEDY
from vomind_queue.services import Services


class HealthRoutes:
    """GET /healthz and /readyz."""

    def __init__(self, services: Services) -> None:
        self._queue = services.queue

    def blueprint(self) -> Blueprint:
        """The routes, at the root."""
        routes = Blueprint("health", __name__)
        routes.get("/healthz")(self.alive)
        routes.get("/readyz")(self.ready)
        return routes

    def alive(self) -> Response:
        """The process is up."""
        return answers.success({"status": "up"})

    def ready(self) -> Response:
        """Redis takes calls; a worker and, with recurring calls, a scheduler were seen.

        Raises Refused that says which was not.
        """
        try:
            # A replica answers questions, too.
            self._queue.check_writable()
            stats = self._queue.stats()
        except StoreUnavailable as error:
            raise _not_ready("redis", f"Redis is not ready: {error}") from error
        if stats.memory.full:
            raise _not_ready("redis", f"Redis is full: {stats.memory}. {REMEDY}")
        if not stats.workers:
            raise _not_ready("worker", "No worker was seen in the last 30 s.")
        if stats.recurring and not stats.scheduler_leads:
            raise _not_ready(
                "scheduler",
                "There are recurring calls, and no scheduler has kept up with them for 30 s.",
            )
        return answers.success(
            {
                "status": "ready",
                "redis": "ready",
                "workers": stats.workers,
                "schedulerLeads": stats.scheduler_leads,
            }
        )


def _not_ready(part: str, detail: str) -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        errors={part: [detail]},
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
