"""The fields of a request, each with its rule.

Types are strict: ``"5"`` is not a number, ``true`` is not 1; ``1.0`` is, as in JSON
Schema. ``None`` as a value means that an optional field was sent as ``null`` and is
absent. An error says what was expected and what came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from marshmallow import ValidationError, fields, missing

from vomind_queue.api.schemas.unknown_fields import MOST_NAMES
from vomind_queue.api.serializers.times import YEAR_MS, parse_instant
from vomind_queue.api.wording import either, received
from vomind_queue.calls import application, voices
from vomind_queue.calls.application import MAX_URL
from vomind_queue.calls.call import Priority
from vomind_queue.calls.call_status import RETRIED, Detection
from vomind_queue.calls.instants import iso
from vomind_queue.calls.phone_number import canonical
from vomind_queue.calls.ring_timeout import LEAST_RING_MS, MOST_RING_MS
from vomind_queue.encoding import compact
from vomind_queue.recurring.time_zones import is_zone, near
from vomind_queue.rules.law import LIFTABLE, Purpose
from vomind_queue.rules.places import is_region
from vomind_queue.twilio.twiml import (
    ALWAYS_FITS,
    AUDIBLE,
    FORBIDDEN,
    MAX_TWIML,
    SPEAKABLE,
    twiml_length,
)

T = TypeVar("T")
#: A JSON Schema.
Shape = dict[str, Any]

#: Plain texts, of which an unhashable value is none either: looked up in a list.
_RETRIED = list(RETRIED)

MAX_MESSAGE = 3_000
MAX_LEAD_ID = 128
MAX_SHORT_TEXT = 200
#: Characters of a reason why a rule does not hold.
LEAST_REASON = 10
#: Bytes of compact JSON in UTF-8.
MAX_METADATA = 8 * 1024
#: Deeper objects could be stored by one request and be unreadable for the next one.
MAX_DEPTH = 100
MAX_CALLS = 10_000


def mismatch(expected: str, value: Any) -> ValidationError:
    """Return the error for a value: what was expected and what came."""
    return ValidationError(f"Must be {expected}; got {received(value)}.")


class Rule(fields.Field[T]):
    """A field that is read from its value alone; it takes no validators."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.validators:
            raise TypeError("A rule checks its value in `read`, not by validators.")

    #: What `read` accepts, as a JSON Schema for the OpenAPI document.
    shape: Mapping[str, Any]

    def read(self, value: Any) -> T:
        """Return the parsed value. Raise ValidationError."""
        raise NotImplementedError

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what `read` returns, without marshmallow's search for validators."""
        if value is None or value is missing:
            return super().deserialize(value, *args, **kwargs)
        return self.read(value)


class Matching(Rule[str]):
    """A string that matches a pattern from end to end; ``expected`` describes it in errors."""

    _pattern: re.Pattern[str]
    _expected: str

    def __init_subclass__(cls, *, pattern: str = "", expected: str = "") -> None:
        if pattern:
            cls._pattern, cls._expected = re.compile(pattern), expected
            cls.shape = {"type": "string", "pattern": f"^{pattern}$"}

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise mismatch(self._expected, value)
        return value


class Choice(Rule[T]):
    """One of a few words, each with its value."""

    _words: Mapping[str, T]

    def __init_subclass__(cls, *, words: Mapping[str, T]) -> None:
        cls._words = words
        cls.shape = {"type": "string", "enum": list(words)}

    def read(self, value: Any) -> T:
        if not isinstance(value, str) or value not in self._words:
            raise mismatch(either(self._words), value)
        return self._words[value]


#: Copied along with a number, and seen by nobody: marks of direction, joiners, spaces.
_HIDDEN = re.compile("[\u00a0\u00ad\u061c\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")


class PhoneNumber(
    Matching,
    # Not \d, which takes other scripts' digits.
    pattern=r"\+[0-9]{7,15}",
    expected="a phone number in E.164 form, such as +1234567890",
):
    """``+`` and 7 to 15 digits; Twilio decides whether the number exists."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and (found := _HIDDEN.search(value)):
            raise ValidationError(
                f"Must not contain the invisible character U+{ord(found[0]):04X}."
            )
        return super().read(value)


class ShortText(Rule[str]):
    """A line of text for people."""

    shape: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_SHORT_TEXT}

    def read(self, value: Any) -> str:
        if (
            not isinstance(value, str)
            or not 1 <= len(value) <= MAX_SHORT_TEXT
            or not value.isprintable()
        ):
            raise mismatch(f"a line of 1 to {MAX_SHORT_TEXT} printable characters", value)
        return value


_SHORT_OR_NULL: Shape = {**ShortText.shape, "type": ["string", "null"]}


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


class YesOrNo(Rule[bool]):
    """A boolean of JSON, and nothing that is like one."""

    shape: Mapping[str, Any] = {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise mismatch("true or false", value)
        return value


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


class TimeZone(Rule[str]):
    """An IANA name."""

    shape: Mapping[str, Any] = {"type": "string", "format": "time-zone"}

    def read(self, value: Any) -> str:
        if isinstance(value, str) and is_zone(value):
            return value
        if meant := near(value) if isinstance(value, str) else []:
            text = f"Must be an IANA time zone; got {received(value)}. "
            raise ValidationError(f"{text}Did you mean {either(meant)}?")
        raise mismatch("an IANA time zone, such as Europe/Berlin or UTC", value)


class Region(Rule[str]):
    """A country, or a state or province of one."""

    shape: Mapping[str, Any] = {"type": "string", "format": "iso-3166"}

    def read(self, value: Any) -> str:
        if isinstance(value, str) and is_region(value):
            return value
        raise mismatch("a country or state in ISO 3166, such as DE or US-FL", value)


class PurposeWord(
    Choice[str],
    words={word.value: word.value for word in Purpose},
):
    """Why a person is called."""


class Consent(Rule[dict[str, str]]):
    """That a person agreed to be called, and how that is known."""

    shape: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "basis": ShortText.shape,
            "at": {"type": "string", "format": "date-time"},
            "evidence": _SHORT_OR_NULL,
        },
        "required": ["basis", "at"],
        "additionalProperties": False,
    }

    def read(self, value: Any) -> dict[str, str]:
        found = _parts(value, self.shape)
        read = {name: ShortText().read(text) for name, text in found.items() if name != "at"}
        return {**read, "at": iso(Until().read(found["at"]))}


class Override(Rule[dict[str, Any]]):
    """Which rules do not hold for a call, and why."""

    shape: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "items": {"type": "string", "enum": [str(rule) for rule in LIFTABLE]},
                "minItems": 1,
                "uniqueItems": True,
            },
            "reason": {**ShortText.shape, "minLength": LEAST_REASON},
            # As answers have it; who said so is no client's to tell.
            "by": _SHORT_OR_NULL,
        },
        "required": ["rules", "reason"],
        "additionalProperties": False,
    }

    def read(self, value: Any) -> dict[str, Any]:
        found = _parts(value, self.shape)
        rules, reason = found["rules"], ShortText().read(found["reason"])
        known = [str(rule) for rule in LIFTABLE]
        if not isinstance(rules, list) or not rules or not all(rule in known for rule in rules):
            raise mismatch(f"rules out of {either(known)}", rules)
        if len(set(rules)) < len(rules):
            raise ValidationError("Must name each rule once.")
        if len(reason) < LEAST_REASON:
            raise mismatch(f"a reason of at least {LEAST_REASON} characters", reason)
        if "by" in found:
            ShortText().read(found["by"])
        return {"rules": list(rules), "reason": reason}


def _parts(value: Any, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object that has the properties that it must have, and no others."""
    if not isinstance(value, dict):
        raise mismatch(f"an object with {' and '.join(shape['required'])}", value)
    if missed := [name for name in shape["required"] if value.get(name) is None]:
        raise ValidationError(f"Must have {' and '.join(missed)}.")
    if unknown := [name for name in value if name not in shape["properties"]]:
        raise ValidationError(f"Must have no {received(unknown[0])}.")
    return {name: part for name, part in value.items() if part is not None}


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


class Instant(Rule[int]):
    """A time with its offset, as unix ms."""

    shape: Mapping[str, Any] = {"type": "string", "format": "date-time"}
    #: Whether part of a millisecond is rounded up or dropped.
    up = True

    def read(self, value: Any) -> int:
        try:
            return parse_instant(value if isinstance(value, str) else "", up=self.up)
        except ValueError:
            raise mismatch(
                "a time with an offset, such as 2030-11-20T10:00:00Z or 2030-11-20T10:00:00+01:00",
                value,
            ) from None


class Until(Instant):
    """The end of something: nothing is later."""

    up = False


class LatestStart(Rule[str]):
    """A time after which nothing starts, as `instants.iso` writes it."""

    shape = Instant.shape

    def read(self, value: Any) -> str:
        return iso(Until().read(value))


class Integer(Rule[int]):
    """An integer between two bounds, both included."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._least, self._most = least, most
        self.shape = {"type": "integer", "minimum": least, "maximum": most}

    def read(self, value: Any) -> int:
        value = as_integer(value)
        if type(value) is not int or not self._least <= value <= self._most:
            raise mismatch(f"an integer between {self._least:,} and {self._most:,}", value)
        return value


class Delay(Integer):
    """Time from acceptance, ms; at most a year."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=0, most=YEAR_MS, **kwargs)


class RingTimeout(Integer):
    """How long a phone may ring, ms."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=LEAST_RING_MS, most=MOST_RING_MS, **kwargs)


class Index(Rule[int]):
    """A position in a list, from a query string."""

    shape: Mapping[str, Any] = {"type": "integer", "minimum": 0}

    def read(self, value: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,30}", value):
            raise mismatch("an integer of 0 or more", value)
        return int(value)


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


def as_integer(value: Any) -> Any:
    """Return ``1`` for ``1.0``, which is the same number in JSON; anything else unchanged."""
    return int(value) if type(value) is float and value.is_integer() else value


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
