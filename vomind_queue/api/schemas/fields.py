"""The fields of a request, each with its rule.

Types are strict: ``"5"`` is not a number, ``true`` is not 1; ``1.0`` is, as in JSON
Schema. ``None`` as a value means that an optional field was sent as ``null`` and is
absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from marshmallow import ValidationError, fields, missing

from vomind_queue.api.schemas.unknown_fields import MOST_NAMES
from vomind_queue.api.serializers.times import YEAR_MS, parse_instant
from vomind_queue.calls.call import Priority
from vomind_queue.calls.call_status import RETRIED, Detection
from vomind_queue.encoding import compact
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
_RETRIED = [outcome.value for outcome in RETRIED]

MAX_MESSAGE = 3_000
MAX_LEAD_ID = 128
#: Bytes of compact JSON in UTF-8.
MAX_METADATA = 8 * 1024
#: Deeper objects could be stored by one request and be unreadable for the next one.
MAX_DEPTH = 100
MAX_CALLS = 10_000


class Rule(fields.Field[T]):
    """A field that is read from its value alone; it takes no validators."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.validators:
            raise TypeError("A rule says in `read` what it takes.")

    #: What `read` takes, in the words of JSON Schema: the OpenAPI document says it.
    shape: Mapping[str, Any]

    def read(self, value: Any) -> T:
        """The value that is meant; raises ValidationError."""
        raise NotImplementedError

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what `read` makes of it; to look for validators would take as long again."""
        if value is None or value is missing:
            return super().deserialize(value, *args, **kwargs)
        return self.read(value)


class Matching(Rule[str]):
    """A text that matches a pattern from end to end; ``told``: what is said of another one."""

    _pattern: re.Pattern[str]
    _told: str

    def __init_subclass__(cls, *, pattern: str = "", told: str = "") -> None:
        if pattern:
            cls._pattern, cls._told = re.compile(pattern), told
            cls.shape = {"type": "string", "pattern": f"^{pattern}$"}

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise ValidationError(self._told)
        return value


class Choice(Rule[T]):
    """One of a few words, each with its value; ``told``: what is said of another one."""

    _words: Mapping[str, T]
    _told: str

    def __init_subclass__(cls, *, words: Mapping[str, T], told: str) -> None:
        cls._words, cls._told = words, told
        cls.shape = {"type": "string", "enum": list(words)}

    def read(self, value: Any) -> T:
        if not isinstance(value, str) or value not in self._words:
            raise ValidationError(self._told)
        return self._words[value]


class PhoneNumber(
    Matching,
    # Not \d, which takes other scripts' digits.
    pattern=r"\+[0-9]{7,15}",
    told="Write the number as + and 7 to 15 digits: +1234567890.",
):
    """``+`` and 7 to 15 digits. Whether the number exists is for Twilio to say."""


class Message(Rule[str]):
    """Words that can be spoken and that fit into what Twilio takes."""

    # How long it is once it is written for Twilio has no word in JSON Schema.
    shape: Mapping[str, Any] = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_MESSAGE,
        "pattern": SPEAKABLE,
    }

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_MESSAGE:
            raise ValidationError(f"Give a text of 1 to {MAX_MESSAGE:,} characters.")
        if found := FORBIDDEN.search(value):
            raise ValidationError(f"The character U+{ord(found[0]):04X} cannot be spoken.")
        if not AUDIBLE.search(value):
            raise ValidationError("Must have words: spaces and invisible characters say nothing.")
        if len(value) > ALWAYS_FITS and (length := twiml_length(value)) > MAX_TWIML:
            raise ValidationError(
                f"Written for Twilio it has {length:,} characters; at most {MAX_TWIML:,} fit."
            )
        return value


class LeadId(Rule[str | int]):
    """The app's own name for a person."""

    shape: Mapping[str, Any] = {
        "anyOf": [{"type": "string", "maxLength": MAX_LEAD_ID}, {"type": "integer"}]
    }

    def read(self, value: Any) -> str | int:
        value = whole_number(value)
        # bool is a kind of int to isinstance.
        if type(value) not in (str, int) or len(str(value)) > MAX_LEAD_ID:
            raise ValidationError(
                f"Give a text or a whole number of at most {MAX_LEAD_ID} characters."
            )
        return value  # type: ignore[no-any-return]


class Urgency(
    Choice[Priority],
    words={priority.value: priority for priority in Priority},
    told="Choose high, normal or low.",
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
            raise ValidationError(f"Give a list of some of {', '.join(RETRIED)}.")
        if len(value) > len(set(value)):
            raise ValidationError("Name each outcome once.")
        return value


class DetectionWord(
    Choice[str],
    words={word.value: word.value for word in Detection},
    told=f"Choose one of {', '.join(Detection)}.",
):
    """Whether a machine is to be told from a person."""


class Kind(
    Matching,
    pattern=r"[a-z0-9-]{1,64}",
    told="Give a kind that GET /api/queue/failed/reasons names.",
):
    """The kind of a failure, as ``GET /failed/reasons`` names it."""


class Metadata(Rule[dict[str, Any]]):
    """The app's own JSON object."""

    # Its size has no word in JSON Schema.
    shape: Mapping[str, Any] = {"type": "object", "additionalProperties": True}

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Give a JSON object.")
        text = compact(value)
        length = len(text)
        if length > MAX_METADATA:
            raise ValidationError(
                f"It has {length:,} bytes as compact JSON; at most {MAX_METADATA:,} are kept."
            )
        # So few brackets cannot be nested too deeply: most are never walked through.
        if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise ValidationError(f"It is nested more than {MAX_DEPTH} levels deep.")
        return value


class Instant(Rule[int]):
    """A time with its offset, as unix ms."""

    shape: Mapping[str, Any] = {"type": "string", "format": "date-time"}
    #: Whether part of a millisecond makes it later or is left out.
    up = True

    def read(self, value: Any) -> int:
        try:
            return parse_instant(value if isinstance(value, str) else "", up=self.up)
        except ValueError:
            raise ValidationError(
                "Write the time as 2030-11-20T10:00:00Z or 2030-11-20T10:00:00+01:00, "
                "with its offset."
            ) from None


class WholeNumber(Rule[int]):
    """A whole number between two bounds, both included."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._least, self._most = least, most
        self.shape = {"type": "integer", "minimum": least, "maximum": most}

    def read(self, value: Any) -> int:
        value = whole_number(value)
        if type(value) is not int or not self._least <= value <= self._most:
            raise ValidationError(f"Give a whole number from {self._least:,} to {self._most:,}.")
        return value


class Delay(WholeNumber):
    """Time from acceptance, ms; at most a year."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=0, most=YEAR_MS, **kwargs)


class Index(Rule[int]):
    """A place in a list, from the query of an address."""

    shape: Mapping[str, Any] = {"type": "integer", "minimum": 0}

    def read(self, value: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,30}", value):
            raise ValidationError("Give a whole number, 0 or more.")
        return int(value)


class Calls(fields.List[Any]):
    """The calls of a bulk, each read by the schema of one call."""

    # The calls are described by their own schema.
    shape: Mapping[str, Any] = {"type": "array", "minItems": 1, "maxItems": MAX_CALLS}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        # Before anything is done for each of them.
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_CALLS:
            raise ValidationError(f"Give a list of 1 to {MAX_CALLS:,} calls.")
        names = set().union(*(call for call in value if isinstance(call, dict)))
        if len(names) > MOST_NAMES:
            raise ValidationError(f"They have more than {MOST_NAMES} different fields.")
        accepted: list[Any] = cast(fields.Nested, self.inner).schema.load(value, many=True)
        return accepted


def whole_number(value: Any) -> Any:
    """``1`` for ``1.0``, which is the same number in JSON; anything else as it is."""
    return int(value) if type(value) is float and value.is_integer() else value


def _depth(value: Any) -> int:
    """How many objects and lists lie in each other; without recursion."""
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
