"""The OpenAPI document: what is sent by marshmallow's schemas, all else from `data/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from vomind_queue import __version__
from vomind_queue.api.openapi.answer_schemas import answer_schemas, nullable
from vomind_queue.api.openapi.paths import described, refusal
from vomind_queue.api.openapi.texts import data, meaning, operations
from vomind_queue.api.schemas import acts as act_schemas
from vomind_queue.api.schemas import call_log as log_schemas
from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import campaigns as campaign_schemas
from vomind_queue.api.schemas import do_not_call as do_not_call_schemas
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.schemas import recurring as recurring_schemas
from vomind_queue.api.schemas import rules as rule_schemas
from vomind_queue.api.schemas import webhooks as webhook_schemas
from vomind_queue.api.schemas.call_fields import Calls
from vomind_queue.api.schemas.fields import Rule, Shape
from vomind_queue.api.schemas.lists import LIST_CHANGE, LIST_FILE
from vomind_queue.api.schemas.trends import TRENDS
from vomind_queue.webhooks.event_types import TYPES

#: Schemas that check bodies, by their names among the components.
BODIES: Mapping[str, Schema] = {
    "CallRequest": call_schemas.CALL,
    "DelayedCallRequest": call_schemas.DELAYED_CALL,
    "BulkCall": call_schemas.TIMED_CALL,
    "CallChange": call_schemas.CHANGE,
    "BulkRequest": call_schemas.BULK,
    "RecurringCallRequest": recurring_schemas.RECURRING,
    "RecurringCallChange": recurring_schemas.CHANGE,
    "CampaignRequest": campaign_schemas.CAMPAIGN,
    "CampaignChange": campaign_schemas.CHANGE,
    "DryRunRequest": campaign_schemas.DRY_RUN,
    "ListChange": LIST_CHANGE,
    "PreviewRequest": recurring_schemas.PREVIEW,
    "ActRequest": act_schemas.ACT,
    "DoNotCallRequest": do_not_call_schemas.WISH,
    "DoNotCallImport": do_not_call_schemas.IMPORT,
    "DoNotCallRemoval": do_not_call_schemas.REMOVAL,
    "CheckRequest": rule_schemas.CHECK,
    "ClosedDayRequest": rule_schemas.CLOSED_DAY,
    "RefusalRequest": rule_schemas.REFUSAL,
    "WebhookRequest": webhook_schemas.WEBHOOK,
    "WebhookChange": webhook_schemas.CHANGE,
    "WebhookReplay": webhook_schemas.REPLAY,
    "PauseRequest": queue_schemas.PAUSE,
    "CleanRequest": queue_schemas.CLEAN,
    "RetryRequest": queue_schemas.RETRY,
    "RetryFailedRequest": queue_schemas.RETRY_FAILED,
}
#: Schemas whose fields are elsewhere: a change is read with all that stays.
_FIELDS_OF: Mapping[str, Schema] = {
    "CallChange": call_schemas.ChangeSchema(partial=True),
    "CampaignChange": campaign_schemas.CampaignSchema(partial=True),
    "RecurringCallChange": recurring_schemas.RecurringSchema(exclude=("to",), partial=True),
}
_QUERIES: Mapping[str, Schema] = {
    "Page": queue_schemas.PAGE,
    "RecurringPage": recurring_schemas.PAGE,
    "Search": log_schemas.SEARCH,
    "DeedSearch": log_schemas.DEEDS,
    "Evidence": log_schemas.EVIDENCE,
    "CampaignCallsPage": campaign_schemas.CALLS_PAGE,
    "CampaignPlanPage": campaign_schemas.PLAN_PAGE,
    "ListFile": LIST_FILE,
    "DoNotCallPage": do_not_call_schemas.PAGE,
    "TrendSearch": TRENDS,
}


@cache
def document() -> dict[str, Any]:
    """Return the document, as JSON's plain values. Raise ReferenceFault."""
    shared = data("document")
    # Any: apispec's types know neither None for "inline" nor the converter's functions.
    resolver: Any = _name
    plugin = MarshmallowPlugin(schema_name_resolver=resolver)
    spec = APISpec(
        title="VoMind Queue",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": shared["text"], "license": {"name": "MIT", "identifier": "MIT"}},
        # Relative to the document's own address, which may lie below a proxy's prefix.
        servers=[{"url": ".", "description": "This service."}],
        security=[{"bearer": []}, {"key": []}],
        tags=[{"name": name, "description": text} for name, text in shared["tags"].items()],
    )
    converter: Any = plugin.converter
    converter.add_attribute_function(_described)
    _add_components(spec)
    for each in operations():
        query = _query(converter, each.query)
        spec.path(path=each.path, operations={each.method.lower(): described(each, query)})
    return {**spec.to_dict(), "webhooks": _webhooks()}


def _webhooks() -> Shape:
    """Return what is sent to webhooks, by the type of the event."""
    headers = [{**each, "in": "header", "required": True} for each in data("document")["delivery"]]
    body = {"schema": {"$ref": "#/components/schemas/WebhookEvent"}}
    arrived = {"2XX": {"description": "It arrived. Anything else is a failure."}}
    return {
        name: {
            "post": {
                "operationId": f"deliver-{name}",
                "summary": text,
                "tags": ["Webhooks"],
                "parameters": headers,
                "requestBody": {"required": True, "content": {"application/json": body}},
                "responses": arrived,
                "security": [],
            }
        }
        for name, text in TYPES.items()
    }


@cache
def encoded() -> bytes:
    """Return the document as JSON in UTF-8."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


def _query(converter: Any, name: str | None) -> Shape:
    if name is None:
        return {}
    if name in _QUERIES:
        return dict(converter.fields2jsonschema(_QUERIES[name].fields))
    return deepcopy(answer_schemas()[name])


def _add_components(spec: APISpec) -> None:
    parts, shared = spec.components, data("document")
    for name, shape in answer_schemas().items():
        parts.schema(name, shape)
    for name, schema in BODIES.items():
        # What no field says alone stands beside the fields.
        beside = {"description": _first_line(schema), **getattr(schema, "together", {})}
        parts.schema(name, beside, schema=_FIELDS_OF.get(name, schema))
    for name, header in shared["headers"].items():
        parts.header(name, header)
    for name, parameter in shared["parameters"].items():
        parts.parameter(name, parameter["in"], parameter)
    for name, entry in shared["refusals"].items():
        parts.response(name, refusal(entry))
    for name, scheme in shared["security"].items():
        parts.security_scheme(name, scheme)


def _name(schema: Any) -> str | None:
    """Return the component of a nested schema."""
    kind = schema if isinstance(schema, type) else type(schema)
    return next((name for name, known in BODIES.items() if type(known) is kind), None)


def _first_line(schema: Schema) -> str:
    return (schema.__doc__ or "").splitlines()[0]


def _described(_: Any, field: fields.Field[Any], **__: Any) -> Shape:
    """Return a field's shape, where it knows its own, and its text; apispec calls this for each."""
    shape = dict(field.shape) if isinstance(field, Rule | Calls) else {}
    if isinstance(field, act_schemas.Match):
        shape["properties"] = _meant(shape["properties"], log_schemas.SearchSchema.__name__)
    elif "properties" in shape:
        shape["properties"] = _meant(shape["properties"], type(field).__name__)
    if shape and field.allow_none:
        shape = nullable(shape)
    if isinstance(field.parent, Schema):
        kinds = [kind.__name__ for kind in type(field.parent).__mro__]
        shape = {**shape, "description": meaning(kinds, str(field.data_key or field.name))}
    return shape


def _meant(shapes: Mapping[str, Shape], kind: str) -> Shape:
    """Return properties with the texts that they have as fields of a schema."""
    return {name: {**shape, "description": meaning([kind], name)} for name, shape in shapes.items()}
