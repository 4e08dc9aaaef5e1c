"""Names of time zones, as people write them, and when clocks are moved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

#: What an abbreviation probably means. It is never taken for that: several places use each, and
#: the data bases' own zones of these names do not follow daylight saving.
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
#: UTC+2, GMT-5: an offset.
_OFFSET = re.compile(r"(?:UTC|GMT) ?([+-])0?([0-9]{1,2})(?::?00)?", re.IGNORECASE)
#: Pacific Time, US Eastern Standard Time: as North America and Windows call them.
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
#: GMT, EST5EDT, W-SU: names in the data base that are abbreviations all the same.
_SHORT = re.compile(r"[A-Z][A-Z0-9+-]*")
#: In the data base, and nobody's.
_NOWHERE = {"Factory", "localtime"}
#: Longer is no name, characters.
_LONGEST = 64


def is_zone(name: str) -> bool:
    """Return whether it is an IANA name of a place, or UTC; an abbreviation is not."""
    return name in _names()


def near(name: str) -> list[str]:
    """Return the names that were probably meant, the likeliest first; three at most."""
    if len(name) > _LONGEST:
        return []
    if meant := _ABBREVIATIONS.get(name.upper()):
        return list(meant)
    if spoken := _SPOKEN.fullmatch(name):
        return [_SPOKEN_PLACES[spoken[1].lower()]]
    if offset := _OFFSET.fullmatch(name):
        # Their names have the sign of POSIX, which is the other one.
        posix = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return [posix] if posix in _names() else []
    plain = {_plain(each): each for each in sorted(_names())}
    wanted = _plain(name)
    found = [plain[wanted]] if wanted in plain else []
    # Berlin, New York: the place without its continent.
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
    """A moment at which a zone's clocks are moved."""

    at_ms: int
    #: Offsets from UTC before and after, s.
    before_s: int
    after_s: int


#: No zone moves its clocks there and back within a shorter time, s.
_STEP_S = 86_400


def offset_changes(zone: ZoneInfo, from_ms: int, to_ms: int, most: int) -> list[OffsetChange]:
    """Return the first moments between two instants at which clocks are moved, ``most`` at most."""
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
    """Return the second at which the offset of ``end`` begins to hold."""
    wanted = _offset(zone, end)
    while end - begin > 1:
        middle = (begin + end) // 2
        if _offset(zone, middle) == wanted:
            end = middle
        else:
            begin = middle
    return end
