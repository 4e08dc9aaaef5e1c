"""Names of time zones as people write them, and changes of a zone's offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

#: The probable meanings of an abbreviation, used in hints only: several places share each one, and
#: the database's own zones of these names do not follow daylight saving.
_MEANT = """
    ACST Australia/Adelaide; AEST Australia/Sydney Australia/Brisbane; AKST America/Anchorage;
    AST America/Halifax; AWST Australia/Perth; BST Europe/London; CEST Europe/Berlin Europe/Paris;
    CET Europe/Berlin Europe/Paris; CST America/Chicago Asia/Shanghai; CST6CDT America/Chicago;
    EDT America/New_York; EET Europe/Athens Europe/Helsinki; EST America/New_York;
    EST5EDT America/New_York; GB Europe/London; GMT UTC Europe/London; HST Pacific/Honolulu;
    IST Asia/Kolkata Europe/Dublin Asia/Jerusalem; JST Asia/Tokyo; KST Asia/Seoul;
    MSK Europe/Moscow; MST America/Denver America/Phoenix; MST7MDT America/Denver;
    NZ Pacific/Auckland; NZ-CHAT Pacific/Chatham; NZST Pacific/Auckland; PDT America/Los_Angeles;
    PRC Asia/Shanghai; PST America/Los_Angeles; PST8PDT America/Los_Angeles; ROC Asia/Taipei;
    ROK Asia/Seoul; SGT Asia/Singapore; UCT UTC; W-SU Europe/Moscow; WET Europe/Lisbon; Z UTC
"""
_ABBREVIATIONS = {name: places for name, *places in map(str.split, _MEANT.split(";"))}
#: All names of UTC itself.
UTC_NAMES = frozenset(
    (
        *("UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/GMT0", "Etc/GMT+0", "Etc/GMT-0"),
        *("Etc/Greenwich", "Etc/Universal", "Etc/Zulu", "Greenwich", "Universal", "Zulu"),
    )
)
#: Offsets such as UTC+2 and GMT-5.
_OFFSET = re.compile(r"(?:UTC|GMT) ?([+-])0?([0-9]{1,2})(?::?00)?", re.IGNORECASE)
#: Names used in North America and Windows, such as Pacific Time and US Eastern Standard Time.
_SPOKEN = re.compile(
    r"(?:US )?(pacific|mountain|central|eastern|alaskan?|hawaiian)( standard| daylight)? time\b.*",
    re.IGNORECASE,
)
_SPOKEN_PLACES = {
    "pacific": "America/Los_Angeles",
    "mountain": "America/Denver",
    "central": "America/Chicago",
    "eastern": "America/New_York",
    "alaska": "America/Anchorage",
    "alaskan": "America/Anchorage",
    "hawaiian": "Pacific/Honolulu",
}
#: Names in the database that are abbreviations, such as GMT, EST5EDT and W-SU.
_SHORT = re.compile(r"[A-Z][A-Z0-9+-]*")
#: Names in the database that are not time zones of a place.
_NOWHERE = {"Factory", "localtime"}
#: No name is longer, characters.
_LONGEST = 64


def is_zone(name: str) -> bool:
    """Return whether ``name`` is the IANA name of a place, or UTC; abbreviations are refused."""
    return name in _names()


def near(name: str) -> list[str]:
    """Return up to three names that were probably meant, the likeliest first."""
    if len(name) > _LONGEST:
        return []
    if meant := _ABBREVIATIONS.get(name.upper()):
        return list(meant)
    if spoken := _SPOKEN.fullmatch(name):
        return [_SPOKEN_PLACES[spoken[1].lower()]]
    if offset := _OFFSET.fullmatch(name):
        # Names under Etc/ have the sign of POSIX, which is reversed.
        posix = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return [posix] if posix in _names() else []
    plain = {_plain(each): each for each in sorted(_names())}
    wanted = _plain(name)
    found = [plain[wanted]] if wanted in plain else []
    # A place without its continent: Berlin, New York.
    found += [each for key, each in plain.items() if wanted and key.endswith(f"/{wanted}")]
    found += [plain[key] for key in get_close_matches(wanted, plain, n=3, cutoff=0.6)]
    return list(dict.fromkeys(found))[:3]


@cache
def _names() -> frozenset[str]:
    return frozenset(
        name
        for name in available_timezones() - _NOWHERE
        if name == "UTC" or not _SHORT.fullmatch(name)
    )


def _plain(name: str) -> str:
    return re.sub(r"[ _-]", "", name.strip().lower())


@dataclass(frozen=True, kw_only=True, slots=True)
class OffsetChange:
    """A moment at which a zone's offset changes."""

    at_ms: int
    #: Offsets from UTC before and after, s.
    before_s: int
    after_s: int


#: No zone changes its offset and changes it back within a shorter time, s.
_STEP_S = 86_400


def offset_changes(zone: ZoneInfo, from_ms: int, to_ms: int, most: int) -> list[OffsetChange]:
    """Return the first offset changes between two instants, at most ``most``."""
    found: list[OffsetChange] = []
    begin, end = from_ms // 1000, to_ms // 1000
    while begin < end and len(found) < most:
        until = min(begin + _STEP_S, end)
        before, after = _offset(zone, begin), _offset(zone, until)
        if before != after:
            at_ms = _change(zone, begin, until) * 1000
            found.append(OffsetChange(at_ms=at_ms, before_s=before, after_s=after))
        begin = until
    return found


def _offset(zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - the moment has a zone
    return int(offset.total_seconds())


def _change(zone: ZoneInfo, begin: int, end: int) -> int:
    """Return the second at which the offset of ``end`` takes effect."""
    wanted = _offset(zone, end)
    while end - begin > 1:
        middle = (begin + end) // 2
        if _offset(zone, middle) == wanted:
            end = middle
        else:
            begin = middle
    return end
