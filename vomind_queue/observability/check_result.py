"""What an examination of the surroundings finds: plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Grade(IntEnum):
    """How bad a finding is; the worst is the greatest."""

    #: As it should be.
    FINE = 0
    #: Calls go out; something should be put right all the same.
    ADVICE = 1
    #: Calls do not go out, or may be lost.
    WRONG = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One thing that was looked at. Its texts never hold a secret."""

    #: What was looked at, a word or two.
    what: str
    grade: Grade
    #: What was found.
    said: str
    #: What to do; empty when there is nothing to be done.
    remedy: str = ""


def fine(what: str, said: str) -> CheckResult:
    """As it should be."""
    return CheckResult(what=what, grade=Grade.FINE, said=said)


def advice(what: str, said: str, remedy: str) -> CheckResult:
    """Not as it should be."""
    return CheckResult(what=what, grade=Grade.ADVICE, said=said, remedy=remedy)


def wrong(what: str, said: str, remedy: str) -> CheckResult:
    """In the way of calls, or of their safety."""
    return CheckResult(what=what, grade=Grade.WRONG, said=said, remedy=remedy)
