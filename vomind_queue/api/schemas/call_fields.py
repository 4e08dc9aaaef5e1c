"""The fields of a call, each with its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import ValidationError, fields

from vomind_queue.api.schemas.fields import (
    Choice,
    Integer,
    Matching,
    PhoneNumber,
    Rule,
    as_integer,
    mismatch,
)
from vomind_queue.api.schemas.unknown_fields import MOST_NAMES
from vomind_queue.api.wording import either, received
from vomind_queue.calls import application, voices
from vomind_queue.calls.application import MAX_URL
from vomind_queue.calls.call import Priority
from vomind_queue.calls.call_status import RETRIED, Detection
from vomind_queue.calls.phone_number import canonical
from vomind_queue.calls.ring_timeout import LEAST_RING_MS, MOST_RING_MS
from vomind_queue.encoding import compact
from vomind_queue.twilio.twiml import (
    ALWAYS_FITS,
    AUDIBLE,
    FORBIDDEN,
    MAX_TWIML,
    SPEAKABLE,
    twiml_length,
)

#: Plain texts, of which an unhashable value is none either: looked up in a list.
_RETRIED = list(RETRIED)

MAX_MESSAGE = 3_000
MAX_LEAD_ID = 128
#: Bytes of compact JSON in UTF-8.
MAX_METADATA = 8 * 1024
#: Deeper objects could be stored by one request and be unreadable for the next one.
MAX_DEPTH = 100
MAX_CALLS = 10_000


class Message(Rule[str]):
    """A text that can be spoken and whose TwiML is short enough for Twilio."""

    # JSON Schema cannot express the length of the TwiML.
    shape: Mapping[str, Any] = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_MESSAGE,
        "pattern": SPEAKABLE,
    }

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_MESSAGE:
            came = f"{len(value):,}" if isinstance(value, str) else received(value)
            raise ValidationError(
                f"Must be a string of 1 to {MAX_MESSAGE:,} characters; got {came}."
            )
        if found := FORBIDDEN.search(value):
            raise ValidationError(
                f"Must be speakable; got the control character U+{ord(found[0]):04X}."
            )
        if not AUDIBLE.search(value):
            raise ValidationError("Must have words: spaces and invisible characters say nothing.")
        if len(value) > ALWAYS_FITS and (length := twiml_length(value)) > MAX_TWIML:
            raise ValidationError(
                f"Must be at most {MAX_TWIML:,} characters as TwiML, escaped; got {length:,}."
            )
        return value


class LeadId(Rule[str | int]):
    """The client's own identifier for a person."""

    shape: Mapping[str, Any] = {
        "anyOf": [{"type": "string", "maxLength": MAX_LEAD_ID}, {"type": "integer"}]
    }

    def read(self, value: Any) -> str | int:
        value = as_integer(value)
        # isinstance would accept bool as int.
        if type(value) not in (str, int) or len(str(value)) > MAX_LEAD_ID:
            raise mismatch(f"a string or an integer of at most {MAX_LEAD_ID} characters", value)
        return value  # type: ignore[no-any-return]


class Urgency(
    Choice[Priority],
    words={priority.value: priority for priority in Priority},
):
    """One of the three priorities."""


class Outcomes(Rule[list[str]]):
    """Outcomes on the line after which a call is made again."""

    shape: Mapping[str, Any] = {
        "type": "array",
        "items": {"type": "string", "enum": _RETRIED},
        "uniqueItems": True,
    }

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or any(each not in _RETRIED for each in value):
            raise mismatch(f"a list of outcomes, each {either(_RETRIED)}", value)
        if len(value) > len(set(value)):
            raise ValidationError("Must be a list without duplicates.")
        return value


class DetectionWord(
    Choice[str],
    words={word.value: word.value for word in Detection},
):
    """Whether Twilio distinguishes a machine from a person."""


class Keys(
    Matching,
    pattern=r"[0-9A-D*#wW]{1,32}",
    expected="1 to 32 characters: keys 0 to 9, A to D, * and #, and w or W to wait",
):
    """Keys of a phone, and pauses between them, as Twilio writes them."""


class Language(Rule[str]):
    """A language that Twilio speaks, as a BCP 47 tag."""

    shape: Mapping[str, Any] = {"type": "string", "enum": voices.languages()}

    def read(self, value: Any) -> str:
        if isinstance(value, str) and voices.is_language(value):
            return value
        near = voices.near_language(value) if isinstance(value, str) else []
        raise _unlisted("a language that Twilio speaks, such as de-DE or en-GB", value, near)


class VoiceName(Rule[str]):
    """One of Twilio's voices by its name."""

    # The list is too long for the document.
    shape: Mapping[str, Any] = {"type": "string", "format": "twilio-voice"}

    def read(self, value: Any) -> str:
        if isinstance(value, str) and voices.is_voice(value):
            return value
        near = voices.near_voice(value) if isinstance(value, str) else []
        raise _unlisted("a voice of Twilio's, such as Polly.Vicki", value, near)


def _unlisted(expected: str, value: Any, near: list[str]) -> ValidationError:
    """Return the error for a value that is not in a list, with those that were probably meant."""
    if not near:
        return mismatch(expected, value)
    return ValidationError(
        f"Must be {expected}; got {received(value)}. Did you mean {either(near)}?"
    )


class Sender(Rule[str]):
    """A number of the operator's, in its one spelling."""

    shape: Mapping[str, Any] = {
        **PhoneNumber.shape,
        # One of those in the settings, which are no part of the document.
        "format": "own-number",
    }

    def read(self, value: Any) -> str:
        return canonical(PhoneNumber().read(value))


class ApplicationUrl(Rule[str]):
    """The address of a call's own application, kept to the letter."""

    shape: Mapping[str, Any] = {
        "type": "string",
        "maxLength": MAX_URL,
        # On a host of the operator's list, which is no part of the document.
        "format": "application-url",
    }

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise mismatch("an https:// address", value)
        if len(value) > MAX_URL:
            raise ValidationError(f"Must be at most {MAX_URL:,} characters; got {len(value):,}.")
        if not application.is_address(value):
            # Not shown: it may hold a password.
            raise ValidationError(
                "Must be an https:// address with a host name and without a login, "
                "characters outside ASCII percent-encoded."
            )
        return value


class Kind(
    Matching,
    pattern=r"[a-z0-9-]{1,64}",
    expected="a kind of failure from GET /api/queue/failed/reasons",
):
    """The kind of a failure, as ``GET /failed/reasons`` returns it."""


class Metadata(Rule[dict[str, Any]]):
    """The client's own JSON object."""

    # JSON Schema cannot express its size.
    shape: Mapping[str, Any] = {"type": "object", "additionalProperties": True}

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise mismatch("a JSON object", value)
        text = compact(value)
        length = len(text)
        if length > MAX_METADATA:
            raise ValidationError(
                f"Must be at most {MAX_METADATA:,} bytes as compact JSON; got {length:,}."
            )
        # Counting brackets is cheap, and spares most values the walk.
        if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise ValidationError(f"Must be nested at most {MAX_DEPTH} levels deep.")
        return value


class RingTimeout(Integer):
    """How long a phone may ring, ms."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=LEAST_RING_MS, most=MOST_RING_MS, **kwargs)


class Calls(fields.List[Any]):
    """The calls of a bulk, each read by the schema of one call."""

    # The calls are described by their own schema.
    shape: Mapping[str, Any] = {"type": "array", "minItems": 1, "maxItems": MAX_CALLS}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        # Checked first, so that an endless list costs nothing.
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_CALLS:
            raise mismatch(f"a list of 1 to {MAX_CALLS:,} calls", value)
        names = set().union(*(call for call in value if isinstance(call, dict)))
        if len(names) > MOST_NAMES:
            raise ValidationError(
                f"Must have at most {MOST_NAMES} different fields in all; got {len(names):,}."
            )
        accepted: list[Any] = cast(fields.Nested, self.inner).schema.load(value, many=True)
        return accepted


def _depth(value: Any) -> int:
    """Return how deeply objects and lists are nested, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth
