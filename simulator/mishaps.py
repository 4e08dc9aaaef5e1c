"""What can happen to callbacks on their way, set by a test over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from simulator.rules import BadRuleError, RuleList, read_rule


class Mishap(StrEnum):
    """What goes wrong with a callback."""

    #: It is never sent.
    LOSE = "lose"
    #: It is sent ``ms`` late.
    LATE = "late"
    #: It is sent again ``ms`` later.
    REPEAT = "repeat"
    #: All of a call's are held back until it is over, and sent in the opposite order.
    SHUFFLE = "shuffle"
    #: It is signed with another secret.
    FORGE = "forge"


@dataclass(kw_only=True, slots=True)
class Trouble:
    """One mishap, and which callbacks it strikes."""

    mishap: Mishap
    #: Only of calls to that number; all when ``None``.
    to: str | None = None
    #: Only of that event: initiated, ringing, answered, completed, detected, recorded; all when
    #: ``None``.
    event: str | None = None
    #: How many callbacks it strikes; all, until it is removed, when ``None``.
    times: int | None = None
    ms: int = 0
    #: How many it has struck.
    struck: int = 0

    @classmethod
    def parse(cls, given: object) -> Trouble:
        """Return a rule from its JSON. Raise BadRuleError."""
        made = read_rule(given, cls, counter="struck", whole=("times", "ms"))
        try:
            made["mishap"] = Mishap(made.get("mishap", ""))
        except ValueError as error:
            raise BadRuleError(str(error)) from error
        return cls(**made)


class Troubles(RuleList[Trouble]):
    """The mishaps in force."""

    def strike(self, to: str, event: str) -> dict[Mishap, int]:
        """Return what befalls one callback: each mishap that fits, with its time, ms."""
        struck: dict[Mishap, int] = {}
        with self._lock:
            for trouble in self._rules:
                fits = trouble.to in (None, to) and trouble.event in (None, event)
                if fits and (trouble.times is None or trouble.struck < trouble.times):
                    trouble.struck += 1
                    struck.setdefault(trouble.mishap, trouble.ms)
        return struck
