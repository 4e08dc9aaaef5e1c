"""When people may be called: the open hours of a call, and an explanation in words."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vomind_queue.calls.call import Call
from vomind_queue.calls.decisions import OpenHours
from vomind_queue.calls.job import Held
from vomind_queue.rules.judge import Judgment, Kind, Rulebook, Subject, judge
from vomind_queue.rules.law import Mode, Purpose, Why
from vomind_queue.rules.places import places_of
from vomind_queue.rules.words import BEHIND, explained

logger = logging.getLogger(__name__)

#: After how long a call is checked again, ms: if its rules could not be applied, and if no hour is
#: known in which it may ring.
BEHIND_MS = 60_000
UNKNOWN_MS = 86_400_000
#: Open intervals that the dial marker's script gets: the present one, and the next.
_OPENINGS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A verdict with its words."""

    verdict: Judgment
    words: str


class CallingRules:
    """The rules of this installation."""

    def __init__(self, book: Rulebook, *, missing: bool = False) -> None:
        """``missing``: a real account is set, and CALLING_RULES is not."""
        self.book = book
        self.missing = missing

    @property
    def hold(self) -> bool:
        """Whether there are any."""
        return self.book.mode is not Mode.OFF

    def open_hours(self, call: Call, now_ms: int) -> OpenHours:
        """Return when a call may start: never, if the rules cannot be applied. Never raise."""
        try:
            verdict = judge(self._subject(call), now_ms, self.book)
        except Exception:
            logger.exception("calling rules could not be applied")
            return OpenHours(intervals=(), why=Why.RULES_BEHIND, recheck_ms=BEHIND_MS)
        known = verdict.kind is not Kind.UNKNOWN
        return OpenHours(
            intervals=verdict.hours[:_OPENINGS],
            why=verdict.why or Why.HOURS,
            recheck_ms=BEHIND_MS if known else UNKNOWN_MS,
        )

    def check(self, call: Call, now_ms: int) -> Judged:
        """Return whether a call may start at an instant, and why, in words."""
        subject = self._subject(call)
        verdict = judge(subject, now_ms, self.book)
        return Judged(verdict=verdict, words=explained(verdict, subject, now_ms, self.book))

    def explain(self, call: Call, now_ms: int, held: Held | None) -> Judged:
        """Return the same for a call in the queue, or that its rules could not be applied."""
        judged = self.check(call, now_ms)
        if held and held.by == Why.RULES_BEHIND:
            verdict = Judgment(kind=Kind.UNKNOWN, why=Why.RULES_BEHIND)
            return Judged(verdict=verdict, words=BEHIND)
        return judged

    def _subject(self, call: Call) -> Subject:
        purpose = Purpose(call.purpose) if call.purpose else self.book.purpose
        places = places_of(call.to, zone=call.timezone, region=call.region)
        return Subject(places=places, purpose=purpose)
