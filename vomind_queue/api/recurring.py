"""The endpoints about recurring calls."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request
from marshmallow import ValidationError
from werkzeug.routing import BaseConverter

from vomind_queue.api import access, answers, recurring_answers, schemas
from vomind_queue.api.access import kept_id
from vomind_queue.api.body import read_object
from vomind_queue.api.idempotency import answered_before, idempotency_key
from vomind_queue.api.recurring_schemas import CHANGE, PAGE, PREVIEW, RECURRING
from vomind_queue.errors import WrongState
from vomind_queue.schedules import PREFIX, Recurrence, Schedule
from vomind_queue.services import Services

#: A schedule's id in an address; an occurrence's has a second colon, and is a job.
_ONE = f"/job/{PREFIX}<schedule_number:schedule_id>"


class ScheduleNumber(BaseConverter):
    """The number of a schedule within an address."""

    regex = "[1-9][0-9]{0,15}"


class RecurringRoutes:
    """POST /schedule-recurring-call and its preview, GET /recurring, and /job/recurring:<id>."""

    def __init__(self, services: Services) -> None:
        self._recurring = services.recurring
        self._timetable = services.timetable
        self._default_zone = services.settings.default_zone
        self._tolls = services.settings.tolls
        self._asked = schemas.can_be_asked(services.settings)

    def blueprint(self) -> Blueprint:
        """The routes, below the path that the API hangs at."""
        routes = Blueprint("recurring", __name__)
        routes.post("/schedule-recurring-call")(self.schedule)
        routes.post("/schedule-recurring-call/preview")(self.preview)
        routes.get("/recurring")(self.page)
        routes.get(_ONE)(self.show)
        routes.patch(_ONE)(self.change)
        routes.delete(_ONE)(self.remove)
        routes.post(f"{_ONE}/pause")(self.pause)
        routes.post(f"{_ONE}/resume")(self.resume)
        routes.post(f"{_ONE}/retry")(self.retry)
        return routes

    def schedule(self) -> Response:
        """A call that is to be placed again and again."""
        body = read_object()
        wanted = self._placeable(RECURRING.read(body, self._default_zone))
        wanted = replace(wanted, call=replace(wanted.call, request_id=kept_id()))
        key = idempotency_key(body)
        registered = None
        if fault := self._never(wanted):
            registered = answered_before(self._timetable.recall, key, fault)
        return recurring_answers.scheduled(
            wanted,
            registered or self._recurring.schedule(wanted, key),
            RECURRING.ignored(body),
        )

    def _placeable(self, wanted: Recurrence) -> Recurrence:
        """The same; raises ValidationError when this service does not place such a call."""
        mute = {} if self._asked else schemas.unspeakable([wanted.call])
        if found := {**mute, **self._tolls.objections([wanted.call])}:
            raise ValidationError(dict(found[0]))
        return wanted

    def preview(self) -> Response:
        """When a pattern would fire; stores nothing."""
        body = read_object()
        asked = PREVIEW.read(body, self._default_zone)
        from_ms = self._timetable.now_ms() if asked.from_ms is None else asked.from_ms
        return answers.success(recurring_answers.preview(asked, from_ms), PREVIEW.ignored(body))

    def page(self) -> Response:
        """Some schedules, soonest first."""
        search, start, end = PAGE.load(request.args.to_dict())
        return answers.success(recurring_answers.page(self._recurring.page(search, start, end)))

    def show(self, schedule_id: str) -> Response:
        """A schedule with its next and its last runs."""
        return answers.success(recurring_answers.view(self._timetable.show(schedule_id)))

    def change(self, schedule_id: str) -> Response:
        """Another pattern, zone, message and so on, under the same id."""
        body = read_object()

        def changed(old: Schedule) -> Recurrence:
            wanted = self._placeable(CHANGE.merged(old.recurrence, body, self._default_zone))
            timing = {"cronExpression", "timezone", "startAt", "endAt"} & body.keys()
            if timing and (fault := self._never(wanted)):
                raise fault
            return wanted

        shown = self._recurring.amend(schedule_id, changed)
        document = {"message": "Recurring call changed", **recurring_answers.view(shown)}
        return answers.success(document, CHANGE.ignored(body))

    def remove(self, schedule_id: str) -> Response:
        """Stops it for good; its job that did not start is cancelled."""
        jobs = self._recurring.remove(schedule_id)
        return answers.success(recurring_answers.removed(schedule_id, jobs))

    def pause(self, schedule_id: str) -> Response:
        """Its ticks fire no more."""
        return self._set(schedule_id, paused=True)

    def resume(self, schedule_id: str) -> Response:
        """Its ticks fire again."""
        return self._set(schedule_id, paused=False)

    def retry(self, schedule_id: str) -> Response:
        """Always refused: runs are retried, each by its own id."""
        shown = self._timetable.show(schedule_id)
        raise WrongState(
            f"{shown.schedule.job_id} is a recurring call; retry one of its runs.",
            job_id=shown.schedule.job_id,
            state="recurring",
        )

    def _set(self, schedule_id: str, *, paused: bool) -> Response:
        body = read_object()
        schemas.BARE.load(body)
        if paused:
            shown = self._recurring.pause(schedule_id, access.caller())
        else:
            shown = self._recurring.resume(schedule_id)
        document = {
            "message": f"Recurring call {'paused' if paused else 'resumed'}",
            "jobId": shown.schedule.job_id,
            "status": shown.schedule.status.value,
        }
        return answers.success(document, schemas.BARE.ignored(body))

    def _never(self, wanted: Recurrence) -> ValidationError | None:
        if wanted.first(self._timetable.now_ms()) is not None:
            return None
        field = "cronExpression" if wanted.end_ms is None else "endAt"
        return ValidationError("No run lies before it.", field)
