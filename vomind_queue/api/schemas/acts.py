"""The body of an act on many calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import post_load

from vomind_queue.api.schemas import call_fields, call_log, fields
from vomind_queue.api.schemas.calls import REQUIRED, RequestSchema
from vomind_queue.calls.call_act import Act

#: Ids in one request; more calls are named by what they match.
MOST_IDS = 1_000
_JOB_ID = re.compile(r"[!-~]{1,128}")


class ActWord(fields.Choice[Act], words={str(act): act for act in Act}):
    """What is to be done."""


class JobIds(fields.Rule[list[str]]):
    """Ids of the calls."""

    shape: Mapping[str, Any] = {
        "type": "array",
        "items": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "minItems": 1,
        "maxItems": MOST_IDS,
    }

    def read(self, value: Any) -> list[str]:
        if (
            not isinstance(value, list)
            or not 1 <= len(value) <= MOST_IDS
            or not all(isinstance(each, str) and _JOB_ID.fullmatch(each) for each in value)
        ):
            raise fields.mismatch(f"a list of 1 to {MOST_IDS:,} ids of calls", value)
        return list(dict.fromkeys(value))


class Match(fields.Rule[dict[str, Any]]):
    """Filters as in `GET /api/calls`, in place of ids."""

    shape: Mapping[str, Any] = {
        "type": "object",
        "propertyNames": {"enum": list(call_log.FILTERS)},
        "properties": call_log.filter_shapes(),
    }

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not value.keys() <= set(call_log.FILTERS):
            raise fields.mismatch(f"an object with {', '.join(call_log.FILTERS)}", value)
        search, _ = call_log.SEARCH.load(value)
        return {name: getattr(search, name) for name in call_log.FILTERS.values()}


class ActSchema(RequestSchema):
    """What is to be done to which calls."""

    act = ActWord(required=True, error_messages=REQUIRED)
    ids = JobIds(data_key="jobIds")
    match = Match()
    priority = call_fields.Urgency(allow_none=True)
    due_ms = fields.Instant(data_key="scheduleAt")

    together: ClassVar[fields.Shape] = {
        "oneOf": [{"required": ["jobIds"]}, {"required": ["match"]}],
        "if": {"properties": {"act": {"const": str(Act.CHANGE)}}},
        "then": {
            "anyOf": [
                {"required": ["priority"], "properties": {"priority": {"type": "string"}}},
                {"required": ["scheduleAt"], "properties": {"scheduleAt": {"type": "string"}}},
            ]
        },
    }

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return errors by field."""
        found = super().faults(data, sent)
        if ("jobIds" in sent) == ("match" in sent):
            found["jobIds"] = ["Must be given, or match in its place; not both."]
        if data.get("act") is Act.CHANGE and not (data.get("priority") or data.get("due_ms")):
            found["priority"] = ["Must be given for a change, or scheduleAt."]
        return found

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the fields."""
        return data


ACT = ActSchema()
