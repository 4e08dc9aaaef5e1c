"""Numbers of the queue at one moment: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vomind_queue.calls.call import Priority
from vomind_queue.calls.limits import Pause, Rate
from vomind_queue.observability.redis_memory import Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxState:
    """How far the log is behind."""

    #: Entries that are not delivered yet.
    pending: int
    #: Age of the oldest one, ms; 0 if there is none.
    behind_ms: int
    #: Entries that the log refused for good.
    dead: int
    #: What was dropped because the outbox was full: ``details``, ``finals``, ``records``, ``dead``.
    lost: Mapping[str, int]
    #: Whether a shipper is at work.
    shipper_active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RateUse:
    """How much of the allowance is used up now."""

    rate: Rate
    #: Starts within the window that ends now.
    used: int
    #: Time until the next start is allowed, ms; 0 if one is allowed now.
    reset_ms: int
    #: Whether an operator changed the rate at run time.
    overridden: bool

    def wait_ms(self, ahead: int) -> int:
        """Time until the limit has let so many calls through, if all of it is used, ms."""
        free = max(self.rate.max_starts - self.used, 0)
        if ahead < free:
            return 0
        windows = (ahead - free) // self.rate.max_starts
        return (self.reset_ms or self.rate.window_ms) + windows * self.rate.window_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class OnTheLine:
    """Calls that Twilio took and that are not over."""

    #: Twilio has them, and no phone rings yet.
    dialing: int = 0
    ringing: int = 0
    #: A person or a machine has answered.
    talking: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """Attempts in a row to which Twilio gave no clear answer."""

    attempts: int = 0
    #: When the first of them began, unix ms; ``None`` for none.
    since_ms: int | None = None
    #: By when the last unknown outcome is reconciled, if Twilio's list can be read, unix ms.
    reconciled_by_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a process says of settings that all processes must share."""

    #: Digest of its calling rules.
    rules: str = "off"
    #: Fingerprint of its ``DO_NOT_CALL_KEY``; empty without one.
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """Numbers of jobs, and everything that decides about starts, at one moment."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    #: Waiting calls by priority.
    by_priority: Mapping[Priority, int]
    #: ``None`` while the queue runs.
    pause: Pause | None
    #: ``None`` if there is no limit.
    rate_use: RateUse | None
    #: When the circuit breaker lets the next probe through, unix ms; ``None`` while closed.
    circuit_open_until_ms: int | None
    #: How long a call waits because Twilio's capacity is used up, unix ms; ``None``: none waits.
    capacity_until_ms: int | None = None
    #: Attempts whose outcome is unknown; they are counted in ``active``, too.
    unknown_outcomes: int
    on_the_line: OnTheLine = field(default_factory=OnTheLine)
    unanswered: Unanswered = field(default_factory=Unanswered)
    #: Since when the call waits that has waited for longest, unix ms; ``None`` for no call.
    oldest_waiting_ms: int | None = None
    #: Calls at Twilio that belonged to no attempt and were ended there, ever.
    orphaned_calls: int
    #: Workers that asked for calls within the last 30 s.
    workers: int
    #: How far the call log is behind.
    outbox: OutboxState
    #: Recurring calls that have a next run.
    recurring: int
    #: Whether a scheduler kept up with them in the last 30 s.
    scheduler_active: bool
    #: Delayed calls that rules hold, by the kind of rule; without those that hold none.
    held: Mapping[str, int] = field(default_factory=dict)
    #: What each of the workers reports.
    reports: Sequence[Report] = ()
    #: Fingerprint of the key of the digests on the do-not-call list; empty if there are none.
    listed_key: str = ""
    #: Whether calls wait because that list was not restored.
    lacks_list: bool = False
    #: Starts, ever, that somebody let happen against the calling rules.
    overridden: int = 0
    memory: Memory = field(default_factory=Memory)

    @property
    def total(self) -> int:
        """The sum of all five states."""
        return self.waiting + self.active + self.completed + self.failed + self.delayed
