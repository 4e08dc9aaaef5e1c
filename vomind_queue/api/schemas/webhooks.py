"""The bodies of the endpoints for webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import post_load

from vomind_queue.api.schemas import fields
from vomind_queue.api.schemas.calls import REQUIRED, RequestSchema
from vomind_queue.webhooks.addresses import MAX_URL
from vomind_queue.webhooks.event_types import patterns

#: The last number that every reader of JSON reads exactly.
MOST_SEQUENCE = 2**53 - 1


class ReceiverUrl(fields.Rule[str]):
    """Where events are sent. Whether it may be is for the settings to say."""

    shape: Mapping[str, Any] = {"type": "string", "format": "receiver-url", "maxLength": MAX_URL}

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise fields.mismatch("an https:// address", value)
        return value


class EventTypes(fields.Rule[list[str]]):
    """Types of events."""

    shape: Mapping[str, Any] = {
        "type": "array",
        "items": {"type": "string", "enum": list(patterns())},
    }

    def read(self, value: Any) -> list[str]:
        known = patterns()
        if not isinstance(value, list) or any(each not in known for each in value):
            raise fields.mismatch("a list of types, such as call.ended or call.*", value)
        return list(dict.fromkeys(value))


#: Fields of a request by those of a subscription.
_NAMES = {"url": "url", "types": "types", "campaign": "campaign", "include_message": "with_words",
          "description": "description", "enabled": "enabled"}  # fmt: skip


class _Fields(RequestSchema):
    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return fields of a subscription; ``null`` stands for the default."""
        defaults = {"types": (), "with_words": False, "enabled": True}
        named = {_NAMES[name]: value for name, value in data.items()}
        return {
            name: defaults.get(name) if value is None else value for name, value in named.items()
        }


class WebhookSchema(_Fields):
    """Where events are to be sent, and which."""

    url = ReceiverUrl(required=True, error_messages=REQUIRED)
    types = EventTypes(allow_none=True)
    campaign = fields.ShortText(allow_none=True)
    include_message = fields.YesOrNo(data_key="includeMessage", allow_none=True)
    description = fields.ShortText(allow_none=True)


class WebhookChangeSchema(_Fields):
    """What is to be changed of a webhook."""

    url = ReceiverUrl()
    types = EventTypes(allow_none=True)
    campaign = fields.ShortText(allow_none=True)
    include_message = fields.YesOrNo(data_key="includeMessage", allow_none=True)
    description = fields.ShortText(allow_none=True)
    enabled = fields.YesOrNo()


class ReplaySchema(RequestSchema):
    """From where events are to be delivered again."""

    sequence = fields.Integer(least=1, most=MOST_SEQUENCE, allow_none=True)
    since_ms = fields.Instant(data_key="since", allow_none=True)

    together = {  # noqa: RUF012  (as in `RequestSchema`)
        "oneOf": [
            {"required": ["sequence"], "properties": {"sequence": {"type": "integer"}}},
            {"required": ["since"], "properties": {"since": {"type": "string"}}},
        ]
    }

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        found = super().faults(data, sent)
        if (sent.get("sequence") is None) == (sent.get("since") is None):
            found["sequence"] = ["Must be set, or since in its place."]
        return found


WEBHOOK = WebhookSchema()
CHANGE = WebhookChangeSchema()
REPLAY = ReplaySchema()
