"""Times as people and spreadsheets write them, and which of them are certain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

#: The forms that are taken, for people.
FORMS = "2027-01-04T09:00:00+01:00 or 2027-01-04T08:00:00Z"
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./](?:[0-9]{2}){1,2}")
_CLOCK = r"[ ,T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*([ap])?\.?(?:m\.?)?"
_SLASHES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})" + _CLOCK, re.IGNORECASE)
_DOTS = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})" + _CLOCK, re.IGNORECASE)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
#: Spreadsheets count days from here.
_SERIAL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (a cell has no zone)
#: Days that are dates of our time, 1995 to 2119.
_SERIAL_DAYS = range(35_000, 80_000)
_MONTHS, _NOON = 12, 12

#: Kinds of cells: certain, without a zone in one of four forms, a day alone, no time at all.
CERTAIN, PLAIN, SLASHES, DOTS, SERIAL = "certain", "plain", "slashes", "dots", "serial"
DAY, NONE = "day", "none"
#: Kinds that a zone makes certain.
_ZONELESS = (PLAIN, SLASHES, DOTS, SERIAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How the times of one column are written."""

    #: The one form of all that have no zone; ``None`` where there is none, or more than one.
    kind: str | None
    #: Whether a day and a month could change places in each of them.
    is_day_unclear: bool
    #: Whether they come first: ``D`` or ``M``; ``None`` where that is unclear.
    order: str | None


def kind_of(cell: str) -> str:
    """Return in which form a cell has a time."""
    text = cell.strip()
    if found := _ISO.fullmatch(text):
        return CERTAIN if found[3] else PLAIN
    if _SLASHES.fullmatch(text):
        return SLASHES
    if _DOTS.fullmatch(text):
        return DOTS
    if _SERIAL.fullmatch(text) and int(float(text)) in _SERIAL_DAYS:
        return SERIAL
    return DAY if _DATE.fullmatch(text) else NONE


def manner_of(cells: Iterable[str]) -> Manner:
    """Return how the cells of a column are written."""
    kinds: set[str] = set()
    firsts, seconds = [], []
    for cell in cells:
        kind = kind_of(cell)
        kinds |= {kind} & set(_ZONELESS)
        if kind == SLASHES:
            first, second = re.findall("[0-9]+", cell)[:2]
            firsts.append(int(first))
            seconds.append(int(second))
    order = _order(firsts, seconds)
    kind_of_all = kinds.pop() if len(kinds) == 1 else None
    is_unclear = kind_of_all == SLASHES and order is None
    return Manner(kind=kind_of_all, is_day_unclear=is_unclear, order=order)


def _order(firsts: list[int], seconds: list[int]) -> str | None:
    is_day_first = any(each > _MONTHS for each in firsts)
    is_month_first = any(each > _MONTHS for each in seconds)
    if is_day_first == is_month_first:
        return None
    return "D" if is_day_first else "M"


def read_time(cell: str, manner: Manner, zone: str | None, order: str | None) -> str:
    """Return a cell's time with its offset, as the API takes it. Raise ValueError with words."""
    text = cell.strip()
    kind = kind_of(text)
    if kind == CERTAIN:
        return _certain(text)
    if kind == DAY:
        raise ValueError(f"“{text}” has no time of day; write it like {FORMS}")
    if kind == NONE:
        raise ValueError(f"“{text}” is not a time that is taken; write it like {FORMS}")
    if manner.kind is None:
        raise ValueError(_objection(text, kind))
    if zone is None or (kind == SLASHES and not (manner.order or order)):
        raise ValueError(f"“{text}” {_lack(kind)}; write it like {FORMS}")
    try:
        moment = _moment(text, kind, manner.order or order)
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is not a day of the calendar") from None
    return _within(moment, zone, text)


def _certain(text: str) -> str:
    found = _ISO.fullmatch(text)
    if found is None or (text[10] == "T" and not found[3][1:].isdigit()):
        return text
    offset = found[3].upper()
    is_short = offset != "Z" and ":" not in offset
    return f"{found[1]}T{found[2]}{offset[:3] + ':' + offset[3:] if is_short else offset}"


def _objection(text: str, kind: str) -> str:
    seen = f" ({_moment(text, SERIAL, None)})" if kind == SERIAL else ""
    others = "the column has times of several forms"
    return f"“{text}” {_lack(kind)}{seen}, and {others}; write all like {FORMS}"


def _lack(kind: str) -> str:
    if kind == SERIAL:
        return "is a spreadsheet's date without its format"
    if kind == SLASHES:
        return "does not say which is the day and which the month, and has no time zone"
    return "has no time zone"


def _moment(text: str, kind: str, order: str | None) -> datetime:
    if kind == PLAIN:
        return datetime.fromisoformat(text.replace(" ", "T"))
    if kind == SERIAL:
        # Four decimals are nine seconds, and people mean minutes.
        return _SERIAL_EPOCH + timedelta(minutes=round(float(text) * 1_440))
    found = (_SLASHES if kind == SLASHES else _DOTS).fullmatch(text)
    assert found is not None  # noqa: S101  (its kind says so)
    first, second, year, hour, minute, seconds = (int(part or 0) for part in found.groups()[:6])
    day, month = (second, first) if kind == SLASHES and order == "M" else (first, second)
    if half := found[7]:
        if not 1 <= hour <= _NOON:
            raise ValueError(text)
        hour = hour % _NOON + (_NOON if half in "pP" else 0)
    return datetime(year, month, day, hour, minute, seconds)  # noqa: DTZ001


def _within(moment: datetime, zone: str, text: str) -> str:
    """Return a wall clock's time in a zone. Raise ValueError where it comes not once."""
    local = moment.replace(tzinfo=ZoneInfo(zone))
    back = local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if back != moment:
        raise ValueError(f"“{text}” does not exist in {zone}: clocks are put forward")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise ValueError(f"“{text}” comes twice in {zone}: clocks are put back")
    return local.isoformat()
