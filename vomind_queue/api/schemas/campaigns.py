"""The bodies of the endpoints about campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, post_load
from phonenumbers import SUPPORTED_REGIONS

from vomind_queue.api.schemas import fields
from vomind_queue.api.schemas.call_log import Limit, Words
from vomind_queue.api.schemas.calls import REQUIRED, CallSchema, RequestSchema
from vomind_queue.api.schemas.do_not_call import Place
from vomind_queue.api.schemas.recurring import LastMoment, Moment
from vomind_queue.calls.call import Priority, State
from vomind_queue.calls.campaign import PACE, Campaign, read_pace
from vomind_queue.calls.limits import Rate
from vomind_queue.rules.hours import InvalidHours, parse

#: More calls than any installation places at a time.
MOST_CONCURRENT = 10_000
#: A campaign's share is at most so many times that of another.
MOST_WEIGHT = 100
#: The longest text of hours: several ranges for each day.
MOST_HOURS_LENGTH = 500


#: How long a call lasts from the start of the attempt, where nobody says, ms; and at most.
USUAL_CALL_MS, LONGEST_CALL_MS = 60_000, 14_400_000


class Country(fields.Rule[str]):
    """A country that has phone numbers."""

    shape: Mapping[str, Any] = {"type": "string", "enum": sorted(SUPPORTED_REGIONS)}

    def read(self, value: Any) -> str:
        if isinstance(value, str) and value in SUPPORTED_REGIONS:
            return value
        raise fields.mismatch("a country in ISO 3166, such as DE or US", value)


class Pace(fields.Rule[Rate]):
    """How many calls may start in which time."""

    shape: Mapping[str, Any] = {"type": "string", "pattern": f"^{PACE.pattern}$"}

    def read(self, value: Any) -> Rate:
        try:
            return read_pace(value)
        except (TypeError, ValueError):
            raise fields.mismatch("calls and a time, such as 10/m or 200/h", value) from None


class WeekHours(fields.Rule[str]):
    """Hours of a week, on the clock of the person called."""

    shape: Mapping[str, Any] = {
        "type": "string",
        "format": "calling-hours",
        "maxLength": MOST_HOURS_LENGTH,
    }

    def read(self, value: Any) -> str:
        try:
            text = str(parse(value))
        except (AttributeError, InvalidHours):
            text = ""
        if not text or max(len(value), len(text)) > MOST_HOURS_LENGTH:
            expected = "hours for each day, such as mon-fri 09:00-20:00, sat-sun closed"
            raise fields.mismatch(expected, value)
        return text


class CampaignSchema(CallSchema):
    """A campaign; what it says of calls holds for those of its calls that do not say it."""

    class Meta(CallSchema.Meta):
        #: What only one call can say.
        exclude = ("to", "lead_id", "metadata", "not_after", "consent", "override")

    name = fields.ShortText(required=True, error_messages=REQUIRED)
    country = Country(allow_none=True)
    weight = fields.Integer(least=1, most=MOST_WEIGHT, allow_none=True)
    open = fields.YesOrNo(allow_none=True)
    pace = Pace(allow_none=True)
    max_concurrent = fields.Integer(
        data_key="maxConcurrent", least=1, most=MOST_CONCURRENT, allow_none=True
    )
    start_ms = Moment(data_key="startAt", allow_none=True)
    end_ms = LastMoment(data_key="endAt", allow_none=True)
    hours = WeekHours(allow_none=True)

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return also the error of an end that is not after the start."""
        found = super().faults(data, sent)
        start_ms, end_ms = data.get("start_ms"), data.get("end_ms")
        if start_ms is not None and end_ms is not None and end_ms <= start_ms:
            found["endAt"] = ["Must be after startAt."]
        return found

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Return the campaign with its defaults filled in."""
        own = {"name", "country", "priority", "weight", "open", "pace"}
        own |= {"max_concurrent", "start_ms", "end_ms", "hours"}
        return Campaign(
            name=data["name"],
            country=data.get("country"),
            pace=data.get("pace"),
            max_concurrent=data.get("max_concurrent"),
            start_ms=data.get("start_ms"),
            end_ms=data.get("end_ms"),
            hours=data.get("hours"),
            priority=data.get("priority") or Priority.NORMAL,
            weight=data.get("weight") or 1,
            open=data.get("open") or False,
            defaults={
                self.fields[each].data_key or each: value
                for each, value in data.items()
                if each not in own and value is not None
            },
        )


class CampaignChangeSchema(RequestSchema):
    """A change of a campaign, merged with the fields that stay."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = CAMPAIGN.known

    def merged(self, old: Campaign, body: Mapping[str, Any]) -> Campaign:
        """Return the campaign with the changes; ``null`` resets a field to its default.

        Raise ValidationError.
        """
        self.load(dict(body))
        changes = {name: value for name, value in body.items() if name in self.known}
        changed: Campaign = CAMPAIGN.load({**old.as_data(), **changes})
        return changed


class CallStates(Words, words=list(State)):
    """States of calls."""


class CallsPageSchema(Schema):
    """Which calls of a campaign to show."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    state = CallStates()
    limit = Limit()
    cursor = Place()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[list[State], str | None, int]:
        """Return the states, the call after which the page begins, and how many are wanted."""
        return [*map(State, data.get("state", ()))], data.get("cursor"), data.get("limit", 100)


class DryRunSchema(RequestSchema):
    """What a dry run assumes."""

    duration_ms = fields.Integer(
        data_key="durationMs", least=1_000, most=LONGEST_CALL_MS, allow_none=True
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> int:
        """Return how long a call lasts, ms."""
        return data.get("duration_ms") or USUAL_CALL_MS


class PlanPageSchema(Schema):
    """Which calls of a dry run to show."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    limit = Limit()
    cursor = Place()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[int, int]:
        """Return the call after which the page begins, and how many are wanted."""
        return int(data.get("cursor") or 0), data.get("limit", 100)


CAMPAIGN = CampaignSchema()
DRY_RUN = DryRunSchema()
PLAN_PAGE = PlanPageSchema()
CHANGE = CampaignChangeSchema()
CALLS_PAGE = CallsPageSchema()
