"""Names of time zones as people write them, and changes of a zone's offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

#: The probable meanings of an abbreviation, used in hints only: several places share each one, and
#: the database's own zones of these names do not follow daylight saving.
_MEANT = """
    ACST Australia/Adelaide; AEST Australia/Sydney Australia/Brisbane; AKST America/Anchorage;
    AST America/Halifax; AWST Australia/Perth; BST Europe/London; CEST Europe/Berlin Europe/Paris;
    CET Europe/Berlin Europe/Paris; CST America/Chicago Asia/Shanghai; CST6CDT America/Chicago;
    CT America/Chicago; ET America/New_York; MT America/Denver; PT America/Los_Angeles;
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
#: Offsets such as UTC+2, GMT-5 and +02:00.
_OFFSET = re.compile(r"(?:UTC|GMT)? ?([+-])0?([0-9]{1,2})(?::?00)?", re.IGNORECASE)
#: Names such as Pacific Time, US Eastern Daylight Time and W. Europe Standard Time.
_SPOKEN = re.compile(
    r"(?:us )?(?P<place>[a-z. ]+?)(?: (?:standard|daylight|summer))? time(?: zone)?(?: \(.*)?",
    re.IGNORECASE,
)
#: Those whose place Windows calls otherwise; `tzlocal` has the names of Windows.
_SPOKEN_PLACES = {
    "alaska": "America/Anchorage",
    "british": "Europe/London",
    "central european": "Europe/Berlin",
    "eastern european": "Europe/Athens",
    "greenwich mean": "UTC",
    "hawaii": "Pacific/Honolulu",
    "indian": "Asia/Kolkata",
    "irish": "Europe/Dublin",
    "japan": "Asia/Tokyo",
    "moscow": "Europe/Moscow",
    "western european": "Europe/Lisbon",
}
#: Names in the database that are abbreviations, such as GMT, EST5EDT and W-SU.
_SHORT = re.compile(r"[A-Z][A-Z0-9+-]*")
#: Names in the database that are not time zones of a place.
_NOWHERE = {"Factory", "localtime"}
#: How alike two names must be for one to be a slip of the other, by difflib's measure.
_ALIKE = 0.75
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
    if spoken := _spoken(name):
        return [spoken]
    if offset := _OFFSET.fullmatch(name):
        # Names under Etc/ have the sign of POSIX, which is reversed.
        posix = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return [posix] if posix in _names() else []
    plain = {_plain(each): each for each in sorted(_names())}
    wanted = _plain(name)
    found = [plain[wanted]] if wanted in plain else []
    # A place without its continent: Berlin, New York.
    found += [each for key, each in plain.items() if wanted and key.endswith(f"/{wanted}")]
    found += [plain[key] for key in get_close_matches(wanted, plain, n=3, cutoff=_ALIKE)]
    return list(dict.fromkeys(found))[:3]


def _spoken(name: str) -> str | None:
    """Return the place that a name means which is spoken, or Windows's."""
    exact = {each.lower(): place for each, place in win_tz.items()}
    # Windows's "US Eastern" is Indiana alone, and nobody means that.
    if (found := exact.get(name.lower())) and not name.lower().startswith("us "):
        return found
    spoken = _SPOKEN.fullmatch(name)
    place = spoken["place"].lower() if spoken else name.lower()
    return _SPOKEN_PLACES.get(place) or exact.get(f"{place} standard time")


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
