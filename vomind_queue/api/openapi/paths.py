"""One endpoint in the words of OpenAPI; apispec makes references of plain names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from vomind_queue.api.openapi.operation import Example, Operation
from vomind_queue.api.openapi.texts import data, problem
from vomind_queue.api.schemas.fields import Shape

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
FILE = "application/octet-stream"


def described(operation: Operation, query: Shape) -> dict[str, Any]:
    """Return the endpoint's entry; ``query`` is the shape of its query."""
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.text,
        "parameters": [
            *operation.path_parameters,
            *(["idempotencyKey"] if operation.replayable else []),
            *_query(operation, query),
        ],
        "responses": {str(each): _response(operation, each) for each in operation.statuses()},
    }
    if name := operation.body or operation.form:
        found["requestBody"] = _body(operation, name)
    if operation.upload:
        shape = {"schema": {"type": "string", "format": "list-file"}}
        found["requestBody"] = {"required": True, "content": {FILE: shape}}
    if not operation.keyed:
        found["security"] = [{operation.signed_by: []}] if operation.signed_by else []
    return found


def refusal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the component of a refusal that many endpoints share."""
    shown = problem(entry["status"], entry["problem"], entry.get("errors"))
    example = {"summary": entry["summary"], "value": shown}
    return {
        "description": entry["description"],
        "headers": _by_name(["X-Request-Id", *entry.get("headers", ())]),
        "content": {PROBLEM: {"schema": "Problem", "examples": {"common": example}}},
    }


def _query(operation: Operation, query: Shape) -> Iterator[dict[str, Any]]:
    for name, shape in query.get("properties", {}).items():
        parameter: dict[str, Any] = {
            "in": "query",
            "name": name,
            "description": shape.pop("description"),
            "schema": shape,
        }
        if name in query.get("required", ()):
            parameter["required"] = True
        if operation.open_filters:
            parameter["allowEmptyValue"] = True
        if examples := _sent(operation, lambda each, name=name: each.query.get(name)):
            parameter["examples"] = examples
        yield parameter


def _body(operation: Operation, name: str) -> dict[str, Any]:
    required = operation.body_required or operation.form is not None
    whole = {"$ref": f"#/components/schemas/{name}"}
    content = {
        "schema": whole if required else {"anyOf": [whole, {"type": "null"}]},
        "examples": _sent(operation, lambda each: each.form or each.body),
    }
    return {"required": required, "content": {FORM if operation.form else JSON: content}}


def _sent(operation: Operation, part: Any) -> dict[str, Any]:
    """What the examples send there, those aside whose requests break the schemas."""
    return {
        each.name: {"summary": each.summary, "value": part(each)}
        for each in operation.examples
        if each.status != HTTPStatus.UNPROCESSABLE_ENTITY and part(each) is not None
    }


def _response(operation: Operation, status: int) -> Any:
    shared = data("document")["refusals"]
    named = next((name for name, each in shared.items() if each["status"] == status), None)
    if named and not operation.shown(status):
        return named
    good = status < HTTPStatus.BAD_REQUEST
    wait = ["Retry-After"] if status == HTTPStatus.SERVICE_UNAVAILABLE else []
    meanings = data("document")["meanings"]
    response: dict[str, Any] = {
        "description": meanings.get(status) or HTTPStatus(status).phrase,
        "headers": _by_name(["X-Request-Id", *operation.headers.get(status, ()), *wait]),
    }
    if content := dict(_contents(operation, status)):
        response["content"] = content
    if good and operation.leads_to:
        response["links"] = {
            name: data("document")["link"] | {"operationId": name} for name in operation.leads_to
        }
    return response


def _contents(operation: Operation, status: int) -> Iterator[tuple[str, dict[str, Any]]]:
    shown = {each.name: _shown(each) for each in operation.shown(status)}
    examples = {"examples": shown} if shown else {}
    if status >= HTTPStatus.BAD_REQUEST:
        yield PROBLEM, {"schema": "Problem", **examples}
        return
    if status == HTTPStatus.ACCEPTED:
        yield JSON, {"schema": operation.later, "example": data("document")["later"]}
        return
    if operation.answer is not None:
        yield JSON, {"schema": operation.answer, **examples}
    for media, text in operation.other.items():
        yield media, {"schema": {"type": "string"}, "example": text}


def _shown(example: Example) -> dict[str, Any]:
    found = {"summary": example.summary, "value": example.answer}
    if example.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        # A request that breaks the schemas has no place among those that they describe.
        sent = example.body or example.form or {**example.path, **example.query}
        found["description"] = f"Sent: `{json.dumps(sent, ensure_ascii=False)}`"
    return found


def _by_name(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}
