"""The query of ``GET /api/calls``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from marshmallow import RAISE, Schema, post_load

from vomind_queue.api.schemas.fields import (
    Choice,
    Matching,
    PhoneNumber,
    Rule,
    mismatch,
)
from vomind_queue.api.serializers.times import parse_instant
from vomind_queue.api.wording import either
from vomind_queue.call_log.models import MACHINE, NO_OUTCOME, OUTCOMES, PRIORITIES, STATES, Search
from vomind_queue.calls.deed import DeedSearch
from vomind_queue.calls.phone_number import canonical

#: Calls on one page of the log.
MOST_CALLS = 1_000
#: Characters of an identifier.
MAX_TEXT = 128


class Number(PhoneNumber):
    """A number in an address, where a plus sign that was not encoded arrives as a space."""

    def read(self, value: Any) -> str:
        return canonical(
            super().read(re.sub(r"^ ", "+", value) if isinstance(value, str) else value)
        )


class Words(Rule[tuple[str, ...]]):
    """One of a few words, or several between commas."""

    _words: Sequence[str]

    def __init_subclass__(cls, *, words: Sequence[str]) -> None:
        cls._words = words
        one = f"({'|'.join(words)})"
        cls.shape = {"type": "string", "pattern": f"^{one}(,{one})*$", "maxLength": MAX_TEXT}

    def read(self, value: Any) -> tuple[str, ...]:
        found = str(value).split(",")
        if wrong := next((each for each in found if each not in self._words), None):
            raise mismatch(either(self._words), wrong)
        if "" in found:
            raise mismatch(either(self._words), value)
        return tuple(dict.fromkeys(found))


class LoggedState(Words, words=STATES):
    """States of a call in the log."""


class LoggedOutcome(Words, words=(*OUTCOMES, MACHINE, NO_OUTCOME)):
    """Outcomes on the line in lists; ``none`` where there is none yet."""


class LoggedPriority(Words, words=PRIORITIES):
    """Priorities of a call in the log."""


class Flag(Choice[bool], words={"true": True, "false": False}):
    """Yes or no."""


class Text(Rule[str]):
    """A client's own identifier, or the id of a job."""

    shape: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
            raise mismatch(f"a string of 1 to {MAX_TEXT} characters", value)
        return value


class Moment(Rule[int]):
    """A time, as unix ms. As in a number, a plus sign may have become a space."""

    shape: Mapping[str, Any] = {"type": "string", "format": "date-time"}

    def read(self, value: Any) -> int:
        try:
            return parse_instant(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", str(value)))
        except ValueError:
            raise mismatch("a time with an offset, such as 2030-11-20T10:00:00Z", value) from None


class Limit(Rule[int]):
    """Calls on a page, as the digits in an address."""

    shape: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": MOST_CALLS}

    def read(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,5}", str(value)) or not 1 <= int(value) <= MOST_CALLS:
            raise mismatch(f"an integer between 1 and {MOST_CALLS:,}", value)
        return int(value)


class Cursor(
    Matching, pattern=r"[0-9]{15}-[!-~]{1,128}", expected="the value of next in an earlier answer"
):
    """The key of the last call on the page before."""


#: Filters of calls, by their names in a request, and the fields of `Search` that they become.
FILTERS = {
    "number": "number",
    "lead_id": "lead_id",
    "jobId": "job_id",
    "campaignId": "campaign_id",
    "state": "states",
    "outcome": "outcomes",
    "priority": "priorities",
    "since": "since_ms",
    "until": "until_ms",
}


class SearchSchema(Schema):
    """The query; an unknown name is refused, because ignoring it would show other calls."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    number = Number()
    lead_id = Text()
    job_id = Text(data_key="jobId")
    campaign_id = Text(data_key="campaignId")
    states = LoggedState(data_key="state")
    outcomes = LoggedOutcome(data_key="outcome")
    priorities = LoggedPriority(data_key="priority")
    since_ms = Moment(data_key="since")
    until_ms = Moment(data_key="until")
    limit = Limit()
    after = Cursor(data_key="cursor")
    count = Flag()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[Search, bool]:
        """Return the search, and whether all that match are to be counted."""
        counted = data.pop("count", False)
        return Search(**data), counted


def filter_shapes() -> dict[str, Any]:
    """Return the JSON Schema of each filter of calls, by its name in a request."""
    return {
        field.data_key or name: dict(field.shape)
        for name, field in SearchSchema().fields.items()
        if name in FILTERS.values() and isinstance(field, Rule)
    }


class Who(Text):
    """The name of an API key."""


class DeedCursor(
    Matching, pattern=r"[0-9]{1,15}", expected="the value of next in an earlier answer"
):
    """The number of the last deed on the page before."""


class DeedSearchSchema(Schema):
    """The query of ``GET /api/activity``."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    by = Who()
    since_ms = Moment(data_key="since")
    until_ms = Moment(data_key="until")
    limit = Limit()
    after = DeedCursor(data_key="cursor")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DeedSearch:
        """Return the search."""
        after = data.pop("after", None)
        return DeedSearch(after=None if after is None else int(after), **data)


def sent(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query without its empty values: filters left open in a form."""
    return {name: value for name, value in query.items() if value != ""}


def next_page(path: str, query: Mapping[str, str], cursor: str) -> str:
    """Return the address of the page that begins there."""
    return f"{path}?{urlencode({**sent(query), 'cursor': cursor})}"


class EvidenceSchema(Schema):
    """The query of ``GET /api/people/<number>/evidence``."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    limit = Limit()
    after = Cursor(data_key="cursor")


SEARCH = SearchSchema()
EVIDENCE = EvidenceSchema()
DEEDS = DeedSearchSchema()
NUMBER = Number()
