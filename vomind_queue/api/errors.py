"""Turn errors into answers: ``application/problem+json`` (RFC 9457), here and nowhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from vomind_queue.api.middleware import REQUEST_ID
from vomind_queue.errors import (
    CampaignNotFound,
    DayNotClosed,
    JobNotFound,
    KeyReused,
    ListNotFound,
    LogUnavailable,
    NeverRefused,
    NotOverriding,
    NumberListed,
    NumberNotListed,
    QueueError,
    StoreFull,
    StoreUnavailable,
    VomindError,
    WebhookNotFound,
    WrongRefusalTime,
    leaves,
)
from vomind_queue.recurring.cron import CronError

logger = logging.getLogger(__name__)

#: Redis is back within seconds or away for long, s.
RETRY_AFTER_S = 5
#: Wrong calls of one bulk that are listed; the detail names the first anyway.
MOST_LISTED = 100

Errors = Mapping[Any, Any]


class Refused(VomindError):
    """A request that cannot be answered as asked; its text is for people."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Errors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = errors
        self.headers = headers or {}


def unavailable(detail: str, errors: Errors | None = None) -> Refused:
    """Return the refusal of a request that may succeed later."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, errors=errors, headers=headers)


def respond(error: Exception) -> Response:
    """Return the answer to a request that ended in ``error``."""
    problem = _problem(error)
    document: dict[str, Any] = {
        "success": False,
        "error": str(problem),
        # No document describes our problems further (RFC 9457, section 4.2.1).
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status,
        "detail": str(problem),
    }
    if problem.errors:
        document["errors"] = problem.errors
    document["requestId"] = request.environ.get(REQUEST_ID)
    response = jsonify(document)
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    response.headers.update(problem.headers)
    return response


def _problem(error: Exception) -> Refused:
    for kind, make in _MAKERS.items():
        if isinstance(error, kind):
            return make(error)
    return _unexpected(error)


def _plain(status: HTTPStatus) -> Callable[[Exception], Refused]:
    """Return a maker for errors whose text needs no addition."""
    return lambda error: Refused(status, str(error))


def _too_deep(_: RecursionError) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.")


def _invalid(error: ValidationError) -> Refused:
    errors: dict[Any, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    found = list(leaves(errors))
    path, message = found[0]
    detail = f"{path}: {message}" if path else message
    if len(found) > 1:
        detail += f" (First of {len(found)} errors.)"
    calls = errors.get("calls")
    if isinstance(calls, dict) and len(calls) > MOST_LISTED:
        errors = {**errors, "calls": dict(list(calls.items())[:MOST_LISTED])}
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _listed(error: NumberListed) -> Refused:
    return _invalid(ValidationError({"to": [str(error)]}))


def _unavailable(error: StoreUnavailable) -> Refused:
    logger.warning("request failed", extra=_fields() | {"reason": str(error)})
    detail = "The queue cannot be reached; nothing was changed. Try again in a few seconds."
    if isinstance(error, StoreFull):
        detail = f"{error} Nothing was changed."
    elif error.outcome_unknown:
        detail = "The queue did not answer in time; the outcome of this request is unknown. "
        detail += _advice()
    return unavailable(detail)


def _log_unavailable(error: LogUnavailable) -> Refused:
    logger.warning("call log not read", extra=_fields() | {"reason": str(error)})
    return unavailable(
        "The call log cannot be reached. Calls are still placed and logged; try again later."
    )


def _advice() -> str:
    """Return what to do about an unknown outcome."""
    if request.method != "POST" or not str(request.endpoint).startswith("calls."):
        # Repeating any of them has no further effect; a recurring call sent twice is one.
        return "It is safe to send the same request again."
    if "Idempotency-Key" in request.headers:
        return "Send it again with the same Idempotency-Key; it is carried out at most once."
    return (
        "It had no Idempotency-Key, so sending it again may ring the phone twice; check first. "
        "With an Idempotency-Key, the same request may be sent again."
    )


def _http(error: HTTPException) -> Refused:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.NOT_FOUND:
        return Refused(status, f"No such endpoint: {request.path[:200]}.")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        text = f"Method must be {allowed}; got {request.method}."
        return Refused(status, text, headers={"Allow": allowed})
    return Refused(status, error.description or status.phrase)


def _unexpected(error: Exception) -> Refused:
    logger.error("unhandled exception while serving a request", exc_info=error, extra=_fields())
    return Refused(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal error; the service's log has the details under this requestId.",
    )


def _fields() -> dict[str, Any]:
    # The address may contain a phone number.
    path = re.sub(r"^(/api/people/).*", r"\1…", request.path[:200], flags=re.DOTALL)
    return {"request": f"{request.method} {path}"}


_MAKERS: Mapping[type[Exception], Callable[[Any], Refused]] = {
    Refused: lambda error: error,
    ValidationError: _invalid,
    StoreUnavailable: _unavailable,
    LogUnavailable: _log_unavailable,
    JobNotFound: _plain(HTTPStatus.NOT_FOUND),
    CampaignNotFound: _plain(HTTPStatus.NOT_FOUND),
    ListNotFound: _plain(HTTPStatus.NOT_FOUND),
    NumberNotListed: _plain(HTTPStatus.NOT_FOUND),
    NeverRefused: _plain(HTTPStatus.NOT_FOUND),
    WrongRefusalTime: lambda error: _invalid(ValidationError({"at": [str(error)]})),
    DayNotClosed: _plain(HTTPStatus.NOT_FOUND),
    NumberListed: _listed,
    NotOverriding: _plain(HTTPStatus.FORBIDDEN),
    WebhookNotFound: _plain(HTTPStatus.NOT_FOUND),
    KeyReused: _plain(HTTPStatus.UNPROCESSABLE_ENTITY),
    QueueError: _plain(HTTPStatus.CONFLICT),
    CronError: _plain(HTTPStatus.CONFLICT),
    RecursionError: _too_deep,
    HTTPException: _http,
}
