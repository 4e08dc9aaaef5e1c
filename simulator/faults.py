"""Rules by which the simulator misbehaves, set by a test over HTTP."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from simulator.rules import BadRuleError, RuleList, read_rule

#: Fields of a rule that hold whole numbers.
_WHOLE = ("times", "ms", "spread", "status", "code", "retry_after", "lines")


class Fault(StrEnum):
    """What goes wrong."""

    #: The answer takes ``ms`` longer, give or take ``spread`` ms.
    SLOW = "slow"
    #: An error: ``status``, ``code``, ``message``, ``retry_after``.
    ERROR = "error"
    #: A page of HTML with ``status`` (default 502), as a proxy in between sends.
    HTML = "html"
    #: JSON that is not a call, with ``status`` (default 200).
    EMPTY = "empty"
    #: One byte of the answer each ``ms``.
    DRIP = "drip"
    #: Half of the answer.
    CUT = "cut"
    #: No answer: the connection is closed.
    DROP = "drop"
    #: No answer: the connection is reset.
    RESET = "reset"
    #: No answer, and the connection stays open.
    SILENT = "silent"
    #: No answer: the simulator's side of the connection is closed, the client's is not.
    HALF_CLOSE = "half_close"
    #: A good answer; then the kept connection is closed without a word.
    THEN_CLOSE = "then_close"
    #: New calls appear in lists ``ms`` late.
    LIST_LAG = "list_lag"
    #: New calls are refused while ``lines`` of them are under way: by ``code`` and ``status``.
    CROWDED = "crowded"
    #: Twilio writes the number of new calls in another way: they are listed under ``number``.
    RESPELL = "respell"
    #: The listener is closed for ``ms``: connections are refused.
    REFUSE = "refuse"


#: Faults that strike no request by themselves: what they say is asked for where it matters.
_STANDING = frozenset({Fault.LIST_LAG, Fault.CROWDED, Fault.RESPELL})


class Operation(StrEnum):
    """What a client asks of the Calls API."""

    CREATE = "create"
    FETCH = "fetch"
    UPDATE = "update"
    LIST = "list"
    EVENTS = "events"


@dataclass(kw_only=True, slots=True)
class Rule:
    """One way to misbehave, and when."""

    fault: Fault
    #: Only for calls to that number; all numbers when ``None``.
    to: str | None = None
    #: Only for that operation; every one when ``None``.
    on: Operation | None = Operation.CREATE
    #: Whether it strikes before the request is carried out or after.
    when: str = "before"
    #: How many requests it strikes; all, until it is removed, when ``None``.
    times: int | None = None
    #: Delay, pace, lag or duration, as the fault says.
    ms: int = 0
    #: By how much a delay differs from one request to the next, at most, ms.
    spread: int = 0
    status: int | None = None
    #: Twilio's error code.
    code: int | None = None
    #: Twilio's words; the usual ones of the code when ``None``.
    message: str | None = None
    #: Seconds in ``Retry-After``.
    retry_after: int | None = None
    #: Calls that there may be at a time.
    lines: int = 0
    #: How Twilio writes the number.
    number: str | None = None
    #: How many requests it has struck.
    struck: int = 0

    @classmethod
    def parse(cls, given: object) -> Rule:
        """Return a rule from its JSON. Raise BadRuleError."""
        rule = read_rule(given, cls, counter="struck", whole=_WHOLE)
        try:
            rule["fault"] = Fault(rule.get("fault", ""))
            if rule.get("on") is not None:
                rule["on"] = Operation(rule["on"])
        except ValueError as error:
            raise BadRuleError(str(error)) from error
        if rule.get("when", "before") not in ("before", "after"):
            raise BadRuleError("'when' is before or after")
        return cls(**rule)

    def strikes(self, operation: Operation, to: str | None) -> bool:
        """Return whether it is for such a request, and not used up."""
        return (
            self.on in (None, operation)
            and self.to in (None, to)
            and (self.times is None or self.struck < self.times)
        )

    def delay_s(self) -> float:
        """Return how long an answer is held back, s."""
        ms = self.ms + random.uniform(-self.spread, self.spread)  # noqa: S311 - no secret
        return max(ms, 0.0) / 1000

    def as_json(self) -> dict[str, Any]:
        """Return what ``GET /simulator/faults`` shows."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Faults(RuleList[Rule]):
    """The rules in force; the first that fits a request strikes it."""

    def strike(self, operation: Operation, to: str | None) -> list[Rule]:
        """Return what befalls a request: every delay that fits, then at most one other fault."""
        struck: list[Rule] = []
        with self._lock:
            for rule in self._rules:
                is_delay = rule.fault is Fault.SLOW
                is_full = any(other.fault is not Fault.SLOW for other in struck)
                if rule.fault in _STANDING or (is_full and not is_delay):
                    continue
                if rule.strikes(operation, to):
                    rule.struck += 1
                    struck.append(rule)
        return sorted(struck, key=lambda rule: rule.fault is not Fault.SLOW)

    def crowded(self, to: str, under_way: Callable[[], int]) -> Rule | None:
        """Return the rule by which one more call is refused, and count that.

        ``under_way`` counts the calls that are not over: slow where there were many.
        """
        for rule in self._standing(Fault.CROWDED, to):
            if under_way() >= rule.lines:
                rule.struck += 1
                return rule
        return None

    def spelling(self, to: str) -> str:
        """Return how Twilio writes a number."""
        return next((rule.number or to for rule in self._standing(Fault.RESPELL, to)), to)

    def _standing(self, fault: Fault, to: str | None) -> list[Rule]:
        with self._lock:
            return [each for each in self._rules if each.fault is fault and each.to in (None, to)]

    def list_lag_s(self, to: str | None) -> float:
        """Return how late new calls appear in a list, seconds."""
        return max((rule.ms for rule in self._standing(Fault.LIST_LAG, to)), default=0) / 1000
