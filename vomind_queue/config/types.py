"""Types of settings: how a text becomes a value, and what an error says is expected. No I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from vomind_queue.calls.call_status import RETRIED
from vomind_queue.calls.limits import Rate, Retention
from vomind_queue.calls.phone_number import canonical, is_country
from vomind_queue.calls.ring_timeout import LEAST_RING_MS, MOST_RING_MS
from vomind_queue.recurring.time_zones import is_zone
from vomind_queue.rules import caps
from vomind_queue.rules.hours import InvalidHours, WeeklyHours, parse
from vomind_queue.rules.judge import HOLD, STRICTEST
from vomind_queue.rules.law import closed_day

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


def _duration_ms(text: str, least_ms: int = 0) -> int:
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
    return Rate(max_starts=integer(1, 1_000_000).parse(starts), window_ms=_duration_ms(window, 1))


def _retention(text: str) -> Retention:
    age, _, count = text.partition(",")
    return Retention(age_ms=_duration_ms(age.strip()), count=integer(0, 10**9).parse(count.strip()))


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError
    _ = parts.port  # raises ValueError if it is not a port
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError
    return _http_url(text).rstrip("/")


def _list(text: str) -> Sequence[str]:
    parts = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(parts):
        raise ValueError
    return parts


def _calling_hours(text: str) -> WeeklyHours:
    try:
        return parse(text)
    except InvalidHours as error:
        raise InvalidValue(str(error)) from None


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
    keys = tuple(_api_key(part) for part in _list(text))
    if len({key.secret for key in keys}) < len(keys):
        raise ValueError
    return keys


def _number_by_country(text: str) -> Mapping[str, str]:
    pairs = [part.partition("=") for part in _list(text)]
    found = {country.strip().upper(): NUMBER.parse(number.strip()) for country, _, number in pairs}
    if len(found) < len(pairs) or not all(map(is_country, found)):
        raise ValueError
    return found


_path_text = matching(r"(/?[A-Za-z0-9._-]+)*/?", "a path")

#: With less, any delay would make leases expire and requests time out, ms.
LEAST_WORKING_TIME_MS = 250
_DURATION = "a duration such as 500ms, 30s, 15m, 2h or 7d"

#: A TCP port that can be listened on.
PORT = integer(1, 65_535)
#: Any text at all.
TEXT = Type(parse=str, expected="any text")
#: Yes or no.
FLAG = choice({"1": True, "0": False, "true": True, "false": False})
#: Milliseconds, zero included.
DURATION = Type(parse=_duration_ms, expected=_DURATION)
#: Milliseconds, more than 0.
TIME = Type(parse=lambda text: _duration_ms(text, 1), expected=f"{_DURATION}, more than 0")
#: Milliseconds, enough for a request to be sent and answered.
WORKING_TIME = Type(
    parse=lambda text: _duration_ms(text, LEAST_WORKING_TIME_MS),
    expected=f"{_DURATION}, at least {LEAST_WORKING_TIME_MS}ms",
)
#: How long a phone may ring, ms.
RING_TIME = checked(
    _duration_ms,
    lambda ring_ms: LEAST_RING_MS <= ring_ms <= MOST_RING_MS,
    f"{_DURATION}, from {LEAST_RING_MS // 1_000}s to {MOST_RING_MS // 60_000}m",
)
#: A number of starts in any window of that length.
RATE = Type(parse=_rate, expected="starts per window, such as 10/m, 2/s, 100/h or 10/3s")
#: How long jobs are kept, and how many at most.
RETENTION = Type(parse=_retention, expected="a duration and a number of jobs, such as 7d,100000")
#: An address, without a slash at its end.
HTTP_URL = Type(
    parse=lambda text: _http_url(text).rstrip("/"), expected="an http:// or https:// address"
)
#: An address, kept exactly as it is written.
PAGE_URL = Type(parse=_http_url, expected="an http:// or https:// address")
#: An address that paths are appended to.
BASE_URL = Type(
    parse=_base_url, expected="an http:// or https:// address without a query and without a login"
)
#: A host to listen on or to connect to.
HOST = matching(r"[A-Za-z0-9._:-]+", "a host name or an IP address")
_address_host = matching(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "a host name without scheme, port and path"
)
#: Several hosts.
HOSTS = Type(
    parse=lambda text: tuple(HOST.parse(part) for part in _list(text)),
    expected="host names, separated by commas",
)
#: Names of hosts in addresses, in lower case.
ADDRESS_HOSTS = Type(
    parse=lambda text: tuple(_address_host.parse(part).lower() for part in _list(text)),
    expected="host names without scheme, port and path, separated by commas",
)
#: Characters that an HTTP header carries unchanged.
HEADER_SECRET = matching(r"[!-~]+", "printable ASCII without spaces")
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
    lambda text: all(re.fullmatch(r"[^:]+:.+", login) for login in _list(text)),
    "user:password, several separated by commas",
)
#: Outcomes on the line after which a call may be made again.
OUTCOMES = checked(
    lambda text: _list("" if text.lower() == "none" else text.lower()),
    set(RETRIED).issuperset,
    f"{', '.join(RETRIED)}, separated by commas, or none",
)
#: Codes of countries (ISO 3166); an empty list means all.
COUNTRIES = checked(
    lambda text: frozenset(_list(text.upper())),
    lambda found: all(map(is_country, found)),
    "two-letter codes of countries, separated by commas",
)
#: A BCP 47 tag; Twilio adds languages and voices over time, and `doctor` tells of unknown ones.
LANGUAGE = matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", "a language, such as de-DE or en-GB")
#: Twilio's name of a voice.
VOICE = matching(
    r"man|woman|alice|(Polly|Google|ElevenLabs)\.[\w-]{1,64}", "a voice, such as Polly.Vicki"
)
_number_text = matching(r"\+[0-9]{7,15}", "+ and 7 to 15 digits")
#: A phone number, in its one spelling.
NUMBER = Type(
    parse=lambda text: canonical(_number_text.parse(text)), expected=_number_text.expected
)
#: Several phone numbers; may be none.
NUMBERS = checked(
    lambda text: tuple(map(NUMBER.parse, _list(text))),
    lambda found: len(set(found)) == len(found),
    f"numbers of {NUMBER.expected}, separated by commas, without duplicates",
)
#: A phone number for each of some countries (ISO 3166).
NUMBER_BY_COUNTRY = Type(
    parse=_number_by_country,
    expected="countries with their numbers, such as DE=+4930123456,US=+15005550006",
)
#: A time zone by its IANA name.
ZONE = checked(str, is_zone, "an IANA time zone, such as Europe/Berlin, or UTC")


def sid(prefix: str) -> Type[str]:
    """Return the type of Twilio's ids with this prefix."""
    return matching(rf"{prefix}[0-9a-fA-F]{{32}}", f"{prefix} and 32 hexadecimal digits")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


#: Ends of names that the internet does not know (RFC 6761, RFC 6762, RFC 8375, and by habit).
_PRIVATE = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


def is_public(host: str) -> bool:
    """Return whether a host's name or address may be reached from the internet."""
    name = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        _, dot, last = name.rpartition(".")
        return bool(dot) and not last.isdecimal() and not name.endswith(_PRIVATE)


@lru_cache(maxsize=32)
def is_own_host(host: str, names: frozenset[str]) -> bool:
    """Return whether a Host header holds one of these names, localhost or an IP address.

    An IP address is safe: the owner of a domain cannot point it here. ``names`` are in lower
    case.
    """
    name = re.sub(r":[0-9]*$", "", host).lower().rstrip(".")
    if name == "localhost" or name in names:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


#: A short text that is spoken.
SPOKEN = matching(r"[^\x00-\x1f<>&]{1,200}", "up to 200 characters to speak, without < > &")
#: Hours of a week on the clock of the person called.
CALLING_HOURS = Type(
    parse=_calling_hours,
    expected="hours for each day, such as mon-fri 09:00-20:00, sat 10:00-17:00, sun closed",
)
#: Days on which nobody is called, everywhere or in one region.
CLOSED_DAYS = Type(
    parse=lambda text: tuple(map(closed_day, _list(text))),
    expected="dates, such as 2026-12-24, US-LA:2027-02-09 or 2026-12-27..2026-12-31",
)
#: How often a person may be called.
CAPS = Type(
    parse=caps.parse,
    expected="starts within a window of up to 30 days, such as 3/24h or 4/30d, separated by commas",
)
#: What becomes of numbers that do not tell where they are.
UNKNOWN_ZONE = checked(
    str,
    lambda text: text in (HOLD, STRICTEST) or is_zone(text),
    f"{HOLD}, {STRICTEST} or an IANA time zone",
)
