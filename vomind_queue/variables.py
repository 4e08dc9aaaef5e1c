"""How an environment variable is described and read; plain values, no I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from vomind_queue.calls import Rate, Retention
from vomind_queue.errors import SettingsError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind(Generic[T]):
    """A kind of value: how its text is read, and what a person is told about it."""

    #: Turns the text into a value, or raises ``ValueError``.
    parse: Callable[[str], T]
    #: The texts that are allowed, as the end of "allowed: …".
    allowed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable(Generic[T]):
    """One environment variable."""

    name: str
    kind: Kind[T]
    #: What is read when the variable is unset or empty.
    default: str
    #: What it is for, one or two sentences.
    meaning: str
    #: Whether the value must never be shown.
    secret: bool = False

    def read(self, environ: Mapping[str, str]) -> T:
        """The value in ``environ``; raises SettingsError with one line for a person."""
        text = environ.get(self.name, "").strip() or self.default
        try:
            return self.kind.parse(text)
        except ValueError:
            shown = "its value (not shown)" if self.secret else repr(text)
            raise SettingsError(
                f"{self.name}: {shown} is not allowed; allowed: {self.kind.allowed}."
            ) from None


def optional(kind: Kind[T]) -> Kind[T | None]:
    """The same kind, the empty text meaning ``None``."""
    return Kind(parse=lambda text: kind.parse(text) if text else None, allowed=kind.allowed)


def unless(word: str, kind: Kind[T]) -> Kind[T | None]:
    """The same kind, one word meaning ``None``."""
    return Kind(
        parse=lambda text: None if text.lower() == word else kind.parse(text),
        allowed=f"{kind.allowed}, or {word}",
    )


def matching(pattern: str, allowed: str) -> Kind[str]:
    """Texts of one shape."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Kind(parse=parse, allowed=allowed)


def choice(words: Mapping[str, T]) -> Kind[T]:
    """One of a few words, in upper or lower case, each standing for a value."""

    def parse(text: str) -> T:
        if text.lower() not in words:
            raise ValueError
        return words[text.lower()]

    return Kind(parse=parse, allowed=" or ".join(words))


def whole(least: int, most: int) -> Kind[int]:
    """Whole numbers between two bounds, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Kind(parse=parse, allowed=f"a whole number from {least} to {most}")


_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

#: Ten years: nobody means more, and its milliseconds stay exact in Lua's doubles.
_LONGEST_MS = 3_650 * _UNIT_MS["d"]


def _duration_ms(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12})(ms|s|m|h|d)", text)
    if not found:
        raise ValueError
    milliseconds = int(found[1]) * _UNIT_MS[found[2]]
    if milliseconds > _LONGEST_MS:
        raise ValueError
    return milliseconds


def _time_ms(text: str) -> int:
    milliseconds = _duration_ms(text)
    if not milliseconds:
        raise ValueError
    return milliseconds


def _working_time_ms(text: str) -> int:
    milliseconds = _duration_ms(text)
    if milliseconds < LEAST_WORKING_TIME_MS:
        raise ValueError
    return milliseconds


def _rate(text: str) -> Rate:
    starts, _, window = text.partition("/")
    window = f"1{window}" if window in {"s", "m", "h"} else window
    return Rate(max_starts=whole(1, 1_000_000).parse(starts), window_ms=_time_ms(window))


def _retention(text: str) -> Retention:
    age, _, count = text.partition(",")
    return Retention(age_ms=_duration_ms(age.strip()), count=whole(0, 10**9).parse(count.strip()))


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError
    _ = parts.port  # raises ValueError when it is no port
    return text.rstrip("/")


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError
    return _http_url(text)


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.fragment:
        raise ValueError
    _ = parts.port  # raises ValueError when it is no port
    if not re.fullmatch(r"/?|/[0-9]{1,5}", parts.path):
        raise ValueError
    if parts.scheme == "rediss" and "ssl_cert_reqs=" not in parts.query:
        query = f"{parts.query}&" if parts.query else ""
        return parts._replace(query=f"{query}ssl_cert_reqs=none").geturl()
    return text


def _listed(text: str) -> Sequence[str]:
    parts = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(parts):
        raise ValueError
    return parts


#: Below this no lease outlives a slow moment, and no request gets its answer, ms.
LEAST_WORKING_TIME_MS = 250
_DURATION = "a duration such as 500ms, 30s, 15m, 2h or 7d"

#: A TCP port that can be listened on.
PORT = whole(1, 65_535)
#: Any text at all.
TEXT = Kind(parse=str, allowed="any text")
#: Yes or no.
FLAG = choice({"1": True, "0": False, "true": True, "false": False})
#: Milliseconds, zero included.
DURATION = Kind(parse=_duration_ms, allowed=_DURATION)
#: Milliseconds, more than none.
TIME = Kind(parse=_time_ms, allowed=f"{_DURATION}, more than 0")
#: Milliseconds, enough for a request to be sent and answered.
WORKING_TIME = Kind(
    parse=_working_time_ms, allowed=f"{_DURATION}, at least {LEAST_WORKING_TIME_MS}ms"
)
#: So many starts in any window of that length.
RATE = Kind(parse=_rate, allowed="starts per window, such as 10/m, 2/s, 100/h or 10/3s")
#: How long jobs are kept, and how many at most.
RETENTION = Kind(parse=_retention, allowed="a duration and a number of jobs, such as 7d,100000")
#: An address, without a slash at its end.
HTTP_URL = Kind(parse=_http_url, allowed="an http:// or https:// address")
#: The same, for paths to be added to.
BASE_URL = Kind(
    parse=_base_url, allowed="an http:// or https:// address without a query and without a login"
)
#: A Redis address. For rediss it says ``ssl_cert_reqs=none`` unless it said otherwise:
#: hosted services hand out ``rediss://`` with a self-signed certificate.
REDIS_URL = Kind(
    parse=_redis_url,
    allowed="redis://[user:password@]host[:port][/db], or rediss:// for TLS",
)
#: Texts separated by commas, none of them empty.
LISTED = Kind(parse=_listed, allowed="texts separated by commas")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
