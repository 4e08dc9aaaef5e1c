"""Which calls of the log are asked for: the query of ``GET /api/calls``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from marshmallow import RAISE, Schema, ValidationError, post_load
from marshmallow.fields import String
from marshmallow.validate import Length, OneOf

from vomind_queue.api.schemas.fields import Matching, PhoneNumber, Rule
from vomind_queue.api.serializers.times import parse_instant
from vomind_queue.call_log.models import OUTCOMES, STATES, CallRow, Search
from vomind_queue.calls.phone_numbers import canonical

#: Calls on one page of the log.
MOST_CALLS = 1_000


class Number(PhoneNumber):
    """A number in an address, where a plus sign that was not encoded is read as a space."""

    def read(self, value: Any) -> str:
        return canonical(
            super().read(re.sub(r"^ ", "+", value) if isinstance(value, str) else value)
        )


def one_of(words: Sequence[str]) -> String:
    """A text that is one of a few."""
    return String(validate=OneOf(words, error=f"Choose one of: {', '.join(words)}."))


def text(**more: Any) -> String:
    """What an app may have sent as a lead's name, or an id."""
    return String(validate=Length(1, 128, error="Give a text of 1 to 128 characters."), **more)


class Moment(Rule[int]):
    """A time, as unix ms. As in a number, a plus sign may have become a space."""

    shape: Mapping[str, Any] = {"type": "string", "format": "date-time"}

    def read(self, value: Any) -> int:
        try:
            return parse_instant(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", str(value)))
        except ValueError:
            raise ValidationError(
                "Write the time as 2030-11-20T10:00:00Z, with its offset."
            ) from None


class Limit(Rule[int]):
    """How many calls are shown at once; an address has it in digits."""

    shape: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": MOST_CALLS}

    def read(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,5}", str(value)) or not 1 <= int(value) <= MOST_CALLS:
            raise ValidationError(f"Give a whole number from 1 to {MOST_CALLS:,}.")
        return int(value)


class Cursor(
    Matching, pattern=r"[0-9]{15}-[!-~]{1,128}", told="Give what an earlier answer had in next."
):
    """The key of the last call on the page before."""


class SearchSchema(Schema):
    """The query; a name that is not known is refused, because it would show other calls."""

    error_messages = {"unknown": "There is no such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    number = Number()
    lead_id = text()
    job_id = text(data_key="jobId")
    state = one_of(STATES)
    outcome = one_of(OUTCOMES)
    since_ms = Moment(data_key="since")
    until_ms = Moment(data_key="until")
    limit = Limit()
    after = Cursor(data_key="cursor")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Search:
        """The search."""
        return Search(**data)


def sent(query: Mapping[str, str]) -> dict[str, str]:
    """The query's values; an empty one means that the filter was left open in a form."""
    return {name: value for name, value in query.items() if value != ""}


def next_page(
    path: str, query: Mapping[str, str], rows: Sequence[CallRow], limit: int
) -> str | None:
    """Address of the page behind these rows; ``None`` when there is none."""
    if len(rows) < limit:
        return None
    return f"{path}?{urlencode({**sent(query), 'cursor': rows[-1].key})}"


SEARCH = SearchSchema()
NUMBER = Number()
