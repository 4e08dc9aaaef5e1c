"""When people may be called: the open hours of a call, and an explanation in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import Lifted, OpenHours
from vomind_queue.calls.job import Held
from vomind_queue.rules.caps import NO_HISTORY, History
from vomind_queue.rules.hours import parse
from vomind_queue.rules.judge import Judgment, Kind, Subject, judge, located
from vomind_queue.rules.law import ClosedDay, Mode, Purpose, Why
from vomind_queue.rules.places import Place, places_of
from vomind_queue.rules.rulebook import Rulebook
from vomind_queue.rules.words import BEHIND, explained

logger = logging.getLogger(__name__)

#: After how long a call is checked again, ms: if its rules could not be applied, and if no hour is
#: known in which it may ring.
BEHIND_MS = 60_000
UNKNOWN_MS = 86_400_000
#: Open intervals that the dial marker's script gets: the present one, and the next.
_OPENINGS = 2
#: As campaigns have them; read once, as many of their calls follow each other.
_weekly = lru_cache(maxsize=256)(parse)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A verdict with its words."""

    verdict: Judgment
    words: str


class Calendar:
    """When people of one place may be called, asked for ever later instants."""

    def __init__(self, subject: Subject, book: Rulebook) -> None:
        self._subject = subject
        self._book = book
        self._verdict = judge(subject, 0, book)
        #: Until when the verdict holds.
        self._until_ms = 0

    @property
    def has_caps(self) -> bool:
        """Whether it matters what happened to a person: caps are the same at any time."""
        return bool(self._verdict.caps)

    def opens_at(self, now_ms: int, past: History) -> tuple[int | None, str]:
        """Return from when a call may start, ``None`` for never, and what keeps it until then."""
        if now_ms >= self._until_ms:
            self._verdict = judge(self._subject, now_ms, self._book)
            self._until_ms = self._verdict.until or _closes(self._verdict, now_ms)
        found = self._verdict
        if found.kind is Kind.UNKNOWN:
            return None, found.why
        if any((cap.free_at(past.of(cap.event)) or 0) > now_ms for cap in found.caps):
            found = judge(self._subject, now_ms, self._book, past)
        return found.until or now_ms, found.why


def _closes(verdict: Judgment, now_ms: int) -> int:
    """Return when a verdict is to be made again, unless it says so itself."""
    return verdict.hours[0][1] if verdict.hours else now_ms + UNKNOWN_MS


class Days(Protocol):
    """What this needs of the days that are closed at run time."""

    def version(self) -> str: ...
    def read(self) -> tuple[str, tuple[ClosedDay, ...]]: ...


def _no_histories(numbers: Sequence[str]) -> Mapping[str, History]:
    return dict.fromkeys(numbers, NO_HISTORY)


class CallingRules:
    """The rules of this installation. What reads the closed days may raise StoreUnavailable."""

    def __init__(
        self,
        book: Rulebook,
        days: Days,
        *,
        histories: Callable[[Sequence[str]], Mapping[str, History]] = _no_histories,
        missing: bool = False,
    ) -> None:
        """``histories``: what happened to numbers lately.

        ``missing``: a real account is set, and CALLING_RULES is not.
        """
        #: The rules of the settings, which hold for as long as the process runs.
        self.base = book
        #: Whether there are any.
        self.hold = not book.is_empty
        self.missing = missing
        self._days = days
        #: What happened to numbers lately.
        self.histories = histories
        #: The closed days of a version, the rules with them, and what names those in the call log;
        #: read and replaced as one.
        self._known = ("", book, _name(book))

    @property
    def keeps_hours(self) -> bool:
        """Whether there are any about hours and days."""
        return self.base.mode is not Mode.OFF

    def in_force(self) -> Rulebook:
        """Return the rules with the days that are closed now."""
        return self._with_days(self._days.version())[1] if self.hold else self.base

    def _with_days(self, version: str) -> tuple[str, Rulebook, str]:
        if self._known[0] != version:
            version, days = self._days.read()
            book = replace(self.base, closed=(*self.base.closed, *days))
            self._known = version, book, _name(book)
        return self._known

    def open_hours(
        self,
        call: Call,
        now_ms: int,
        version: str,
        past: History = NO_HISTORY,
        campaign_hours: str = "",
    ) -> OpenHours:
        """Return when a call may start: never, if the rules cannot be applied. Never raise.

        ``version`` of the closed days in force; ``past`` of the person;
        ``campaign_hours`` as its campaign has them.
        """
        try:
            version, book, name = self._with_days(version)
            subject = self._subject(call, campaign_hours)
            found = _hours(judge(subject, now_ms, book, past), subject)
            if subject.lifted:
                unlifted = replace(subject, lifted=frozenset())
                plain = _hours(judge(unlifted, now_ms, book, past), unlifted)
                found = replace(found, lifted=Lifted(plain=plain, **_who(call)))
        except Exception:
            logger.exception("calling rules could not be applied")
            return OpenHours(intervals=(), why=Why.RULES_BEHIND, recheck_ms=BEHIND_MS)
        return replace(found, version=version, rules=name)

    def check(self, call: Call, now_ms: int, campaign_hours: str | None = None) -> Judged:
        """Return whether a call may start at an instant, and why, in words."""
        subject, book = self._subject(call, campaign_hours), self.in_force()
        past = self.histories([call.to])[call.to] if book.starts_kept else NO_HISTORY
        verdict = judge(subject, now_ms, book, past)
        return Judged(verdict=verdict, words=explained(verdict, subject, now_ms, book))

    def forecast(
        self,
        calls: Sequence[tuple[Call, int]],
        campaign_hours: str | None = None,
        *,
        before_ms: int | None = None,
    ) -> Sequence[Held | None]:
        """Return which rules will hold calls that are due at given times.

        Caps count what has happened to people, before an instant where one is given, and none of
        these calls. Nothing is said if it cannot be told now. Never raise.
        """
        if not (self.hold or campaign_hours):
            return [None] * len(calls)
        try:
            judged = self._forecast(calls, self.in_force(), campaign_hours, before_ms)
            return [Held(by=each.why, until_ms=each.until) if each.why else None for each in judged]
        except Exception:
            logger.exception("calling rules could not be applied")
            return [None] * len(calls)

    def _forecast(
        self,
        calls: Sequence[tuple[Call, int]],
        book: Rulebook,
        campaign_hours: str | None,
        before_ms: int | None,
    ) -> Iterator[Judgment]:
        # Many calls of a bulk are due together, in few places.
        known: dict[tuple[Subject, int], Judgment] = {}
        asked = [(self._subject(call, campaign_hours), at_ms) for call, at_ms in calls]
        for each in asked:
            known.get(each) or known.setdefault(each, judge(*each, book))
        capped = {call.to for (call, _), each in zip(calls, asked, strict=True) if known[each].caps}
        histories = self.histories(sorted(capped))
        for (call, _), each in zip(calls, asked, strict=True):
            past = histories.get(call.to, NO_HISTORY)
            if before_ms is not None:
                past = past.before(before_ms)
            yield known[each] if past == NO_HISTORY else judge(*each, book, past)

    def calendars(self, campaign_hours: str | None) -> Callable[[Call], Calendar] | None:
        """Return what gives a call its calendar; ``None`` where calls may start at any time."""
        book = self.in_force()
        if book.is_empty and not campaign_hours:
            return None
        known: dict[Subject, Calendar] = {}

        def calendar_of(call: Call) -> Calendar:
            subject = self._subject(call, campaign_hours)
            return known.get(subject) or known.setdefault(subject, Calendar(subject, book))

        return calendar_of

    def explain(
        self, call: Call, now_ms: int, held: Held | None, campaign_hours: str | None = None
    ) -> Judged:
        """Return the same for a call in the queue, or that its rules could not be applied."""
        judged = self.check(call, now_ms, campaign_hours)
        if held and held.by == Why.RULES_BEHIND:
            verdict = Judgment(kind=Kind.UNKNOWN, why=Why.RULES_BEHIND)
            return Judged(verdict=verdict, words=BEHIND)
        return judged

    def places(self, call: Call) -> Sequence[Place]:
        """Return where the person called may be; nothing where that is not known."""
        return located(self._subject(call).places, self.base)

    def _purpose(self, call: Call) -> Purpose:
        """Return the purpose of a call; an emergency counts as one if somebody signed it."""
        is_unsigned = call.purpose == Purpose.EMERGENCY and not (call.override or {}).get("by")
        return Purpose(call.purpose) if call.purpose and not is_unsigned else self.base.purpose

    def _subject(self, call: Call, campaign_hours: str | None = None) -> Subject:
        purpose = self._purpose(call)
        places = places_of(call.to, zone=call.timezone, region=call.region)
        hours = _weekly(campaign_hours) if campaign_hours else None
        return Subject(places=places, purpose=purpose, lifted=_lifted(call), campaign_hours=hours)


def _lifted(call: Call) -> frozenset[Why]:
    """Return what does not hold for a call, as an API key that may say so has signed it."""
    signed = call.override or {}
    return frozenset(map(Why, signed["rules"])) if signed.get("by") else frozenset()


def _who(call: Call) -> Mapping[str, str]:
    signed = call.override or {}
    return {"by": signed["by"], "reason": signed["reason"]}


def _hours(verdict: Judgment, subject: Subject) -> OpenHours:
    known, capped = verdict.kind is not Kind.UNKNOWN, verdict.why is Why.CAP
    usual = Why.CAMPAIGN_HOURS if subject.campaign_hours else Why.HOURS
    return OpenHours(
        intervals=verdict.hours[: None if capped else _OPENINGS],
        why=usual if capped else verdict.why or usual,
        recheck_ms=BEHIND_MS if known else UNKNOWN_MS,
        caps=[(cap.most, cap.window_ms, cap.event) for cap in verdict.caps],
    )


def _name(book: Rulebook) -> str:
    """Return what names the rules in the call log."""
    return "" if book.is_empty else f"{book.mode}:{book.digest}"
