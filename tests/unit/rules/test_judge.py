"""Whether a person may be called at an instant."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from vomind_queue.rules.caps import History
from vomind_queue.rules.caps import parse as caps
from vomind_queue.rules.closed_days import name_of
from vomind_queue.rules.hours import WeeklyHours, parse
from vomind_queue.rules.judge import HORIZON_MS, Judgment, Kind, Subject, judge
from vomind_queue.rules.law import ClosedDay, Mode, Purpose, Why, rows
from vomind_queue.rules.places import Place, Places, places_of
from vomind_queue.rules.rulebook import STRICTEST, Rulebook, rulebook

LAW = rulebook(Mode.LAW)
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(text: str, zone: str = "UTC") -> int:
    """An instant by a zone's clock, unix ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def said(number: str, now: int, book: Rulebook = LAW, **more: object) -> Judgment:
    """The verdict on a call to a number."""
    zone, region = more.pop("zone", None), more.pop("region", None)
    places = places_of(number, zone=zone, region=region)  # type: ignore[arg-type]
    purpose = Purpose(more.get("purpose", Purpose.MARKETING))
    starts: list[int] = more.get("starts", [])  # type: ignore[assignment]
    hours: WeeklyHours | None = more.get("hours")  # type: ignore[assignment]
    subject = Subject(places=places, purpose=purpose, campaign_hours=hours)
    return judge(subject, now, book, History(starts=starts))


def ids(verdict: Judgment) -> tuple[str, ...]:
    """The rules that it rests on."""
    return tuple(rule.id for rule in verdict.rules)


def test_an_area_code_in_two_zones_waits_for_the_later_clock() -> None:
    """At 8:30 in New York it is 7:30 in Chicago."""
    early = at("2026-12-01T08:30", "America/New_York")
    verdict = said("+18125550100", early)
    assert (verdict.kind, verdict.why) == (Kind.WAIT, Why.HOURS)
    assert verdict.until == at("2026-12-01T08:00", "America/Chicago")
    exact = said("+18125550100", early, zone="America/Indiana/Indianapolis")
    assert exact.kind is Kind.GO


def test_hours_end_before_their_last_instant() -> None:
    """At 20:59:59.999 a call may start; at 21:00 it waits until eight."""
    end = at("2026-12-01T21:00", "America/New_York")
    assert said("+12125550100", end - 1).kind is Kind.GO
    verdict = said("+12125550100", end)
    assert verdict.until == at("2026-12-02T08:00", "America/New_York")


AFTERNOON = parse("mon-fri 14:00-22:00, sat-sun closed")


def test_hours_of_a_campaign_narrow_the_rules() -> None:
    """Where they open last, they are the reason; where the law closes first, the law is."""
    morning = at("2026-12-01T10:00", "America/New_York")
    verdict = said("+12125550100", morning, hours=AFTERNOON)
    assert (verdict.why, verdict.until) == (Why.CAMPAIGN_HOURS, morning + 4 * HOUR)
    assert said("+12125550100", morning + 4 * HOUR, hours=AFTERNOON).kind is Kind.GO
    evening = at("2026-12-01T21:30", "America/New_York")
    verdict = said("+12125550100", evening, hours=AFTERNOON)
    assert (verdict.why, verdict.until) == (
        Why.CAMPAIGN_HOURS,
        at("2026-12-02T14:00", "America/New_York"),
    )
    early = parse("mon-sun 00:00-24:00")
    assert said("+12125550100", evening, hours=early) == said("+12125550100", evening)
    never = said("+12125550100", morning, hours=parse("mon-sun 02:00-03:00"))
    assert (never.kind, never.why, never.until) == (Kind.UNKNOWN, Why.CAMPAIGN_HOURS, None)


def test_hours_of_a_campaign_hold_without_any_rules() -> None:
    """A number in two zones waits for the later clock; one without a place, for a zone."""
    off = rulebook(Mode.OFF)
    early = at("2026-12-01T14:30", "America/New_York")
    verdict = said("+18125550100", early, off, hours=AFTERNOON)
    assert (verdict.why, verdict.until) == (Why.CAMPAIGN_HOURS, early + HOUR // 2)
    assert said("+18005550100", early, off, hours=AFTERNOON).why is Why.UNKNOWN_ZONE
    assert said("+18125550100", early, off).kind is Kind.GO


def test_a_state_narrows_its_country() -> None:
    """Florida ends at 20:00, and Texas sleeps long on Sundays."""
    assert said("+13055550100", at("2026-12-01T20:30", "America/New_York")).kind is Kind.WAIT
    sunday = at("2026-12-06T11:00", "America/Chicago")
    assert said("+15125550100", sunday).until == sunday + HOUR


def test_france() -> None:
    """Closed over lunch, at weekends and on holidays."""
    number = "+33612345678"
    lunch = at("2026-12-03T13:00", "Europe/Paris")
    assert said(number, lunch).until == lunch + HOUR
    friday = at("2026-12-04T20:00", "Europe/Paris")
    assert said(number, friday).until == at("2026-12-07T10:00", "Europe/Paris")
    bastille = at("2027-07-14T11:00", "Europe/Paris")
    verdict = said(number, bastille)
    assert (verdict.why, verdict.until) == (
        Why.CLOSED_DAY,
        at("2027-07-15T10:00", "Europe/Paris"),
    )


def test_the_eve_of_a_holiday_in_italy() -> None:
    """7 December is the eve of the Immacolata: from 10 to 19."""
    nine = at("2026-12-07T09:30", "Europe/Rome")
    assert said("+390612345678", nine).until == nine + HOUR // 2
    assert said("+390612345678", at("2026-12-07T19:00", "Europe/Rome")).kind is Kind.WAIT


def test_a_day_that_a_governor_proclaims() -> None:
    """Closed as soon as it is known, for that state alone."""
    closed = (ClosedDay(day=date(2026, 12, 3), region="US-LA"),)
    book = rulebook(Mode.LAW, closed=closed)
    noon = at("2026-12-03T15:00", "America/Chicago")
    verdict = said("+15045550100", noon, book)
    assert verdict.why is Why.CLOSED_DAY
    assert verdict.until == at("2026-12-04T08:00", "America/Chicago")
    assert said("+15125550100", noon, book).kind is Kind.GO


def test_louisianas_own_days() -> None:
    """8 January is one by its law."""
    (row,) = [rule for rule in rows() if rule.id == "us-la"]
    assert row.holidays
    assert name_of(date(2027, 1, 8), row.holidays, "US-LA")
    assert name_of(date(2027, 12, 25), row.holidays, "US-LA") == "Christmas Day"


def test_a_toll_free_number_is_held_or_rings_where_every_zone_is_open() -> None:
    """And never at a time that somebody guessed."""
    noon = at("2027-01-13T17:00", "UTC")
    held = said("+18005550100", noon)
    assert (held.kind, held.why, held.until) == (Kind.UNKNOWN, Why.UNKNOWN_ZONE, None)
    book = rulebook(Mode.LAW, unknown_zone=STRICTEST)
    verdict = said("+18005550100", noon, book)
    assert verdict.kind is Kind.WAIT
    first = verdict.hours[0]
    assert timedelta(milliseconds=first[1] - first[0]) == timedelta(hours=2.5)
    named = rulebook(Mode.LAW, unknown_zone="America/Chicago")
    assert said("+18005550100", noon, named).kind is Kind.GO
    assert said("+18005550100", noon - 4 * HOUR, named).kind is Kind.WAIT
    assert said("+8816123456", noon, book).kind is Kind.UNKNOWN


def test_a_toll_free_number_may_have_no_hour_at_all() -> None:
    """At 9 to 20 there is none in July; and a Friday's hours end where it is Saturday already."""
    wide, narrow = (
        rulebook(Mode.LAW, own_hours=parse(hours), unknown_zone=STRICTEST)
        for hours in ("mon-fri 08:00-21:00, sat-sun closed", "mon-sun 09:00-20:00")
    )
    july = at("2027-07-14T12:00")
    never = said("+18005550100", july, narrow)
    assert (never.kind, never.why, never.until) == (Kind.UNKNOWN, Why.UNKNOWN_ZONE, None)
    assert said("+18005550100", july, narrow, zone="America/Chicago").kind is Kind.WAIT
    thursday, friday = at("2027-07-15T22:30"), at("2027-07-16T22:30")
    assert said("+18005550100", thursday, wide).kind is Kind.GO
    # 8:30 in Guam.
    assert said("+18005550100", friday, wide).until == at("2027-07-19T22:00")


def test_courtesy_where_no_row_has_hours() -> None:
    """Germany has none in law: nine to eight, but for Sundays and holidays."""
    now = at("2026-12-25T12:00", "Europe/Berlin")
    verdict = said("+4915123456789", now)
    assert (verdict.why, ids(verdict)) == (Why.CLOSED_DAY, ("courtesy",))
    informed = said("+12125550100", at("2026-12-01T05:00"), purpose=Purpose.INFORMATIONAL)
    assert ids(informed) == ("courtesy",)


def test_own_hours_only_narrow() -> None:
    """An operator who works around the clock still keeps to the law."""
    wide = rulebook(Mode.LAW, own_hours=parse("mon-sun 00:00-24:00"))
    night = at("2026-12-01T03:00", "America/New_York")
    assert said("+12125550100", night, wide).kind is Kind.WAIT
    book = rulebook(Mode.LAW, own_hours=parse("mon-sun 12:00-13:00"))
    noon = at("2026-12-01T12:30", "America/New_York")
    assert said("+12125550100", noon, book).kind is Kind.GO
    assert said("+12125550100", noon + HOUR, book).until == noon + DAY - HOUR // 2


def test_florida_is_called_three_times_a_day() -> None:
    """The fourth waits until 24 hours after the first, and then for the morning."""
    noon = at("2026-12-01T12:00", "America/New_York")
    starts = [noon - 3 * HOUR, noon - 2 * HOUR, noon - HOUR]
    assert said("+13055550100", noon, starts=starts[1:]).kind is Kind.GO
    verdict = said("+13055550100", noon, starts=starts)
    assert (verdict.kind, verdict.why, verdict.until) == (Kind.WAIT, Why.CAP, starts[0] + DAY)
    evening = at("2026-12-01T19:59", "America/New_York")
    starts = [evening - 2 * MINUTE, evening - MINUTE, evening]
    assert said("+13055550100", evening, starts=starts).until == starts[0] + DAY
    starts = [evening, evening, evening + MINUTE // 2]
    late = said("+13055550100", evening + HOUR, starts=[each + 2 * MINUTE for each in starts])
    assert (late.why, late.until) == (Why.CAP, at("2026-12-03T08:00", "America/New_York"))
    informed = said("+13055550100", noon, starts=starts, purpose=Purpose.INFORMATIONAL)
    assert informed.kind is Kind.GO


def test_france_is_called_four_times_in_thirty_days() -> None:
    """The fifth waits far beyond the horizon of hours, and then for an open one."""
    number, now = "+33612345678", at("2026-12-01T11:00", "Europe/Paris")
    starts = [now - 3 * DAY + each for each in range(4)]
    verdict = said(number, now, starts=starts)
    assert (verdict.why, verdict.until) == (Why.CAP, starts[0] + 30 * DAY)
    friday = at("2026-12-04T19:59", "Europe/Paris")
    # 30 days after it is a Sunday.
    verdict = said(number, friday, starts=[friday] * 4)
    assert verdict.until == at("2027-01-04T10:00", "Europe/Paris")


def test_own_caps_hold_without_calling_rules() -> None:
    """At any hour and for any purpose; the strictest decides."""
    book = rulebook(Mode.OFF, own_caps=caps("3/24h, 1/1h"))
    now = at("2026-12-01T03:00")
    verdict = said("+18005550100", now, book, starts=[now - 1])
    assert (verdict.kind, verdict.until, verdict.places) == (Kind.WAIT, now - 1 + HOUR, ())
    assert said("+18005550100", now, book, starts=[now - HOUR]).kind is Kind.GO
    assert rulebook(Mode.OFF).is_empty
    assert (book.is_empty, book.starts_kept, LAW.starts_kept) == (False, 10, 10)
    assert (rulebook(Mode.OFF).starts_kept, rulebook(Mode.COURTESY).starts_kept) == (0, 0)


def test_judge_and_a_look_at_every_minute_agree() -> None:
    """Random places and instants; the clocks of all candidates are read minute by minute."""
    choose = random.Random(20261130)
    numbers = ("+18125550100", "+13055550100", "+12085550100", "+390612345678", "+33612345678")
    for _ in range(60):
        places = places_of(choose.choice(numbers))
        subject = Subject(places=places, purpose=choose.choice(list(Purpose)))
        now = at("2027-01-01T00:00") + choose.randrange(0, 365 * 24 * 60) * MINUTE
        verdict = judge(subject, now, LAW)
        opens = _first_open_minute(subject, now)
        assert verdict.until == (None if opens == now else opens), (places, now)


def _first_open_minute(subject: Subject, now: int) -> int | None:
    return next(
        (
            instant
            for instant in range(now, now + HORIZON_MS, 5 * MINUTE)
            for instant in range(instant, instant + 5 * MINUTE, MINUTE)
            if all(_is_open(place, subject, instant) for place in subject.places.places)
        ),
        None,
    )


def _is_open(place: Place, subject: Subject, instant: int) -> bool:
    clock = datetime.fromtimestamp(instant // 1000, UTC).astimezone(ZoneInfo(place.zone))
    minute = clock.hour * 60 + clock.minute
    for rule in LAW.rules_for(place, subject.purpose):
        days = rule.holidays
        if days and name_of(clock.date(), days, place.region):
            return False
        ranges = rule.hours(clock.date()) if rule.hours else ((0, 1440),)
        if not any(first <= minute < last for first, last in ranges):
            return False
        if days and days.eves and name_of(clock.date() + timedelta(days=1), days, place.region):
            first, last = days.eves
            if not first <= minute < last:
                return False
    return True


def test_no_place_at_all_is_no_verdict() -> None:
    """Nothing is known, so nothing is decided."""
    nowhere = Subject(places=Places(places=(), known=False), purpose=Purpose.MARKETING)
    assert judge(nowhere, 0, LAW).kind is Kind.UNKNOWN
