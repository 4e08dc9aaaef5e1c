"""Whether calls go out, and if not, why and what to do: decided from plain numbers, no I/O.

`assess` is the one place that says so; the page and every app read the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from vomind_queue.calls import Stats
from vomind_queue.memory import REMEDY, TIGHT

K = TypeVar("K")

#: Minutes that are looked back upon.
MINUTES = 60
#: A log that is behind by less is at work, ms.
BEHIND_MS = 30_000
#: A shipper that starts has taken the oldest entry by then, ms.
UNSHIPPED_MS = 5_000
#: Who pauses the queue when the account is refused; see `finish.lua`.
SYSTEM = "system"


class Condition(StrEnum):
    """How the queue as a whole stands."""

    #: Calls go out.
    CALLING = "calling"
    #: Calls would go out; there are none to make now.
    IDLE = "idle"
    #: Calls wait because the allowance is used up.
    HELD = "held"
    #: Somebody stopped the queue.
    PAUSED = "paused"
    #: Calls cannot go out until something is put right.
    STUCK = "stuck"


class Level(StrEnum):
    """How bad something is."""

    #: As it should be, and worth knowing.
    INFO = "info"
    #: Calls go out, and something else does not work.
    WARNING = "warning"
    #: Calls do not go out.
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One thing that a person should know, with what to do about it."""

    #: A word for programs: ``paused``, ``limit`` …
    kind: str
    level: Level
    #: A few words.
    title: str
    #: One or two sentences.
    detail: str
    #: What to do; empty when there is nothing to be done.
    remedy: str = ""
    #: When it changes by itself, unix ms.
    until_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """The verdict."""

    condition: Condition
    #: The gravest first.
    reasons: Sequence[Reason]

    @property
    def level(self) -> Level:
        """Of the gravest reason."""
        return self.reasons[0].level if self.reasons else Level.INFO


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """What happened in one minute."""

    #: Its beginning, unix ms.
    at_ms: int
    #: Calls that began to ring, or were refused by Twilio.
    starts: int
    #: How calls ended: Twilio's words, ``machine``, and ``not-placed``.
    outcomes: Mapping[str, int]
    #: Starts by the half octave of the time that they had waited in their turn.
    waits: Mapping[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """The minutes of the last hour in which something happened."""

    #: Unix ms on the clock of Redis.
    now_ms: int
    #: Changes whenever anything happens to any call.
    version: str
    minutes: Sequence[Minute]

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How calls ended, over the hour."""
        return _sums(minute.outcomes for minute in self.minutes)

    def waited_ms(self, share: float) -> int | None:
        """The time within which that share of the calls had started, to the next half octave."""
        waits = _sums(minute.waits for minute in self.minutes)
        left = share * sum(waits.values())
        for octave in sorted(waits):
            left -= waits[octave]
            if left <= 0:
                return longest_ms(octave)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything that one look at the queue tells."""

    stats: Stats
    hour: Hour
    assessment: Assessment


def longest_ms(octave: int) -> int:
    """Upper end of a half octave, ms, as `half_octave` in includes/totals.lua numbers them.

    >>> [longest_ms(octave) for octave in (0, 2, 20, 21)]
    [0, 1, 768, 1024]
    """
    exponent, upper = divmod(octave, 2)
    if exponent == 0:
        return 0
    return int(2 ** (exponent - 1) * (2.0 if upper else 1.5))


def assess(stats: Stats, now_ms: int) -> Assessment:
    """The verdict on these numbers."""
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    reasons = sorted(_reasons(stats, now_ms), key=lambda reason: order.index(reason.level))
    return Assessment(condition=_condition(stats, reasons), reasons=reasons)


def _condition(stats: Stats, reasons: Sequence[Reason]) -> Condition:
    kinds = {reason.kind for reason in reasons}
    if any(reason.level is Level.ERROR for reason in reasons):
        return Condition.STUCK
    if "paused" in kinds:
        return Condition.PAUSED
    if "limit" in kinds:
        return Condition.HELD
    return Condition.CALLING if stats.waiting or stats.active else Condition.IDLE


def _reasons(stats: Stats, now_ms: int) -> Iterator[Reason]:
    yield from _of_starts(stats, now_ms)
    yield from _of_memory(stats)
    yield from _of_schedules(stats)
    yield from _of_doubts(stats)
    yield from _of_log(stats)


def _of_starts(stats: Stats, now_ms: int) -> Iterator[Reason]:
    pause, use = stats.pause, stats.rate_use
    if pause and pause.by == SYSTEM:
        yield Reason(
            kind="account",
            level=Level.ERROR,
            title="Twilio refuses every call",
            detail=pause.reason or "The queue paused itself.",
            remedy="Put the account or the setting right, restart the workers if a setting "
            "changed, then resume.",
        )
    elif pause:
        yield Reason(
            kind="paused",
            level=Level.WARNING,
            title=f"Paused by {pause.by}",
            detail=pause.reason or "No call starts until somebody resumes.",
            remedy="Resume when calls may go out again.",
        )
    if not stats.workers:
        yield Reason(
            kind="no-worker",
            level=Level.ERROR,
            title="No worker is running",
            detail="None asked for calls in the last 30 seconds, so no call is placed.",
            remedy="Start one: celery -A celery_app worker. If one runs, compare its Redis "
            "settings with those of web.",
        )
    if stats.breaker_until_ms is not None:
        yield Reason(
            kind="breaker",
            level=Level.ERROR,
            title="Twilio cannot be reached",
            detail="It refused call after call. One call is let through every few seconds; the "
            "rest waits with all its attempts.",
            remedy="Nothing, if Twilio is down: calls go on by themselves. Else look at a failed "
            "or delayed call for Twilio's words.",
            until_ms=stats.breaker_until_ms,
        )
    if not pause and use and use.reset_ms and stats.waiting:
        yield Reason(
            kind="limit",
            level=Level.INFO,
            title="Held by the limit",
            detail=f"{use.used} of {use.rate.max_starts} starts are used up in "
            f"{use.rate.window_ms / 1000:g} seconds.",
            remedy="Wait, or raise CALL_RATE_LIMIT.",
            until_ms=now_ms + use.reset_ms,
        )


def _of_memory(stats: Stats) -> Iterator[Reason]:
    memory = stats.memory
    if memory.full:
        yield Reason(
            kind="memory",
            level=Level.ERROR,
            title="Redis is full",
            detail=f"It uses {memory}. New calls are refused; those that wait go out.",
            remedy=REMEDY,
        )
    elif memory.share >= TIGHT:
        yield Reason(
            kind="memory",
            level=Level.WARNING,
            title="Redis is nearly full",
            detail=f"It uses {memory}. When it is full, new calls are refused.",
            remedy=REMEDY,
        )


def _of_schedules(stats: Stats) -> Iterator[Reason]:
    if stats.recurring and not stats.scheduler_leads:
        yield Reason(
            kind="no-scheduler",
            level=Level.ERROR,
            title="Recurring calls do not ring",
            detail="No scheduler has kept up with them in the last 30 seconds. Other calls go on.",
            remedy="Give Redis room: while it is full, no scheduler can say that it is there."
            if stats.memory.full
            else "Start one: celery -A celery_app beat. Runs missed by less than their grace "
            "ring late.",
        )


def _of_doubts(stats: Stats) -> Iterator[Reason]:
    if stats.in_doubt:
        yield Reason(
            kind="in-doubt",
            level=Level.INFO,
            title=f"{stats.in_doubt} {_plural('attempt', stats.in_doubt)} in doubt",
            detail="Twilio gave no clear answer; its list of calls is being read before anything "
            "is dialed again.",
            remedy="Nothing: each ends within IN_DOUBT_HORIZON.",
        )
    if stats.stray_rings:
        yield Reason(
            kind="stray-rings",
            level=Level.INFO,
            title=f"{stats.stray_rings} stray {_plural('ring', stats.stray_rings)}, ever",
            detail="A phone rang at Twilio for an attempt that had been given up; it was ended.",
            remedy="Look for the error in the workers' log, and raise IN_DOUBT_HORIZON if it "
            "happens again.",
        )


def _of_log(stats: Stats) -> Iterator[Reason]:
    outbox = stats.outbox
    if outbox.behind_ms >= UNSHIPPED_MS and not outbox.shipping:
        yield Reason(
            kind="no-shipper",
            level=Level.WARNING,
            title="The call log is not written",
            detail="No shipper runs. Calls go on, and what happens to them waits in Redis.",
            remedy="Start one: python -m vomind_queue.shipper.",
        )
    elif outbox.behind_ms >= BEHIND_MS:
        yield Reason(
            kind="log-behind",
            level=Level.WARNING,
            title="The call log is behind",
            detail="Its database is away, slow, or refuses what it is sent. Calls go on, and "
            "nothing is lost up to OUTBOX_MAX.",
            remedy="The shipper's log lines say why: key, tables, database.",
        )
    if outbox.dead:
        yield Reason(
            kind="dead-letters",
            level=Level.WARNING,
            title=f"{outbox.dead} {_plural('line', outbox.dead)} refused by the call log",
            detail="Its database refused them for good; they are kept.",
            remedy="See why: vomind-queue dead-letters. Send them again: "
            "vomind-queue dead-letters --send.",
        )
    if lost := sum(outbox.lost.values()):
        yield Reason(
            kind="log-lost",
            level=Level.INFO,
            title=f"{lost} {_plural('entry', lost)} of the call log lost, ever",
            detail="The log was away for so long that OUTBOX_MAX had no room for them.",
            remedy="Raise OUTBOX_MAX; the states of calls are still in the queue.",
        )


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word.removesuffix('y')}ies" if word[-1] == "y" else f"{word}s"


def _sums(counts: Iterator[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total
