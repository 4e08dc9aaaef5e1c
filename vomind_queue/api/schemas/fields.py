"""The fields that many requests have, each with its rule.

Types are strict: ``"5"`` is not a number, ``true`` is not 1; ``1.0`` is, as in JSON
Schema. ``None`` as a value means that an optional field was sent as ``null`` and is
absent. An error says what was expected and what came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, missing

from vomind_queue.api.serializers.times import YEAR_MS, parse_instant
from vomind_queue.api.wording import either, received
from vomind_queue.calls.instants import iso
from vomind_queue.recurring.time_zones import is_zone, near
from vomind_queue.rules.places import is_region

T = TypeVar("T")
#: A JSON Schema.
Shape = dict[str, Any]

MAX_SHORT_TEXT = 200


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


class YesOrNo(Rule[bool]):
    """A boolean of JSON, and nothing that is like one."""

    shape: Mapping[str, Any] = {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise mismatch("true or false", value)
        return value


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


class Index(Rule[int]):
    """A position in a list, from a query string."""

    shape: Mapping[str, Any] = {"type": "integer", "minimum": 0}

    def read(self, value: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,30}", value):
            raise mismatch("an integer of 0 or more", value)
        return int(value)


def as_integer(value: Any) -> Any:
    """Return ``1`` for ``1.0``, which is the same number in JSON; anything else unchanged."""
    return int(value) if type(value) is float and value.is_integer() else value
