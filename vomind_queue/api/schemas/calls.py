"""What every body has, and the shape of each body that has calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema
from marshmallow.fields import Nested

from vomind_queue.api.schemas import call_fields, consent_fields, fields, unknown_fields
from vomind_queue.calls import voices
from vomind_queue.calls.call import DEFAULT_MESSAGE, OPTIONS, Call, NewCall, Priority
from vomind_queue.calls.call_status import MACHINE, Detection
from vomind_queue.calls.phone_number import PhoneNumber

#: ``null`` could be mistaken for "at once".
_NO_TIME: dict[str, Any] = {"null": "Must be a time; for a call at once, set delayMs to 0."}


#: Messages of a required field that is absent.
REQUIRED: dict[str, Any] = {"required": "Must be set.", "null": "Must be set."}


def stored(call: Call) -> dict[str, Any]:
    """Return a stored call as the body that it came from."""
    data = call.as_data()
    given = data.pop("toGiven", None)
    if call.override:
        # Who said so is no client's to tell.
        data["override"] = {name: call.override[name] for name in ("rules", "reason")}
    if call.message == DEFAULT_MESSAGE:
        # As good as absent, which it has to be beside a twimlUrl.
        del data["message"]
    return {**data, "to": given or call.to}


def signed_as(call: Call, old: Call) -> Call:
    """Return a changed call; an override that was not changed keeps who said so."""
    same = call.override and call.override == stored(old).get("override")
    return replace(call, override=old.override) if same else call


def _given(name: str, kind: str) -> fields.Shape:
    """Return the shape of an object that has a field, and not as null."""
    return {"required": [name], "properties": {name: {"type": kind}}}


def _absent(name: str) -> fields.Shape:
    return {"properties": {name: {"type": "null"}}}


def _needs_detection(data: Mapping[str, Any]) -> str | None:
    """Return which field cannot do without a detection of machines."""
    if data.get("voicemail_message"):
        return "a voicemailMessage"
    return '"machine" in retryOn' if MACHINE in (data.get("retry_on") or ()) else None


def _beside_digits(data: Mapping[str, Any]) -> list[str]:
    """Return the error of digits beside a field that wants machines to be detected."""
    needs = _needs_detection(data)
    if not needs and data.get("machine_detection") not in (None, Detection.OFF):
        needs = "machineDetection"
    text = f"Must not be set together with {needs}: with digits to send, Twilio detects no machine."
    return [text] if needs else []


#: No field that needs a detection of machines.
_UNDETECTED: fields.Shape = {
    "voicemailMessage": {"type": "null"},
    "retryOn": {"not": {"contains": {"const": MACHINE}}},
}
#: Neither language nor voice.
_UNSPOKEN: fields.Shape = {"properties": {name: {"type": "null"} for name in ("language", "voice")}}


def _beside_an_application(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the errors of fields that have no effect where a call has its own application."""
    idle = ["message"] if data.get("message") else []
    if not data.get("voicemail_message"):
        idle += [name for name in ("language", "voice") if data.get(name)]
    text = "Must not be set together with twimlUrl: the application there says what is spoken."
    return {name: [text] for name in idle}


class RequestSchema(Schema):
    """A body; refuses slips in the names of fields."""

    #: Rules between fields, as a JSON Schema for the OpenAPI document; `faults` checks them.
    together: ClassVar[fields.Shape] = {}

    error_messages = {"type": "Must be a JSON object."}  # noqa: RUF012  (marshmallow's own form)

    class Meta:
        unknown = EXCLUDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = frozenset(field.data_key or name for name, field in self.fields.items())
        self._required = [
            field.data_key or name for name, field in self.fields.items() if field.required
        ]

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Return the fields of a body. Those that it lacks cost nothing; `faults` misses them."""
        return super().load(data, partial=True, **kwargs)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check(self, data: Any, original: Any, **_: Any) -> None:
        """Raise ValidationError where fields contradict each other."""
        if isinstance(original, dict) and (found := self.faults(data, original)):
            raise ValidationError(found)

    def faults(self, _data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return errors by field: what is missing, and a hint for each probable slip in a name."""
        found = {name: [REQUIRED["required"]] for name in self._required if name not in sent}
        if sent.keys() <= self.known:
            return found
        if len(sent) > unknown_fields.MOST_NAMES:
            text = f"Must have at most {unknown_fields.MOST_NAMES} fields; got {len(sent):,}."
            return {"_schema": [text]}
        return found | unknown_fields.slips(sent, self.known)

    def ignored(self, sent: Mapping[str, Any]) -> list[str]:
        """Return the names of fields in a valid body that have no effect."""
        if sent.keys() <= self.known:
            return []
        return unknown_fields.listed(unknown_fields.ignored(sent, self.known))


class CallSchema(RequestSchema):
    """A call to place at once."""

    to = fields.PhoneNumber(required=True, error_messages=REQUIRED)
    message = call_fields.Message(allow_none=True)
    lead_id = call_fields.LeadId(allow_none=True)
    priority = call_fields.Urgency(allow_none=True)
    metadata = call_fields.Metadata(allow_none=True)
    retry_on = call_fields.Outcomes(data_key="retryOn", allow_none=True)
    machine_detection = call_fields.DetectionWord(data_key="machineDetection", allow_none=True)
    voicemail_message = call_fields.Message(data_key="voicemailMessage", allow_none=True)
    language = call_fields.Language(allow_none=True)
    voice = call_fields.VoiceName(allow_none=True)
    twiml_url = call_fields.ApplicationUrl(data_key="twimlUrl", allow_none=True)
    ring_timeout_ms = call_fields.RingTimeout(data_key="ringTimeoutMs", allow_none=True)
    not_after = fields.LatestStart(data_key="notAfter", allow_none=True)
    send_digits = call_fields.Keys(data_key="sendDigits", allow_none=True)
    record = fields.YesOrNo(allow_none=True)
    from_number = call_fields.Sender(data_key="from", allow_none=True)
    timezone = fields.TimeZone(allow_none=True)
    region = fields.Region(allow_none=True)
    purpose = consent_fields.PurposeWord(allow_none=True)
    consent = consent_fields.Consent(allow_none=True)
    override = consent_fields.Override(allow_none=True)

    together: ClassVar[fields.Shape] = {
        "dependentSchemas": {
            "twimlUrl": {
                "if": {"properties": {"twimlUrl": {"type": "string"}}},
                "then": {
                    "allOf": [
                        _absent("message"),
                        {"anyOf": [_given("voicemailMessage", "string"), _UNSPOKEN]},
                    ]
                },
            },
            "machineDetection": {
                "if": {"properties": {"machineDetection": {"const": "off"}}},
                "then": {"properties": _UNDETECTED},
            },
            "sendDigits": {
                "if": {"properties": {"sendDigits": {"type": "string"}}},
                "then": {
                    "properties": {
                        **_UNDETECTED,
                        "machineDetection": {"enum": [Detection.OFF.value, None]},
                    }
                },
            },
        }
    }

    #: How many of scheduleAt and delayMs there may be, the fewest and the most.
    times = (0, 0)

    def faults(self, data: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return also errors of the times, and of a voicemail message without detection."""
        found = super().faults(data, sent)
        least, most = self.times
        times = sum(sent.get(name) is not None for name in ("scheduleAt", "delayMs"))
        if most and not least <= times <= most:
            found["scheduleAt"] = [
                "Must be set, or delayMs in its place."
                if times < least
                else "Must not be set together with delayMs."
            ]
        if data.get("machine_detection") == Detection.OFF and (needs := _needs_detection(data)):
            found["machineDetection"] = [
                f'Must be enable or detect-message-end with {needs}; got "off".'
            ]
        if data.get("send_digits") and (errors := _beside_digits(data)):
            found["sendDigits"] = errors
        voice, language = data.get("voice"), data.get("language")
        if voice and language and not voices.fits(voice, language):
            some = ", ".join(voices.first_voices(language)) or "man"
            found["voice"] = [f'Must speak {language}, as {some}; got "{voice}".']
        if data.get("twiml_url"):
            found |= _beside_an_application(data)
        return found

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewCall:
        """Return the call with its defaults filled in."""
        number = PhoneNumber(data["to"])
        is_spelt = number.given == number.spelling
        call = Call(
            to=number.spelling,
            to_given=None if is_spelt else number.given,
            number=number,
            message=data.get("message") or DEFAULT_MESSAGE,
            lead_id=data.get("lead_id"),
            priority=data.get("priority") or Priority.NORMAL,
            metadata=data.get("metadata") or {},
            **{field: data.get(field) for field in OPTIONS.values()},
        )
        return NewCall(call=call, due_ms=data.get("due_ms"), delay_ms=data.get("delay_ms"))


class TimedCallSchema(CallSchema):
    """A call to place at once or later: one of a bulk."""

    due_ms = fields.Instant(data_key="scheduleAt", allow_none=True)
    delay_ms = fields.Delay(data_key="delayMs", allow_none=True)

    times = (0, 1)
    together: ClassVar[fields.Shape] = {
        **CallSchema.together,
        "if": _given("scheduleAt", "string"),
        "then": _absent("delayMs"),
    }


class DelayedCallSchema(TimedCallSchema):
    """A call to place later."""

    times = (1, 1)
    together: ClassVar[fields.Shape] = {
        **TimedCallSchema.together,
        "else": _given("delayMs", "integer"),
    }


class ChangeSchema(TimedCallSchema):
    """A change of a call that has not started, merged with the fields that stay."""

    due_ms = fields.Instant(data_key="scheduleAt", error_messages=_NO_TIME)
    delay_ms = fields.Delay(data_key="delayMs", error_messages=_NO_TIME)

    def merged(self, old: Call, body: Mapping[str, Any]) -> NewCall:
        """Return the call with the changes; ``null`` resets a field to its default.

        Without a time it keeps its own. Raise ValidationError.
        """
        new: NewCall = self.load({**stored(old), **body})
        return replace(new, call=signed_as(new.call, old))


class BulkSchema(RequestSchema):
    """Many calls, accepted all or none."""

    calls = call_fields.Calls(Nested(TimedCallSchema), required=True, error_messages=REQUIRED)

    def ignored(self, sent: Mapping[str, Any]) -> list[str]:
        """Return the names for the bulk and all of its calls."""
        known = TIMED_CALL.known
        names = unknown_fields.ignored(sent, self.known)
        for call in sent["calls"]:
            if not call.keys() <= known:
                names |= unknown_fields.ignored(call, known)
        return unknown_fields.listed(names)


class BareSchema(RequestSchema):
    """A body without fields: the address says it all."""


CALL = CallSchema()
TIMED_CALL = TimedCallSchema()
DELAYED_CALL = DelayedCallSchema()
CHANGE = ChangeSchema()
BULK = BulkSchema()
BARE = BareSchema()
