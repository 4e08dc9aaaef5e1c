"""How a simulated call goes: the ways it can end, and when what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from simulator.rules import BadRuleError, RuleList, read_rule


class Outcome(StrEnum):
    """What becomes of a call that nobody ends before."""

    #: A person answers and listens to the end.
    HUMAN = "human"
    #: An answering machine answers.
    MACHINE = "machine"
    #: A fax answers.
    FAX = "fax"
    #: The line is busy.
    BUSY = "busy"
    #: Nobody answers; sooner than the ring time-out, so that nobody has to wait for it.
    NO_ANSWER = "no-answer"
    #: It cannot be connected.
    FAILED = "failed"


#: Statuses in which a call has not been answered yet.
UNANSWERED = ("queued", "ringing")
#: Statuses of a call that is over.
ENDED = ("completed", "busy", "no-answer", "failed", "canceled")
#: When Twilio begins to dial, s after it took the call; its list still shows the call as queued.
DIALED_S = 0.2
_RINGING = (0.5, "ringing")
_ANSWERED = (2.0, "in-progress")
#: What happens from which age on, s.
_STEPS: Mapping[Outcome, Sequence[tuple[float, str]]] = {
    Outcome.HUMAN: (_RINGING, _ANSWERED, (6.0, "completed")),
    Outcome.MACHINE: (_RINGING, _ANSWERED, (6.0, "completed")),
    Outcome.FAX: (_RINGING, _ANSWERED, (6.0, "completed")),
    Outcome.BUSY: (_RINGING, (1.5, "busy")),
    Outcome.NO_ANSWER: (_RINGING, (4.0, "no-answer")),
    Outcome.FAILED: ((0.8, "failed"),),
}
#: How the called side's network answered (https://www.rfc-editor.org/rfc/rfc3261#section-21).
_SIP_CODES = {Outcome.BUSY: 486, Outcome.NO_ANSWER: 487, Outcome.FAILED: 404}
#: How long a detection takes once somebody has answered, s.
DETECTION_S = 1.0
#: How long after its end a call has a price, s.
PRICED_S = 1.0

#: Numbers that always end in one way; next to Twilio's own magic numbers, which it refuses.
BY_NUMBER: Mapping[str, Outcome] = {
    "+15005550011": Outcome.BUSY,
    "+15005550012": Outcome.NO_ANSWER,
    "+15005550013": Outcome.FAILED,
    "+15005550014": Outcome.MACHINE,
    "+15005550015": Outcome.FAX,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One call's way, if nobody ends it before."""

    outcome: Outcome = Outcome.HUMAN
    #: How much slower than usual it goes; less than 1 is faster.
    pace: float = 1.0
    #: How long a detection takes once somebody has answered, s, before the pace.
    detection_s: float = DETECTION_S

    @property
    def steps(self) -> Sequence[tuple[float, str]]:
        """From which age on (s) which status, the first one last."""
        return _steps(self.outcome, self.pace)

    def status(self, age_s: float) -> str:
        """Return where the call is at that age, s."""
        passed = [status for at_s, status in self.steps if age_s >= at_s]
        return passed[-1] if passed else "queued"

    def at_s(self, status: str) -> float | None:
        """Return the age at which it comes to a status, s."""
        return next((at_s for at_s, named in self.steps if named == status), None)

    @property
    def ended_s(self) -> float:
        """The age at which it is over, s."""
        return self.steps[-1][0]

    @property
    def detected_s(self) -> float | None:
        """The age at which a detection knows who answered, s."""
        answered_s = self.at_s("in-progress")
        return None if answered_s is None else answered_s + self.detection_s * self.pace

    def events(self) -> Sequence[tuple[float, str, str]]:
        """Return what Twilio tells of: the age (s), the event's name, the status then."""
        names = {"ringing": "ringing", "in-progress": "answered"}
        events = [(at_s, names.get(status, "completed"), status) for at_s, status in self.steps]
        return [(DIALED_S * self.pace, "initiated", "initiated"), *events]

    def answered_by(self, detection: str) -> str | None:
        """Return what a detection of that kind finds out."""
        if self.outcome is Outcome.MACHINE:
            return "machine_end_beep" if detection == "DetectMessageEnd" else "machine_start"
        return {Outcome.HUMAN: "human", Outcome.FAX: "fax"}.get(self.outcome)

    @property
    def sip_code(self) -> int:
        """How the called side's network answered."""
        return _SIP_CODES.get(self.outcome, 200)


@lru_cache(maxsize=64)
def _steps(outcome: Outcome, pace: float) -> Sequence[tuple[float, str]]:
    return [(at_s * pace, status) for at_s, status in _STEPS[outcome]]


@dataclass(kw_only=True, slots=True)
class Wish:
    """How the next calls are to go."""

    outcome: Outcome | None = None
    #: Only calls to that number; all when ``None``.
    to: str | None = None
    #: How many calls; all, until it is removed, when ``None``.
    times: int | None = None
    #: As `Course.pace`.
    pace: float = 1.0
    #: As `Course.detection_s`: a machine's greeting is over then.
    detection_s: float = DETECTION_S
    #: How many calls it was applied to.
    used: int = 0

    @classmethod
    def parse(cls, given: object) -> Wish:
        """Return a wish from its JSON. Raise BadRuleError."""
        wish = read_rule(given, cls, counter="used", whole=())
        try:
            if wish.get("outcome") is not None:
                wish["outcome"] = Outcome(wish["outcome"])
            made = cls(**wish)
            _ = (float(made.pace), float(made.detection_s), int(made.times or 0))
        except (ValueError, TypeError) as error:
            raise BadRuleError(str(error)) from error
        return made


class Courses(RuleList[Wish]):
    """Decides how each call goes: by the first wish that fits, else by its number."""

    def of(self, to: str) -> Course:
        """Return how a call to that number goes."""
        usual = BY_NUMBER.get(to, Outcome.HUMAN)
        with self._lock:
            for wish in self._rules:
                if wish.to in (None, to) and (wish.times is None or wish.used < wish.times):
                    wish.used += 1
                    return Course(
                        outcome=wish.outcome or usual,
                        pace=wish.pace,
                        detection_s=wish.detection_s,
                    )
        return Course(outcome=usual)
