"""Endpoints for recurring calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, request
from marshmallow import ValidationError
from werkzeug.routing import BaseConverter

from vomind_queue.api import auth
from vomind_queue.api.auth import kept_id
from vomind_queue.api.body import read_no_fields, read_object
from vomind_queue.api.idempotency import answered_before, idempotency_key
from vomind_queue.api.middleware import services
from vomind_queue.api.overrides import Overrides
from vomind_queue.api.schemas import placeable
from vomind_queue.api.schemas.recurring import CHANGE, PAGE, PREVIEW, PREVIEWED, RECURRING
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.api.serializers import recurring as recurring_serializer
from vomind_queue.calls.call import Call
from vomind_queue.calls.job import Held
from vomind_queue.errors import WrongState
from vomind_queue.recurring.cron import Cron
from vomind_queue.recurring.schedule import PREFIX, Recurrence, Schedule

routes = Blueprint("recurring", __name__)
#: A schedule's id in an address; a run's id has a second colon, and is a job.
_ONE = f"/job/{PREFIX}<schedule_number:schedule_id>"


class ScheduleNumber(BaseConverter):
    """The number of a recurring call within an address."""

    regex = "[1-9][0-9]{0,15}"


@routes.post("/schedule-recurring-call")
def schedule() -> Response:
    """Schedule a call to be placed again and again."""
    body = read_object()
    wanted = _placeable(RECURRING.read(body, services().settings.default_zone))
    wanted = replace(wanted, call=replace(wanted.call, request_id=kept_id()))
    key = idempotency_key(body)
    registered = None
    if error := _never_runs(wanted):
        registered = answered_before(services().recurring_store.recall, key, error)
    registered = registered or services().recurring.schedule(wanted, auth.caller(), key)
    return recurring_serializer.scheduled(wanted, registered, RECURRING.ignored(body))


def _placeable(wanted: Recurrence, old: Recurrence | None = None) -> Recurrence:
    """Return the recurrence, its override signed; ``old``: what it was before a change.

    Raise ValidationError, NumberListed or Refused if the call is not placed.
    """
    if found := placeable.PlaceableCalls(services().settings).faults([wanted.call]):
        raise ValidationError(dict(found[0]))
    services().do_not_call.refuse(wanted.call.to)
    overrides = Overrides(services().settings.override_keys)
    if old and replace(wanted, call=old.call) != old:
        # Who may not lift the rules may not choose when a call rings without them.
        overrides.check(wanted.call, auth.caller())
    return replace(wanted, call=overrides.signed(wanted.call, old.call if old else None))


@routes.post("/schedule-recurring-call/preview")
def preview() -> Response:
    """Return when a pattern would fire; store nothing."""
    body = read_object()
    asked = PREVIEW.load(dict(body))
    from_ms = asked.get("from_ms")
    document = recurring_serializer.preview(
        Cron(asked["cron"]),
        asked.get("zone") or services().settings.default_zone,
        services().recurring_store.now_ms() if from_ms is None else from_ms,
        asked.get("count") or PREVIEWED,
        partial(_forecast, PREVIEW.call(asked)),
    )
    return job_serializer.success(document, PREVIEW.ignored(body))


def _forecast(call: Call | None, runs: Sequence[int]) -> Sequence[Held | None]:
    """Return which rules would hold the calls of runs."""
    if call is None:
        return [None] * len(runs)
    return services().rules.forecast([(call, run_ms) for run_ms in runs])


@routes.get("/recurring")
def page() -> Response:
    """Return a page of recurring calls, soonest first."""
    search, start, end = PAGE.load(request.args.to_dict())
    return job_serializer.success(
        recurring_serializer.page(services().recurring.page(search, start, end))
    )


@routes.get(_ONE)
def show(schedule_id: str) -> Response:
    """Return a recurring call with its next and its last runs."""
    return job_serializer.success(
        recurring_serializer.view(services().recurring_store.show(schedule_id))
    )


@routes.patch(_ONE)
def change(schedule_id: str) -> Response:
    """Change the pattern, zone, message and so on, keeping the id."""
    body = read_object()

    def changed(old: Schedule) -> Recurrence:
        merged = CHANGE.merged(old.recurrence, body, services().settings.default_zone)
        wanted = _placeable(merged, old.recurrence)
        timing = {"cronExpression", "timezone", "startAt", "endAt"} & body.keys()
        if timing and (error := _never_runs(wanted)):
            raise error
        return wanted

    shown = services().recurring.amend(schedule_id, changed, auth.caller())
    document = {"message": "Recurring call changed", **recurring_serializer.view(shown)}
    return job_serializer.success(document, CHANGE.ignored(body))


@routes.delete(_ONE)
def remove(schedule_id: str) -> Response:
    """Remove a recurring call, and cancel its runs that have not started."""
    jobs = services().recurring.remove(schedule_id, auth.caller())
    return job_serializer.success(recurring_serializer.removed(schedule_id, jobs))


@routes.post(f"{_ONE}/pause")
def pause(schedule_id: str) -> Response:
    """Pause a recurring call: no run is queued until it is resumed."""
    return _set(schedule_id, paused=True)


@routes.post(f"{_ONE}/resume")
def resume(schedule_id: str) -> Response:
    """Resume a recurring call."""
    return _set(schedule_id, paused=False)


@routes.post(f"{_ONE}/retry")
def retry(schedule_id: str) -> Response:
    """Always refuse: runs are retried one by one, by their own ids."""
    job_id = services().recurring_store.show(schedule_id).schedule.job_id
    text = f"{job_id} is a recurring call; retry one of its runs."
    raise WrongState(text, job_id=job_id, state="recurring")


def _set(schedule_id: str, *, paused: bool) -> Response:
    ignored = read_no_fields()
    recurring, name = services().recurring, auth.caller()
    shown = recurring.pause(schedule_id, name) if paused else recurring.resume(schedule_id, name)
    message = f"Recurring call {'paused' if paused else 'resumed'}"
    schedule = shown.schedule
    document = {"message": message, "jobId": schedule.job_id, "status": schedule.status.value}
    return job_serializer.success(document, ignored)


def _never_runs(wanted: Recurrence) -> ValidationError | None:
    if wanted.first(services().recurring_store.now_ms()) is not None:
        return None
    field, text = "endAt", "Must not be before the first run."
    if wanted.end_ms is None:
        field, text = "cronExpression", "Must have at least one run to come."
    return ValidationError(text, field)
