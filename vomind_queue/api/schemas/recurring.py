"""The bodies and queries of the endpoints about recurring calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import RAISE, ValidationError, post_load

from vomind_queue.api.schemas import calls as call_schemas
from vomind_queue.api.schemas import consent_fields, fields
from vomind_queue.api.schemas import queue as queue_schemas
from vomind_queue.api.schemas.call_log import Number, Text
from vomind_queue.api.schemas.calls import CallSchema, RequestSchema
from vomind_queue.calls.call import Call
from vomind_queue.calls.instants import iso
from vomind_queue.calls.phone_number import PhoneNumber
from vomind_queue.recurring.cron import Cron, CronError
from vomind_queue.recurring.runs import HORIZON_MS
from vomind_queue.recurring.schedule import Overlap, Recurrence, ScheduleSearch

#: Runs of one recurring call.
MOST_RUNS = 1_000_000
#: With less, even a run that the scheduler queued at once would be too late, ms.
LEAST_GRACE_MS = 1_000
#: A week, ms: nobody waits longer for a call.
MOST_GRACE_MS = 7 * 24 * 3600 * 1000
#: 2000-01-01, unix ms.
FIRST_MS = 946_684_800_000
#: Runs that a preview shows.
MOST_PREVIEWED = 50
PREVIEWED = 10


class CronExpression(fields.Rule[str]):
    """Five fields, or a macro."""

    shape: Mapping[str, Any] = {"type": "string", "format": "cron"}

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise fields.mismatch("five cron fields, such as 0 9 * * 1-5, or @daily", value)
        try:
            return Cron(value).text
        except CronError as error:
            raise ValidationError(str(error)) from None


class Moment(fields.Instant):
    """A time within this century."""

    def read(self, value: Any) -> int:
        moment = super().read(value)
        if not FIRST_MS <= moment <= HORIZON_MS:
            raise fields.mismatch("a time between the years 2000 and 2099", value)
        return moment


class LastMoment(Moment, fields.Until):
    """The end of something within this century."""


class OverlapRule(
    fields.Choice[Overlap],
    words={overlap.value: overlap for overlap in Overlap},
):
    """What to do while the previous run is still active."""


class Key(
    fields.Matching,
    # No spaces: nobody would see them at either end.
    pattern=r"[!-~]{1,128}",
    expected="1 to 128 printable ASCII characters without spaces",
):
    """The client's own name for a recurring call."""


class RecurringSchema(CallSchema):
    """A call to place again and again; `read` fills in the time zone."""

    class Meta(CallSchema.Meta):
        #: A single moment says nothing of many runs; `timezone` is the zone of the pattern.
        exclude = ("not_after", "timezone")

    cron = CronExpression(
        data_key="cronExpression", required=True, error_messages=call_schemas.REQUIRED
    )
    zone = fields.TimeZone(data_key="timezone", allow_none=True)
    person_zone = fields.TimeZone(data_key="personTimezone", allow_none=True)
    start_ms = Moment(data_key="startAt", allow_none=True)
    end_ms = LastMoment(data_key="endAt", allow_none=True)
    max_runs = fields.Integer(data_key="maxRuns", least=1, most=MOST_RUNS, allow_none=True)
    misfire_grace_ms = fields.Integer(
        data_key="graceMs", least=LEAST_GRACE_MS, most=MOST_GRACE_MS, allow_none=True
    )
    overlap = OverlapRule(allow_none=True)
    key = Key(allow_none=True)

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return also the error of an end before the start."""
        found = super().faults(data, sent)
        start_ms, end_ms = data.get("start_ms"), data.get("end_ms")
        if start_ms is not None and end_ms is not None and end_ms < start_ms:
            found["endAt"] = ["Must not be before startAt."]
        return found

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Return the recurrence with its defaults filled in."""
        own = (
            "cron",
            "zone",
            "start_ms",
            "end_ms",
            "max_runs",
            "misfire_grace_ms",
            "overlap",
            "key",
        )
        given = {name: data[name] for name in own if data.get(name) is not None}
        call = replace(super().make(data).call, timezone=data.get("person_zone"))
        return Recurrence(call=call, **{"zone": "UTC", **given})

    def read(self, body: Mapping[str, Any], default_zone: str) -> Recurrence:
        """Return a body's recurrence. Raise ValidationError."""
        zone = body.get("timezone")
        whole = {**body, "timezone": default_zone if zone is None else zone}
        recurrence: Recurrence = self.load(whole)
        return recurrence


class ChangeSchema(RequestSchema):
    """A change of a recurring call, merged with the fields that stay."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = RECURRING.known - {"to"}

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return also the error of another number, which would be another recurring call."""
        if "to" in sent:
            text = "Must not be set: for another number, schedule another recurring call."
            return {"to": [text]}
        return super().faults(data, sent)

    def merged(self, old: Recurrence, body: Mapping[str, Any], default_zone: str) -> Recurrence:
        """Return the recurrence with the changes; ``null`` resets a field to its default.

        Raise ValidationError.
        """
        self.load(dict(body))
        changes = {name: value for name, value in body.items() if name in self.known}
        changed = RECURRING.read({**_as_body(old), **changes}, default_zone)
        return replace(changed, call=call_schemas.signed_as(changed.call, old.call))


def _as_body(old: Recurrence) -> dict[str, Any]:
    return {
        **call_schemas.stored(old.call),
        "cronExpression": old.cron,
        "timezone": old.zone,
        "personTimezone": old.call.timezone,
        "startAt": None if old.start_ms is None else iso(old.start_ms),
        "endAt": None if old.end_ms is None else iso(old.end_ms),
        "maxRuns": old.max_runs,
        "graceMs": old.misfire_grace_ms,
        "overlap": str(old.overlap),
        "key": old.key,
    }


class PreviewSchema(RequestSchema):
    """A pattern to preview, and who would be called."""

    cron = CronExpression(
        data_key="cronExpression", required=True, error_messages=call_schemas.REQUIRED
    )
    zone = fields.TimeZone(data_key="timezone", allow_none=True)
    from_ms = Moment(data_key="from", allow_none=True)
    count = fields.Integer(least=1, most=MOST_PREVIEWED, allow_none=True)
    to = fields.PhoneNumber(allow_none=True)
    person_zone = fields.TimeZone(data_key="personTimezone", allow_none=True)
    region = fields.Region(allow_none=True)
    purpose = consent_fields.PurposeWord(allow_none=True)

    @staticmethod
    def call(asked: Mapping[str, Any]) -> Call | None:
        """Return the call that is asked about; None for a mere pattern."""
        if not asked.get("to"):
            return None
        return Call(
            to=PhoneNumber(asked["to"]).spelling,
            timezone=asked.get("person_zone"),
            region=asked.get("region"),
            purpose=asked.get("purpose"),
        )


class RecurringPageSchema(queue_schemas.PageSchema):
    """Which recurring calls to show; an unknown filter is refused, as in the call log."""

    error_messages = {"unknown": "No such filter."}  # noqa: RUF012  (marshmallow's form)

    class Meta:
        unknown = RAISE

    number = Number()
    lead_id = Text()
    key = Key()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Return the filters, and the first and the last position. Raise ValidationError."""
        filters = {name: data.pop(name, None) for name in ("number", "lead_id", "key")}
        return ScheduleSearch(**filters), *super().make(data)


RECURRING = RecurringSchema()
CHANGE = ChangeSchema()
PREVIEW = PreviewSchema()
PAGE = RecurringPageSchema()
