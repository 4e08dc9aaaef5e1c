"""The number that a call comes from: the call's own choice, by the callee's country, or the first.

No I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import phonenumbers

from vomind_queue.calls.call import Call
from vomind_queue.calls.phone_number import PhoneNumber


@dataclass(frozen=True, kw_only=True, slots=True)
class Senders:
    """The numbers that calls may come from."""

    #: The first is the default; none while Twilio is not set up.
    numbers: Sequence[str] = ()
    #: Others by the callee's country, a two-letter code (ISO 3166).
    by_country: Mapping[str, str] = field(default_factory=dict)

    @property
    def default(self) -> str:
        """The number for calls that have no other; empty while there is none."""
        return self.numbers[0] if self.numbers else ""

    def number_for(self, to: str) -> str:
        """Return the number from which a number is called, unless the call names one."""
        if not self.by_country:
            return self.default
        parsed = PhoneNumber(to).parsed
        country = phonenumbers.region_code_for_number(parsed) if parsed else None
        return self.by_country.get(country or "", self.default)

    def chosen(self, call: Call) -> str:
        """Return the number that a call would come from now."""
        return call.from_number or self.number_for(call.to)

    def counted(self, calls: Iterable[Call]) -> Mapping[str, int]:
        """Return how many of the calls would come from each number, the busiest first."""
        found = Counter(map(self.chosen, calls))
        return {number: count for number, count in found.most_common() if number}

    def objection(self, number: str) -> str | None:
        """Return why a call may not name that number, as the API says it; ``None``: it may."""
        if number in self.numbers:
            return None
        if not self.numbers:
            return "Must be absent until the operator sets TWILIO_PHONE_NUMBERS."
        *others, last = self.numbers
        listed = f"{', '.join(others)} or {last}" if others else last
        return f"Must be {listed}, which TWILIO_PHONE_NUMBERS lists; got {number}."


#: While Twilio is not set up.
NO_SENDERS = Senders()
