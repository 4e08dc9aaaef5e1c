"""Types of settings: how a text becomes a value, and what an error says is expected. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vomind_queue.calls.limits import Rate, Retention

T = TypeVar("T")


class InvalidValue(ValueError):
    """A value that is refused for a reason that may be shown: it never quotes the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Type(Generic[T]):
    """A type of value."""

    #: Turns the text into a value, or raises ValueError; an InvalidValue says why.
    parse: Callable[[str], T]
    #: The texts that are accepted, as the end of "expected …".
    expected: str


def optional(of: Type[T]) -> Type[T | None]:
    """Return the same type, with ``None`` for the empty text."""
    return Type(parse=lambda text: of.parse(text) if text else None, expected=of.expected)


def unless(word: str, of: Type[T]) -> Type[T | None]:
    """Return the same type, with ``None`` for one word."""
    return Type(
        parse=lambda text: None if text.lower() == word else of.parse(text),
        expected=f"{of.expected}, or {word}",
    )


def checked(read: Callable[[str], T], holds: Callable[[T], object], expected: str) -> Type[T]:
    """Return the type of texts that ``read`` parses and whose values ``holds`` accepts."""

    def parse(text: str) -> T:
        value = read(text)
        if not holds(value):
            raise ValueError
        return value

    return Type(parse=parse, expected=expected)


def matching(pattern: str, expected: str) -> Type[str]:
    """Return the type of texts that match a regular expression from end to end."""
    return checked(str, re.compile(pattern).fullmatch, expected)


def choice(words: Mapping[str, T]) -> Type[T]:
    """Return the type of a few words, in upper or lower case, each with its value."""

    def parse(text: str) -> T:
        if text.lower() not in words:
            raise ValueError
        return words[text.lower()]

    *others, last = words
    return Type(parse=parse, expected=f"{', '.join(others)} or {last}")


def word(*words: str) -> Type[str]:
    """Return the type of a few words, each its own value."""
    return choice({each: each for each in words})


def integer(least: int, most: int) -> Type[int]:
    """Return the type of integers between two bounds, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Type(parse=parse, expected=f"an integer between {least} and {most}")


_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
#: Ten years: more is a typing error, and its milliseconds stay exact in Lua's doubles.
_LONGEST_MS = 3_650 * _UNIT_MS["d"]


def duration_ms(text: str, least_ms: int = 0) -> int:
    """Return a duration such as 30s, in ms. Raise ValueError."""
    found = re.fullmatch(r"([0-9]{1,12})(ms|s|m|h|d)", text)
    if not found:
        raise ValueError
    milliseconds = int(found[1]) * _UNIT_MS[found[2]]
    if not least_ms <= milliseconds <= _LONGEST_MS:
        raise ValueError
    return milliseconds


def _rate(text: str) -> Rate:
    starts, _, window = text.partition("/")
    window = f"1{window}" if window in {"s", "m", "h"} else window
    return Rate(max_starts=integer(1, 1_000_000).parse(starts), window_ms=duration_ms(window, 1))


def _retention(text: str) -> Retention:
    age, _, count = text.partition(",")
    return Retention(age_ms=duration_ms(age.strip()), count=integer(0, 10**9).parse(count.strip()))


def split(text: str) -> Sequence[str]:
    """Return the parts between commas. Raise ValueError if one is empty."""
    parts = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(parts):
        raise ValueError
    return parts


#: What a client is called whose key has no name, or that needs none.
NAMELESS = "API"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key that authenticates a client of the API."""

    #: Shown in "paused by" and in the logs; ``None`` when the key has no name.
    name: str | None
    secret: str = field(repr=False)


def _api_key(text: str) -> ApiKey:
    name, colon, secret = text.partition(":") if ":" in text else ("", "", text)
    # Only characters that an HTTP header carries unchanged.
    if not re.fullmatch(r"[!-~]+", secret) or (colon and not name):
        raise ValueError
    return ApiKey(name=name or None, secret=secret)


def _api_keys(text: str) -> Sequence[ApiKey]:
    keys = tuple(_api_key(part) for part in split(text))
    if len({key.secret for key in keys}) < len(keys):
        raise ValueError
    return keys


_path_text = matching(r"(/?[A-Za-z0-9._-]+)*/?", "a path")
#: With less, any delay would make leases expire and requests time out, ms.
LEAST_WORKING_TIME_MS = 250
#: What is expected of a duration.
A_DURATION = "a duration such as 500ms, 30s, 15m, 2h or 7d"
#: A TCP port that can be listened on.
PORT = integer(1, 65_535)
#: Any text at all.
TEXT = Type(parse=str, expected="any text")
#: Yes or no.
FLAG = choice({"1": True, "0": False, "true": True, "false": False})
#: Milliseconds, zero included.
DURATION = Type(parse=duration_ms, expected=A_DURATION)
#: Milliseconds, more than 0.
TIME = Type(parse=lambda text: duration_ms(text, 1), expected=f"{A_DURATION}, more than 0")
#: Milliseconds, enough for a request to be sent and answered.
WORKING_TIME = Type(
    parse=lambda text: duration_ms(text, LEAST_WORKING_TIME_MS),
    expected=f"{A_DURATION}, at least {LEAST_WORKING_TIME_MS}ms",
)
#: A number of starts in any window of that length.
RATE = Type(parse=_rate, expected="starts per window, such as 10/m, 2/s, 100/h or 10/3s")
#: How long jobs are kept, and how many at most.
RETENTION = Type(parse=_retention, expected="a duration and a number of jobs, such as 7d,100000")
#: Characters that an HTTP header carries unchanged.
HEADER_SECRET = matching(r"[!-~]+", "printable ASCII without spaces")
#: Names of keys.
KEY_NAMES = Type(parse=split, expected="names of API keys, separated by commas")
#: Keys, each with or without a name.
API_KEYS = Type(
    parse=_api_keys, expected="name:secret or secret, separated by commas, without duplicates"
)
#: A path, without a slash at either end.
PATH = Type(
    parse=lambda text: _path_text.parse(text).strip("/"), expected="a path, such as /flower"
)
#: User names with their passwords.
LOGINS = checked(
    str,
    lambda text: all(re.fullmatch(r"[^:]+:.+", login) for login in split(text)),
    "user:password, several separated by commas",
)
