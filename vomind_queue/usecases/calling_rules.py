"""When people may be called: judged for a call that is to be dialed, and told in words."""

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

#: A call is judged again after so long: where its rules could not be applied, and where no hour is
#: known in which it may ring, ms.
BEHIND_MS = 60_000
UNKNOWN_MS = 86_400_000
#: Openings that the dial marker is told of: the present one, and the next.
_OPENINGS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A verdict with its words."""

    verdict: Judgment
    words: str


class CallingRules:
    """The rules of this installation."""

    def __init__(self, book: Rulebook, *, missing: bool = False) -> None:
        """``missing``: people are called, and nobody said at which hours."""
        self.book = book
        self.missing = missing

    @property
    def hold(self) -> bool:
        """Whether there are any."""
        return self.book.mode is not Mode.OFF

    def open_hours(self, call: Call, now_ms: int) -> OpenHours:
        """Return when a call may start. Where that cannot be told it may not: this never raises."""
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
        """Return the same for a call in the queue; one whose rules could not be applied says so."""
        judged = self.check(call, now_ms)
        if held and held.by == Why.RULES_BEHIND:
            verdict = Judgment(kind=Kind.UNKNOWN, why=Why.RULES_BEHIND)
            return Judged(verdict=verdict, words=BEHIND)
        return judged

    def _subject(self, call: Call) -> Subject:
        purpose = Purpose(call.purpose) if call.purpose else self.book.purpose
        places = places_of(call.to, zone=call.timezone, region=call.region)
        return Subject(places=places, purpose=purpose)
