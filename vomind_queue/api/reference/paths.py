"""One endpoint in the words of OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from vomind_queue.api.reference.common import BY_STATUS
from vomind_queue.api.reference.operation import FORM, JSON, PROBLEM, Example, Operation
from vomind_queue.api.reference.shapes import Shape, maybe, ref

#: What a refusal means, where it is not the same everywhere.
_MEANINGS: Mapping[int, str] = {
    403: "Twilio did not sign the request, or no attempt accounts for the call.",
    404: "There is no such job.",
    409: "The job is in a state that does not allow this.",
    422: "A field, a header or a parameter is not allowed; `errors` names it.",
}
_BAD_BODIES = (400, 413, 415, 422)


def described(operation: Operation, body: str | None, query: Shape) -> dict[str, Any]:
    """The operation's entry; ``body`` names its component, ``query`` is the shape of the query."""
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.text,
        "parameters": [
            *_parameters(operation),
            *_query(operation, query),
            *operation.parameters,
        ],
        "responses": dict(_responses(operation)),
    }
    if body:
        found["requestBody"] = {
            "required": operation.body_needed,
            "content": {
                JSON: {
                    "schema": ref(body) if operation.body_needed else maybe(ref(body)),
                    "examples": _examples_of_bodies(operation),
                }
            },
        }
    if operation.form:
        found["requestBody"] = {"required": True, "content": {FORM: _form(operation)}}
    if not operation.keyed:
        found["security"] = [{operation.signed_by: []}] if operation.signed_by else []
    return found


def _form(operation: Operation) -> dict[str, Any]:
    shown = {
        each.name: {"summary": each.summary, "value": each.form}
        for each in _fit(operation)
        if each.form is not None
    }
    return {"schema": operation.form, "examples": shown}


def statuses(operation: Operation) -> list[int]:
    """All that may be answered, successes first."""
    wrong = set(operation.errors) | {example.status for example in operation.examples}
    carried_out = operation.success is not None and operation.keyed
    if operation.body is not None or (operation.method == "POST" and carried_out):
        # A body of which nothing counts is read all the same: a slip in it must not be lost.
        wrong |= set(_BAD_BODIES)
    if operation.keyed:
        wrong |= {401, 429}
        if operation.method != "GET":
            wrong.add(403)
    if operation.stored or operation.path.startswith("/api/calls"):
        wrong.add(503)
    good = [] if operation.success is None else [int(operation.success)]
    return [*good, *sorted(map(int, wrong - {operation.success}))]


def _parameters(operation: Operation) -> list[str]:
    names = list(operation.path_parameters)
    if operation.replayable:
        names.append("idempotencyKey")
    # By name: apispec makes references of them.
    return names


def _query(operation: Operation, query: Shape) -> Iterable[dict[str, Any]]:
    for name, shape in query.get("properties", {}).items():
        parameter: dict[str, Any] = {
            "in": "query",
            "name": name,
            "description": shape["description"],
            "schema": {key: value for key, value in shape.items() if key != "description"},
        }
        if operation.open_filters:
            parameter["allowEmptyValue"] = True
        found = {each.name: each for each in _fit(operation) if name in each.query}
        if found:
            parameter["examples"] = {
                key: {"summary": each.summary, "value": each.query[name]}
                for key, each in found.items()
            }
        yield parameter


def _examples_of_bodies(operation: Operation) -> dict[str, Any]:
    return {
        each.name: {"summary": each.summary, "value": each.body}
        for each in _fit(operation)
        if each.body is not None
    }


def _fit(operation: Operation) -> list[Example]:
    """The examples whose requests are as the schemas say."""
    return [each for each in operation.examples if each.status != HTTPStatus.UNPROCESSABLE_ENTITY]


def _responses(operation: Operation) -> Iterable[tuple[str, dict[str, Any]]]:
    for status in statuses(operation):
        if status in BY_STATUS and not operation.shown(status):
            yield str(status), {"$ref": f"#/components/responses/{BY_STATUS[status]}"}
        else:
            yield str(status), _response(operation, status)


def _response(operation: Operation, status: int) -> dict[str, Any]:
    good = status < HTTPStatus.BAD_REQUEST
    names = ["X-Request-Id", *operation.headers.get(status, ())]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        names.append("Retry-After")
    response: dict[str, Any] = {
        "description": "It was done." if good else _meaning(status),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if content := _content(operation, status):
        response["content"] = content
    if good and operation.leads_to:
        response["links"] = {name: _link(name) for name in operation.leads_to}
    return response


def _link(name: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "parameters": {"jobId": "$response.body#/jobId"},
        "description": "What may be asked of the job that was made.",
    }


def _meaning(status: int) -> str:
    return _MEANINGS.get(status) or HTTPStatus(status).phrase


def _content(operation: Operation, status: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if status >= HTTPStatus.BAD_REQUEST:
        found[PROBLEM] = _with_examples(ref("Problem"), operation.shown(status))
    elif operation.answer is not None:
        found[JSON] = _with_examples(operation.answer, operation.shown(status))
    if other := operation.contents.get(status):
        found[other.media] = {"schema": other.shape, "example": other.example}
    return found


def _with_examples(shape: Shape, examples: Iterable[Example]) -> dict[str, Any]:
    shown = {each.name: _shown(each) for each in examples}
    return {"schema": shape, "examples": shown} if shown else {"schema": shape}


def _shown(example: Example) -> dict[str, Any]:
    found = {"summary": example.summary, "value": example.answer}
    if example.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        # A request that the schemas do not allow has no place among those that they describe.
        sent = example.body or example.form or {**example.path, **example.query}
        found["description"] = f"Sent: `{json.dumps(sent, ensure_ascii=False)}`"
    return found
