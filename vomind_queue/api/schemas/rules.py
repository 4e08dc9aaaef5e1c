"""The body of the endpoint that judges a call by the calling rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, post_load

from vomind_queue.api.schemas import consent_fields, fields
from vomind_queue.api.schemas.calls import REQUIRED, RequestSchema
from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import PhoneNumber
from vomind_queue.rules.law import ClosedDay


class CheckSchema(RequestSchema):
    """A call that is to be judged, and not to be placed."""

    to = fields.PhoneNumber(required=True, error_messages=REQUIRED)
    timezone = fields.TimeZone(allow_none=True)
    region = fields.Region(allow_none=True)
    purpose = consent_fields.PurposeWord(allow_none=True)
    at_ms = fields.Instant(data_key="at", allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[Call, int | None]:
        """Return the call, and the instant to judge it at, unix ms; None for now."""
        at_ms = data.pop("at_ms", None)
        number = PhoneNumber(data.pop("to"))
        return Call(to=number.spelling, **data), at_ms


class RefusalSchema(RequestSchema):
    """When a person refused."""

    at_ms = fields.Instant(data_key="at", allow_none=True)


class Day(fields.Rule[date]):
    """A date on the clock of the person called."""

    shape: Mapping[str, Any] = {"type": "string", "format": "date"}

    def read(self, value: Any) -> date:
        try:
            # Python reads other forms of ISO 8601, too.
            found = date.fromisoformat(value)
        except (TypeError, ValueError):
            found = None
        if found is None or found.isoformat() != value:
            raise fields.mismatch("a date, such as 2027-02-09", value)
        return found


class ClosedDaySchema(RequestSchema):
    """A day, or several in a row, on which nobody is to be called."""

    day = Day(required=True, error_messages=REQUIRED)
    last = Day(allow_none=True)
    region = fields.Region(allow_none=True)
    reason = fields.ShortText(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ClosedDay:
        """Return the day. Raise ValidationError."""
        day, last = data["day"], data.get("last")
        if last is not None and last < day:
            raise ValidationError("Must not be before day.", "last")
        return ClosedDay(
            day=day,
            last=None if last == day else last,
            region=data.get("region") or "",
            reason=data.get("reason"),
        )


CHECK = CheckSchema()
CLOSED_DAY = ClosedDaySchema()
REFUSAL = RefusalSchema()
