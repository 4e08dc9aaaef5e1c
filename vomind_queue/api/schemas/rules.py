"""The body of the endpoint that judges a call by the calling rules."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from vomind_queue.api.schemas import fields
from vomind_queue.api.schemas.calls import REQUIRED, RequestSchema
from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import PhoneNumber


class CheckSchema(RequestSchema):
    """A call that is to be judged, and not to be placed."""

    to = fields.PhoneNumber(required=True, error_messages=REQUIRED)
    timezone = fields.TimeZone(allow_none=True)
    region = fields.Region(allow_none=True)
    purpose = fields.PurposeWord(allow_none=True)
    at_ms = fields.Instant(data_key="at", allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[Call, int | None]:
        """Return the call, and the instant to judge it at, unix ms; None for now."""
        at_ms = data.pop("at_ms", None)
        number = PhoneNumber(data.pop("to"))
        return Call(to=number.spelling, **data), at_ms


CHECK = CheckSchema()
