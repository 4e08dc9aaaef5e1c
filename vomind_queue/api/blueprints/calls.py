"""The endpoints that accept calls."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response
from marshmallow import ValidationError

from vomind_queue.api import bulk_preview
from vomind_queue.api.auth import kept_id
from vomind_queue.api.blueprints.jobs import plausible
from vomind_queue.api.body import read_object
from vomind_queue.api.idempotency import answered_before, idempotency_key
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.call import Call, NewCall
from vomind_queue.container.web_services import Services


class CallRoutes:
    """POST /schedule-call, -delayed-call, -bulk-calls and its preview; PATCH /job/<jobId>."""

    def __init__(self, services: Services) -> None:
        self._scheduling = services.scheduling
        self._queue = services.queue
        self._past_grace_ms = services.settings.past_schedule_grace_ms
        self._tolls = services.settings.number_policy
        self._asked = call_schemas.can_be_asked(services.settings)

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("calls", __name__)
        routes.post("/schedule-call")(self.schedule_call)
        routes.post("/schedule-delayed-call")(self.schedule_delayed_call)
        routes.post("/schedule-bulk-calls")(self.schedule_bulk_calls)
        routes.post("/schedule-bulk-calls/preview")(self.preview_bulk)
        routes.patch("/job/<job_id>")(self.change)
        return routes

    def schedule_call(self) -> Response:
        """One call, to be dialed as soon as its turn comes."""
        body = read_object()
        (new,) = _marked([call_schemas.CALL.load(body)])
        if found := self._refused([new]):
            raise ValidationError(dict(found[0]))
        receipt = self._scheduling.schedule(new, idempotency_key(body))
        return job_serializer.scheduled(
            new, receipt, "Call scheduled successfully", call_schemas.CALL.ignored(body)
        )

    def schedule_delayed_call(self) -> Response:
        """One call for later."""
        body = read_object()
        (new,) = _marked([call_schemas.DELAYED_CALL.load(body)])
        if found := self._refused([new]):
            raise ValidationError(dict(found[0]))
        key = idempotency_key(body)
        receipt = None
        if untimely := self._untimely([new]):
            receipt = answered_before(self._queue.recall, key, ValidationError(dict(untimely[0])))
        return job_serializer.scheduled(
            new,
            receipt or self._scheduling.schedule(new, key),
            "Delayed call scheduled successfully",
            call_schemas.DELAYED_CALL.ignored(body),
        )

    def schedule_bulk_calls(self) -> Response:
        """Many calls, all or none."""
        body = read_object()
        news = _marked(call_schemas.BULK.load(body)["calls"])
        if found := self._refused(news):
            raise ValidationError({"calls": found})
        key = idempotency_key(body)
        receipt = None
        if untimely := self._untimely(news):
            receipt = answered_before(self._queue.recall, key, ValidationError({"calls": untimely}))
        return job_serializer.scheduled_many(
            receipt or self._scheduling.schedule_many(news, key), call_schemas.BULK.ignored(body)
        )

    def preview_bulk(self) -> Response:
        """What is wrong with which of many calls; stores nothing."""
        body = read_object()
        seen = bulk_preview.examine(body)
        places, news = list(seen.good), list(seen.good.values())
        late = self._refused(news) | self._untimely(news)
        bad = {**seen.bad, **{places[index]: found for index, found in late.items()}}
        document = {
            "count": seen.count,
            "valid": seen.count - len(bad),
            "errors": {str(index): bad[index] for index in sorted(bad)},
        }
        fine = {**body, "calls": [body["calls"][index] for index in places]}
        return job_serializer.success(document, call_schemas.BULK.ignored(fine))

    def change(self, job_id: str) -> Response:
        """Another time, number, message and so on, of a call that has not begun."""
        body = read_object()

        def changed(old: Call) -> NewCall:
            new = call_schemas.CHANGE.merged(old, body)
            if found := self._refused([new]) or self._untimely([new]):
                raise ValidationError(dict(found[0]))
            return new

        job = self._scheduling.change(plausible(job_id), changed)
        document = {"message": "Call changed", **job_serializer.job(job)}
        return job_serializer.success(document, call_schemas.CHANGE.ignored(body))

    def _refused(self, news: list[NewCall]) -> dict[int, dict[str, list[str]]]:
        """Errors of the calls that this service does not place, by index."""
        calls = [new.call for new in news]
        mute = {} if self._asked else call_schemas.unspeakable(calls)
        return {**mute, **self._tolls.objections(calls)}

    def _untimely(self, news: list[NewCall]) -> dict[int, dict[str, list[str]]]:
        if all(new.due_ms is None for new in news):
            return {}
        return call_schemas.untimely(news, self._queue.now_ms(), self._past_grace_ms)


def _marked(news: list[NewCall]) -> list[NewCall]:
    """The calls, with the id of the request that asks for them."""
    request_id = kept_id()
    if request_id is None:
        return news
    return [replace(new, call=replace(new.call, request_id=request_id)) for new in news]
