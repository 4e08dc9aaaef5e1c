"""Types of settings about calls: numbers, voices, outcomes, hours and days."""

from __future__ import annotations

from collections.abc import Mapping

from vomind_queue.calls.call_status import RETRIED
from vomind_queue.calls.phone_number import canonical, is_country
from vomind_queue.calls.ring_timeout import LEAST_RING_MS, MOST_RING_MS
from vomind_queue.config.types import (
    A_DURATION,
    InvalidValue,
    Type,
    checked,
    duration_ms,
    matching,
    split,
)
from vomind_queue.recurring.time_zones import is_zone
from vomind_queue.rules import caps
from vomind_queue.rules.hours import InvalidHours, WeeklyHours, parse
from vomind_queue.rules.law import closed_day
from vomind_queue.rules.rulebook import HOLD, STRICTEST


def _calling_hours(text: str) -> WeeklyHours:
    try:
        return parse(text)
    except InvalidHours as error:
        raise InvalidValue(str(error)) from None


def _number_by_country(text: str) -> Mapping[str, str]:
    pairs = [part.partition("=") for part in split(text)]
    found = {country.strip().upper(): NUMBER.parse(number.strip()) for country, _, number in pairs}
    if len(found) < len(pairs) or not all(map(is_country, found)):
        raise ValueError
    return found


#: How long a phone may ring, ms.
RING_TIME = checked(
    duration_ms,
    lambda ring_ms: LEAST_RING_MS <= ring_ms <= MOST_RING_MS,
    f"{A_DURATION}, from {LEAST_RING_MS // 1_000}s to {MOST_RING_MS // 60_000}m",
)
#: Outcomes on the line after which a call may be made again.
OUTCOMES = checked(
    lambda text: split("" if text.lower() == "none" else text.lower()),
    set(RETRIED).issuperset,
    f"{', '.join(RETRIED)}, separated by commas, or none",
)
#: Codes of countries (ISO 3166); an empty list means all.
COUNTRIES = checked(
    lambda text: frozenset(split(text.upper())),
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
    lambda text: tuple(map(NUMBER.parse, split(text))),
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


#: A short text that is spoken.
SPOKEN = matching(r"[^\x00-\x1f<>&]{1,200}", "up to 200 characters to speak, without < > &")
#: Hours of a week on the clock of the person called.
CALLING_HOURS = Type(
    parse=_calling_hours,
    expected="hours for each day, such as mon-fri 09:00-20:00, sat 10:00-17:00, sun closed",
)
#: Days on which nobody is called, everywhere or in one region.
CLOSED_DAYS = Type(
    parse=lambda text: tuple(map(closed_day, split(text))),
    expected="dates, such as 2026-12-24, US-LA:2027-02-09 or 2026-12-27..2026-12-31",
)
#: How often a person may be called.
CAPS = Type(
    parse=caps.parse,
    expected=(
        "starts within a window of up to 30 days or a pause of up to 90, such as 3/24h, 4/30d or "
        "2d after a conversation, separated by commas"
    ),
)
#: What becomes of numbers that do not tell where they are.
UNKNOWN_ZONE = checked(
    str,
    lambda text: text in (HOLD, STRICTEST) or is_zone(text),
    f"{HOLD}, {STRICTEST} or an IANA time zone",
)
