"""The rules that hold in an installation: the law's, those of courtesy, and the operator's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from vomind_queue.rules.caps import Cap, Event
from vomind_queue.rules.hours import WeeklyHours
from vomind_queue.rules.law import ClosedDay, Mode, Purpose, Rule, courtesy, rows, text_of_law
from vomind_queue.rules.places import Place

#: Starts of calls to a person that are kept at least, so that other caps find them.
_LEAST_STARTS = 10
#: Packages whose data the hours depend on.
_SOURCES = ("holidays", "phonenumbers", "tzdata")

#: What becomes of a number that does not tell where it is, where no zone is named for it: it waits
#: until somebody names one, or it rings when every zone of its country code is open.
HOLD, STRICTEST = "hold", "strictest"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rulebook:
    """The rules that hold in an installation; compared by identity, so that it is a cheap key."""

    mode: Mode
    law: tuple[Rule, ...] = ()
    courtesy: Rule | None = None
    #: What the operator allows at most; it narrows only.
    own_hours: WeeklyHours | None = None
    closed: tuple[ClosedDay, ...] = ()
    #: How often the operator lets a person be called at most.
    own_caps: tuple[Cap, ...] = ()
    #: ``hold``, ``strictest`` or the IANA name of a zone.
    unknown_zone: str = HOLD
    #: Of calls that do not name one.
    purpose: Purpose = Purpose.MARKETING

    def rules_for(self, place: Place, purpose: Purpose) -> tuple[Rule, ...]:
        """Return the rules of a place; the courtesy hours where no law has any."""
        found = tuple(rule for rule in self.law if rule.holds(place.region, purpose))
        if self.courtesy and not any(rule.hours for rule in found):
            found += (self.courtesy,)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether any call may start at any time."""
        return self.mode is Mode.OFF and not self.own_caps

    @property
    def starts_kept(self) -> int:
        """How many starts of calls to a person decide all caps; 0 where there are none."""
        found = [cap.most for cap in self._caps]
        return max(_LEAST_STARTS, *found) if found else 0

    @property
    def pauses_after_talks(self) -> bool:
        """Whether conversations count."""
        return any(cap.event is Event.CONVERSATION for cap in self._caps)

    @property
    def _caps(self) -> Sequence[Cap]:
        return (*self.own_caps, *(cap for rule in self.law for cap in rule.caps))

    @property
    def digest(self) -> str:
        """What tells these rules, with the data that they rest on, from all others."""
        if self.is_empty:
            return Mode.OFF
        closed = sorted(each.id for each in self.closed)
        hours = str(self.own_hours) if self.own_hours else ""
        law = text_of_law() if self.law else ""
        versions = [version(name) for name in _SOURCES]
        caps = [str(each) for each in sorted(self.own_caps)]
        whole = [self.mode, law, hours, closed, caps, self.unknown_zone, self.purpose, versions]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:12]


def rulebook(
    mode: Mode,
    *,
    own_hours: WeeklyHours | None = None,
    closed: tuple[ClosedDay, ...] = (),
    own_caps: tuple[Cap, ...] = (),
    unknown_zone: str = HOLD,
    purpose: Purpose = Purpose.MARKETING,
) -> Rulebook:
    """Return the rulebook of a mode, with an operator's own rules."""
    return Rulebook(
        mode=mode,
        law=rows() if mode is Mode.LAW else (),
        courtesy=None if mode is Mode.OFF else courtesy(),
        own_hours=own_hours,
        closed=closed,
        own_caps=own_caps,
        unknown_zone=unknown_zone,
        purpose=purpose,
    )
