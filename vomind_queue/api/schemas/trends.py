"""The query of ``GET /api/trends``."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, post_load

from vomind_queue.api.schemas.fields import Choice, TimeZone
from vomind_queue.call_log.trends import Span


class TrendSpan(Choice[Span], words={str(each): each for each in Span}):
    """How far back to look."""


class TrendSchema(Schema):
    """The query of ``GET /api/trends``."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    span = TrendSpan()
    zone = TimeZone(data_key="timezone")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[Span, str]:
        """Return the span, and the zone of the hours of the day."""
        return data.get("span", Span.DAY), data.get("zone", "UTC")


TRENDS = TrendSchema()
