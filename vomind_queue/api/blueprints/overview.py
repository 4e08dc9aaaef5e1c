"""Endpoints that explain the state of the queue and of a call to people."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request

from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.json_provider import encode
from vomind_queue.api.middleware import services
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.serializers.times import iso_or_none
from vomind_queue.calls.instants import iso
from vomind_queue.calls.job import Job
from vomind_queue.observability.last_hour import Hour
from vomind_queue.observability.overview import Overview
from vomind_queue.observability.overview_reasons import Reason
from vomind_queue.usecases.manage_queue import Control

routes = Blueprint("overview", __name__)
_SHARED = "vomind-overview"
#: How long one document serves all requests to this process, s.
FRESH_S = 1.0
#: How long the previous document serves requests while the next one is made, s.
STALE_S = 3.0
#: Resolution of how far the log is behind, ms: otherwise every document would differ.
BEHIND_STEP_MS = 5_000


def install(app: Flask, control: Control, senders: Sequence[str]) -> None:
    """Add GET /api/overview and /api/queue/job/<jobId>/why.

    ``senders``: the numbers that calls may come from.
    """
    app.extensions[_SHARED] = Shared(
        lambda: encode({**overview(control.overview()), "senders": list(senders)})
    )
    app.register_blueprint(routes, url_prefix="/api")


@routes.get("/overview", endpoint="overview")
def show() -> Response:
    """Return the assessment and the numbers; 304 while nothing has changed."""
    shared: Shared = current_app.extensions[_SHARED]
    body, tag = shared.get()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, content_type="application/json", headers=headers)


@routes.get("/queue/job/<job_id>/why")
def why(job_id: str) -> Response:
    """Return why a call has not rung yet."""
    shown = services().control.why(plausible(job_id))
    document = {
        "jobId": job_id,
        "state": shown.place.state.value,
        "reasons": [job_serializer.obstacle(each) for each in shown.obstacles],
        "ahead": shown.place.ahead,
        "expectedAt": iso_or_none(shown.expected_ms),
        "from": _sender(services().queue.job(job_id)),
    }
    return job_serializer.success(document)


def _sender(job: Job) -> str | None:
    """Return the number that a call comes from, or would come from now."""
    used = job.placed.from_number if job.placed else None
    return used or services().settings.senders.chosen(job.call) or None


class Shared:
    """One document for all requests within a second, so that open pages cost next to nothing."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._held: tuple[float, bytes, str] | None = None
        #: What the last attempt to make the document raised.
        self._failure: Exception | None = None

    def get(self) -> tuple[bytes, str]:
        """Return the document and its entity tag. Raise what making it raises."""
        held, failure = self._held, self._failure
        age = time.monotonic() - held[0] if held else STALE_S
        if held and age < FRESH_S:
            return held[1:]
        # While one thread makes the next one, the others need not wait.
        if not self._lock.acquire(blocking=held is None or age >= STALE_S) and held:
            return held[1:]
        try:
            if self._failure and self._failure is not failure:
                # It failed while this thread waited: trying in turn would take too long.
                raise self._failure
            return self._renew(held)
        finally:
            self._lock.release()

    def _renew(self, before: tuple[float, bytes, str] | None) -> tuple[bytes, str]:
        held = self._held
        if held and held is not before and time.monotonic() - held[0] < FRESH_S:
            return held[1:]
        try:
            body = self._make()
        except Exception as error:
            self._failure = error
            raise
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self._held, self._failure = (time.monotonic(), body, tag), None
        return body, tag


def overview(shown: Overview) -> dict[str, Any]:
    """Return the document. It has no running clock, so it changes only with the queue."""
    stats, hour = job_serializer.stats(shown.stats), shown.hour
    rate, log = stats["rateLimit"], stats["callLog"]
    if rate:
        reset_ms = rate.pop("resetMs")
        rate["nextStartAt"] = iso(hour.now_ms + reset_ms) if reset_ms else None
    log["behindMs"] -= log["behindMs"] % BEHIND_STEP_MS
    return {
        "success": True,
        "state": shown.assessment.condition.value,
        "level": shown.assessment.level.value,
        "reasons": [_reason(reason) for reason in shown.assessment.reasons],
        "version": hour.version,
        **stats,
        "emptyAt": iso_or_none(shown.empty_ms),
        "lastHour": _hour(hour),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "kind": reason.kind,
        "level": reason.level.value,
        "title": reason.title,
        "detail": reason.detail,
        "remedy": reason.remedy,
        "since": iso_or_none(reason.since_ms),
        "until": iso_or_none(reason.until_ms),
    }


def _hour(hour: Hour) -> dict[str, Any]:
    return {
        "starts": sum(minute.starts for minute in hour.minutes),
        "outcomes": dict(sorted(hour.outcomes.items())),
        "waitMs": {
            "p50": hour.waited_ms(0.5),
            "p90": hour.waited_ms(0.9),
            "max": hour.waited_ms(1.0),
        },
        "minutes": [
            {"at": iso(minute.at_ms), "starts": minute.starts, "outcomes": dict(minute.outcomes)}
            for minute in hour.minutes
        ],
    }
