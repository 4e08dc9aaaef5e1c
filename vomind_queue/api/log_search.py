"""Which calls of the log are asked for: the query of ``GET /api/calls``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from marshmallow import RAISE, Schema, ValidationError, post_load

from vomind_queue.api.fields import PhoneNumber, Rule, Shape, whole
from vomind_queue.api.times import parse_instant
from vomind_queue.logbook import OUTCOMES, STATES, CallRow, Search

#: Calls on one page of the log.
MOST_CALLS = 1_000
_CURSOR = re.compile(r"[0-9]{15}-[!-~]{1,128}")
_LIMIT = re.compile(r"[0-9]{1,5}")


class Number(PhoneNumber):
    """A number in an address, where a plus sign that was not encoded is read as a space."""

    def read(self, value: Any) -> str:
        """The number with its plus sign."""
        return super().read(re.sub(r"^ ", "+", value) if isinstance(value, str) else value)


class Word(Rule[str]):
    """One of a few words."""

    def __init__(self, words: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = words

    def shape(self) -> Shape:
        """The words."""
        return {"type": "string", "enum": list(self._words)}

    def read(self, value: Any) -> str:
        """The word as it is."""
        if value not in self._words:
            raise ValidationError(f"Choose one of: {', '.join(self._words)}.")
        return str(value)


class Text(Rule[str]):
    """What an app may have sent as a lead's name, or an id."""

    def shape(self) -> Shape:
        """Any text."""
        return {"type": "string", "minLength": 1, "maxLength": 128}

    def read(self, value: Any) -> str:
        """The text as it is."""
        if not isinstance(value, str) or not 1 <= len(value) <= 128:  # noqa: PLR2004
            raise ValidationError("Give a text of 1 to 128 characters.")
        return value


class Moment(Rule[int]):
    """A time, as unix ms."""

    def shape(self) -> Shape:
        """RFC 3339."""
        return {"type": "string", "format": "date-time"}

    def read(self, value: Any) -> int:
        """Unix ms. As in a number, a plus sign may have become a space."""
        try:
            return parse_instant(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", str(value)))
        except ValueError:
            raise ValidationError(
                "Write the time as 2030-11-20T10:00:00Z, with its offset."
            ) from None


class Limit(Rule[int]):
    """How many calls are shown at once."""

    def shape(self) -> Shape:
        """As a number: an address has digits only."""
        return {"type": "integer", "minimum": 1, "maximum": MOST_CALLS}

    def read(self, value: Any) -> int:
        """The number that the digits mean."""
        if not _LIMIT.fullmatch(str(value)) or not 1 <= int(value) <= MOST_CALLS:
            raise ValidationError(f"Give a whole number from 1 to {MOST_CALLS:,}.")
        return int(value)


class Cursor(Rule[str]):
    """Where the page before ended."""

    def shape(self) -> Shape:
        """The form of a key."""
        return {"type": "string", "pattern": whole(_CURSOR)}

    def read(self, value: Any) -> str:
        """The key of its last call."""
        if not _CURSOR.fullmatch(str(value)):
            raise ValidationError("Give what an earlier answer had in next.")
        return str(value)


class SearchSchema(Schema):
    """The query; a name that is not known is refused, because it would show other calls."""

    error_messages = {"unknown": "There is no such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    number = Number()
    lead_id = Text()
    job_id = Text(data_key="jobId")
    state = Word(STATES)
    outcome = Word(OUTCOMES)
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
