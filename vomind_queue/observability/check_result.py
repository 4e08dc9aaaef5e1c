"""The results of health checks: plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Grade(IntEnum):
    """How bad a result is; the worst is the greatest."""

    #: As it should be.
    FINE = 0
    #: Calls go out, but something should be fixed.
    ADVICE = 1
    #: Calls do not go out, or may be lost.
    WRONG = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """The result of one check. Its texts never contain a secret."""

    #: What was checked, in a word or two.
    what: str
    grade: Grade
    #: What was found.
    said: str
    #: What to do; empty if nothing has to be done.
    remedy: str = ""


def fine(what: str, said: str) -> CheckResult:
    """Return a result that is as it should be."""
    return CheckResult(what=what, grade=Grade.FINE, said=said)


def advice(what: str, said: str, remedy: str) -> CheckResult:
    """Return a result that should be improved."""
    return CheckResult(what=what, grade=Grade.ADVICE, said=said, remedy=remedy)


def wrong(what: str, said: str, remedy: str) -> CheckResult:
    """Return a result that stops calls or endangers them."""
    return CheckResult(what=what, grade=Grade.WRONG, said=said, remedy=remedy)
