"""Kinds of values that one environment variable alone takes; plain values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vomind_queue.progress import RETRIED
from vomind_queue.tolls import is_country
from vomind_queue.variables import LISTED, matching
from vomind_queue.zones import is_zone


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key that a client of the API may show."""

    #: Stands in "paused by" and in the logs; ``None`` when the key has no name.
    name: str | None
    secret: str = field(repr=False)


def _api_key(text: str) -> ApiKey:
    name, colon, secret = text.partition(":") if ":" in text else ("", "", text)
    # Only what travels in an HTTP header as it is.
    if not re.fullmatch(r"[!-~]+", secret) or (colon and not name):
        raise ValueError
    return ApiKey(name=name or None, secret=secret)


def api_keys(text: str) -> Sequence[ApiKey]:
    """``name:secret`` or a secret, separated by commas. Raises ValueError."""
    keys = tuple(_api_key(part) for part in LISTED.parse(text))
    if len({key.secret for key in keys}) < len(keys):
        raise ValueError
    return keys


def logins(text: str) -> str:
    """``user:password``, separated by commas. Raises ValueError."""
    if not all(re.fullmatch(r"[^:]+:.+", login) for login in LISTED.parse(text)):
        raise ValueError
    return text


def outcomes(text: str) -> Sequence[str]:
    """Outcomes on the line, separated by commas, or ``none``. Raises ValueError."""
    found = LISTED.parse("" if text.lower() == "none" else text.lower())
    if not set(found) <= set(RETRIED):
        raise ValueError
    return found


def countries(text: str) -> frozenset[str]:
    """Codes of countries, separated by commas; none at all means all. Raises ValueError."""
    found = frozenset(LISTED.parse(text.upper())) if text else frozenset()
    if not all(map(is_country, found)):
        raise ValueError
    return found


def zone(text: str) -> str:
    """An IANA name. Raises ValueError."""
    if not is_zone(text):
        raise ValueError
    return text


#: What travels in an HTTP header as it is.
SECRET = matching(r"[!-~]+", "printable ASCII without spaces")
#: Something to listen on or to connect to.
HOST = matching(r"[A-Za-z0-9._:-]+", "a host name or an IP address")
#: What is allowed of one of Twilio's ids, but for its first two letters.
SID = "{} and 32 hexadecimal digits"
#: What to do about an unknown outcome.
UNKNOWN: Mapping[str, Literal["settle", "fail"]] = {"settle": "settle", "fail": "fail"}
#: How log lines are written.
FORMATS: Mapping[str, Literal["text", "json"]] = {"text": "text", "json": "json"}
#: What becomes of old calls in the log.
MODES: Mapping[str, Literal["delete", "anonymize"]] = {
    "delete": "delete",
    "anonymize": "anonymize",
}
#: The least level that is logged.
LEVELS = {level: level for level in ("debug", "info", "warning", "error")}
