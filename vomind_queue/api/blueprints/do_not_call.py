"""Endpoints for the do-not-call list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from vomind_queue.api import auth
from vomind_queue.api.body import read_object
from vomind_queue.api.middleware import services
from vomind_queue.api.schemas import call_log as log_schemas
from vomind_queue.api.schemas import do_not_call as schemas
from vomind_queue.api.serializers import do_not_call as serializer
from vomind_queue.api.serializers import jobs as job_serializer
from vomind_queue.calls.do_not_call import Wish

routes = Blueprint("do-not-call", __name__)
_ONE = "/people/<number>/do-not-call"


@routes.put(_ONE)
def put(number: str) -> Response:
    """Put a number on the list: no call to it starts any more."""
    body = read_object()
    read = schemas.WISH.load(body)
    done = services().do_not_call.put(
        schemas.NUMBER.read(number), _wish(read, "api"), end_call=bool(read.get("end_call"))
    )
    return job_serializer.success(serializer.listed(done), schemas.WISH.ignored(body))


@routes.get(_ONE)
def show(number: str) -> Response:
    """Return whether a number is on the list."""
    wanted = schemas.NUMBER.read(number)
    found = services().do_not_call.entry(wanted)
    return job_serializer.success(serializer.entry(wanted, found))


@routes.delete(_ONE)
def remove(number: str) -> Response:
    """Take a number off the list."""
    body = read_object()
    reason = schemas.REMOVAL.load(body)["reason"]
    wanted = schemas.NUMBER.read(number)
    services().do_not_call.remove(wanted, auth.caller(), reason)
    document = {"message": "The number may be called again", "number": wanted}
    return job_serializer.success(document, schemas.REMOVAL.ignored(body))


@routes.post("/do-not-call")
def put_many() -> Response:
    """Put many numbers on the list; return the result of each."""
    body = read_object()
    read = schemas.IMPORT.load(body)
    results = [_read(each) for each in read["numbers"]]
    numbers = list(dict.fromkeys(each["number"] for each in results if each["result"] != "refused"))
    done = services().do_not_call.put_many(numbers, _wish(read, "import"))
    new = {each.number for each in done.added if each.is_new}
    for each in results:
        if each["result"] != "refused" and each["number"] in new:
            # A repetition of it in the same request counts as known.
            new.remove(each["number"])
            each["result"] = "added"
    return job_serializer.success(serializer.imported(results, done), schemas.IMPORT.ignored(body))


@routes.get("/do-not-call")
def page() -> Response:
    """Return a page of the list, newest first, as JSON or CSV."""
    after, limit = schemas.PAGE.load(log_schemas.sent(request.args))
    found = services().do_not_call.page(after, limit)
    cursor = str(found.entries[-1].place) if len(found.entries) == limit else None
    kind = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    if kind == "text/csv":
        response = serializer.csv(found.entries)
    else:
        response = job_serializer.success(serializer.page(found, cursor))
    response.headers["Vary"] = "Accept"
    if cursor:
        more = log_schemas.next_page(request.path, request.args, cursor)
        response.headers["Link"] = f'<{more}>; rel="next"'
    return response


def _wish(read: dict[str, Any], source: str) -> Wish:
    return Wish(by=auth.caller(), source=read.get("source") or source, reason=read.get("reason"))


def _read(value: Any) -> dict[str, Any]:
    """Return the result for one number: ``refused`` or, until it is listed, ``known``."""
    try:
        return serializer.result(schemas.NUMBER.read(value), "known")
    except ValidationError as error:
        shown = value[:64] if isinstance(value, str) else None
        return serializer.result(shown, "refused", str(error.messages[0]))
