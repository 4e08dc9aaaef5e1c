"""Endpoints about one person: where they may be, when they may be called, when they were."""

from __future__ import annotations

from flask import Blueprint, Response, request

from vomind_queue.api import auth
from vomind_queue.api.blueprints.history import log_slot
from vomind_queue.api.body import read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import call_log as log_schemas
from vomind_queue.api.schemas.do_not_call import NUMBER
from vomind_queue.api.schemas.rules import REFUSAL
from vomind_queue.api.serializers import person as serializer
from vomind_queue.api.serializers.jobs import success

routes = Blueprint("people", __name__)
#: Calls whose starts are on one page, unless the request says otherwise.
CALLS = 50


@routes.get("/people/<number>")
def show(number: str) -> Response:
    """Return what is known of a number now."""
    wanted, now_ms = log_schemas.NUMBER.read(number), services().queue.now_ms()
    with log_slot():
        found = services().people.person(wanted, now_ms)
    return success(serializer.person(wanted, found, now_ms))


@routes.put("/people/<number>/refusal")
def refuse(number: str) -> Response:
    """Note that a person does not want to be called for now."""
    body = read_object()
    at_ms, wanted = REFUSAL.load(body).get("at_ms"), NUMBER.read(number)
    services().refusals.note(wanted, at_ms, auth.caller())
    document = {"message": "The refusal is noted", "number": wanted}
    return success(document, REFUSAL.ignored(body))


@routes.delete("/people/<number>/refusal")
def take_refusal_back(number: str) -> Response:
    """Forget that a person refused."""
    wanted = NUMBER.read(number)
    services().refusals.withdraw(wanted, auth.caller())
    return success({"message": "No refusal is known any more", "number": wanted})


@routes.get("/people/<number>/evidence")
def evidence(number: str) -> Response:
    """Return every start of a call to a number, newest first, as JSON or CSV."""
    wanted = log_schemas.NUMBER.read(number)
    asked = log_schemas.EVIDENCE.load(log_schemas.sent(request.args))
    with log_slot():
        found = services().people.starts(wanted, asked.get("after"), asked.get("limit", CALLS))
    kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    if kind == "text/csv":
        response = serializer.csv(found.starts)
    else:
        entry = services().do_not_call.entry(wanted)
        response = success(serializer.evidence(wanted, found, entry))
    response.headers["Vary"] = "Accept"
    if found.cursor:
        more = log_schemas.next_page(request.path, request.args, found.cursor)
        response.headers["Link"] = f'<{more}>; rel="next"'
    return response
