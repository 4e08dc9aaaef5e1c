"""The bodies and the query of the do-not-call list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, post_load

from vomind_queue.api.schemas import fields
from vomind_queue.api.schemas.call_log import Limit, Number
from vomind_queue.api.schemas.calls import REQUIRED, RequestSchema

#: Numbers in one import.
MOST_NUMBERS = 10_000
#: What people write between digits, and the zero that is only dialed within a country.
_BETWEEN = re.compile(r"\(0\)|[\s().\-/\u2010-\u2015]")


class WrittenNumber(Number):
    """A number as people write it, from its ``+`` on."""

    def read(self, value: Any) -> str:
        return super().read(_BETWEEN.sub("", value) if isinstance(value, str) else value)


class NumberList(fields.Rule[list[Any]]):
    """Numbers, each of which is read for itself."""

    shape: Mapping[str, Any] = {
        "type": "array",
        # Whatever is no number is refused in its own row of the answer.
        "items": {},
        "minItems": 1,
        "maxItems": MOST_NUMBERS,
    }

    def read(self, value: Any) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_NUMBERS:
            raise fields.mismatch(f"a list of 1 to {MOST_NUMBERS:,} numbers", value)
        return value


class YesNo(fields.Rule[bool]):
    """``true`` or ``false``."""

    shape: Mapping[str, Any] = {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise fields.mismatch("true or false", value)
        return value


class WishSchema(RequestSchema):
    """Why a number is listed."""

    reason = fields.ShortText(allow_none=True)
    source = fields.ShortText(allow_none=True)
    end_call = YesNo(data_key="endCall", allow_none=True)


class ImportSchema(RequestSchema):
    """Numbers to be listed."""

    numbers = NumberList(required=True, error_messages=REQUIRED)
    reason = fields.ShortText(allow_none=True)
    source = fields.ShortText(allow_none=True)


class RemovalSchema(RequestSchema):
    """Why a number may be called again."""

    reason = fields.ShortText(required=True, error_messages=REQUIRED)


class Place(
    fields.Matching, pattern=r"[0-9]{1,15}", expected="the value of next in an earlier answer"
):
    """The place of the last entry on the page before."""


class ListPageSchema(Schema):
    """The query of ``GET /api/do-not-call``."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    limit = Limit()
    cursor = Place()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[int | None, int]:
        """Return the place after which the page begins, and how many entries are wanted."""
        cursor = data.get("cursor")
        return None if cursor is None else int(cursor), data.get("limit", 100)


WISH = WishSchema()
IMPORT = ImportSchema()
REMOVAL = RemovalSchema()
PAGE = ListPageSchema()
NUMBER = WrittenNumber()
