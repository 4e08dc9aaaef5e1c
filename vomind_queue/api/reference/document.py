"""The OpenAPI document, put together from the endpoints' descriptions and their schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from vomind_queue import __version__
from vomind_queue.api import recurring_schemas, schemas
from vomind_queue.api.fields import Calls, Rule
from vomind_queue.api.reference import (
    around,
    calls,
    history,
    jobs,
    overview,
    queue,
    records,
    recurring,
    recurring_shapes,
)
from vomind_queue.api.reference.common import HEADERS, PARAMETERS, REFUSALS, SECURITY, TAGS, TEXT
from vomind_queue.api.reference.operation import Operation
from vomind_queue.api.reference.paths import described
from vomind_queue.api.reference.shapes import Shape, maybe
from vomind_queue.api.reference.wording import ELSEWHERE, FIELDS

OPERATIONS: list[Operation] = [
    *calls.OPERATIONS,
    *recurring.OPERATIONS,
    *jobs.OPERATIONS,
    *queue.OPERATIONS,
    *overview.OPERATIONS,
    *history.OPERATIONS,
    *around.OPERATIONS,
]

#: Shapes of answers, by their names among the components.
_ANSWERS: Mapping[str, Shape] = {
    **records.SCHEMAS,
    **calls.SCHEMAS,
    **recurring_shapes.SCHEMAS,
    **jobs.SCHEMAS,
    **queue.SCHEMAS,
    **overview.SCHEMAS,
    **history.SCHEMAS,
    **around.SCHEMAS,
}

#: Schemas that check bodies, by their names among the components.
BODIES: Mapping[str, Schema] = {
    "CallRequest": schemas.CALL,
    "DelayedCallRequest": schemas.DELAYED_CALL,
    "BulkCall": schemas.TIMED_CALL,
    "BulkRequest": schemas.BULK,
    "RecurringCallRequest": recurring_schemas.RECURRING,
    # A change is read with all that stays, by the schema of the whole.
    "RecurringCallChange": recurring_schemas.CHANGE,
    "PreviewRequest": recurring_schemas.PREVIEW,
    "CleanRequest": schemas.CLEAN,
    "RetryFailedRequest": schemas.RETRY_FAILED,
}
_READ_BY: Mapping[Schema, Schema] = {
    recurring_schemas.CHANGE: recurring_schemas.RecurringSchema(exclude=("to",), partial=True)
}


@cache
def document() -> dict[str, Any]:
    """The document, as JSON's plain values."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="VoMind Queue",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={
            "description": TEXT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        servers=[{"url": "/", "description": "This service."}],
        security=[{"bearer": []}, {"key": []}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    # Any: apispec's own is not typed.
    converter: Any = plugin.converter
    converter.add_attribute_function(_shape)
    _add_components(spec)
    for operation in OPERATIONS:
        query = converter.fields2jsonschema(operation.query.fields) if operation.query else {}
        spec.path(
            path=operation.path,
            operations={operation.method.lower(): described(operation, _body(operation), query)},
        )
    return spec.to_dict()


@cache
def encoded() -> bytes:
    """The document as JSON in UTF-8."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


def _add_components(spec: APISpec) -> None:
    for name, shape in _ANSWERS.items():
        spec.components.schema(name, shape)
    for name, schema in BODIES.items():
        spec.components.schema(name, _beyond_fields(schema), schema=_READ_BY.get(schema, schema))
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, parameter in PARAMETERS.items():
        spec.components.parameter(name, parameter["in"], parameter)
    for name, refusal in REFUSALS.items():
        spec.components.response(name, refusal)
    for name, scheme in SECURITY.items():
        spec.components.security_scheme(name, scheme)


def _beyond_fields(schema: Schema) -> Shape:
    text = (schema.__doc__ or "").splitlines()[0]
    return {"description": text, **getattr(schema, "together", {})}


def _body(operation: Operation) -> str | None:
    """The component of the operation's body."""
    return operation.body_name or next(
        (name for name, schema in BODIES.items() if schema is operation.body), None
    )


def _name(schema: Any) -> str:
    """The component that describes a nested schema."""
    kind = schema if isinstance(schema, type) else type(schema)
    return next(name for name, known in BODIES.items() if type(known) is kind)


def _shape(_: Any, field: fields.Field[Any], **__: Any) -> Shape:
    """What a field takes, by its own words; called for each by apispec."""
    shape = field.shape() if isinstance(field, Rule | Calls) else {}
    if field.allow_none:
        shape = maybe(shape)
    name = str(field.data_key or field.name)
    text = ELSEWHERE.get(f"{type(field.parent).__name__}.{name}") or FIELDS[name]
    return {**shape, "description": text}
