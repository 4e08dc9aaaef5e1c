"""Whether calls are going out and, if not, why and what to do: from plain numbers, no I/O.

`assess` is the only place that decides this; the page and every app show its result. The texts are
in `overview_reasons.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeVar

import yaml

from vomind_queue.observability.queue_stats import OutboxState, Stats
from vomind_queue.observability.redis_memory import REMEDY, TIGHT, Memory

K = TypeVar("K")

#: Minutes that the overview covers.
MINUTES = 60
#: A log that is less behind than this is up to date, ms.
BEHIND_MS = 30_000
#: A shipper that is running has delivered the oldest entry by then, ms.
UNSHIPPED_MS = 5_000
#: Attempts in a row without a clear answer after which the overview says so.
UNANSWERED_ATTEMPTS = 5
#: The pace of the calls is measured over this time, ms.
PACE_MS = 300_000
#: A time estimated from that pace is rounded up to this step, ms.
ABOUT_MS = 10_000
#: Who pauses the queue when the account is refused; see `finish.lua`.
SYSTEM = "system"


class Condition(StrEnum):
    """The condition of the queue as a whole."""

    #: Calls go out.
    CALLING = "calling"
    #: Calls would go out; there are none to make now.
    IDLE = "idle"
    #: Calls wait because the allowance is used up.
    HELD = "held"
    #: Twilio gives no clear answers: calls that are dialed may or may not ring.
    UNANSWERED = "unanswered"
    #: Somebody stopped the queue.
    PAUSED = "paused"
    #: Calls cannot go out until something is fixed.
    STUCK = "stuck"


#: In these, calls that wait are dialed in their turn.
_GOING = frozenset({Condition.CALLING, Condition.HELD})


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
    """Something that a person should know, and what to do about it."""

    #: A word for programs: ``paused``, ``limit`` …
    kind: str
    level: Level
    #: A few words.
    title: str
    #: One or two sentences.
    detail: str
    #: What to do; empty if nothing has to be done.
    remedy: str = ""
    #: When it changes by itself, unix ms.
    until_ms: int | None = None
    #: Since when it is so, unix ms.
    since_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """The condition of the queue, with its reasons."""

    condition: Condition
    #: The most serious first.
    reasons: Sequence[Reason]

    @property
    def level(self) -> Level:
        """The level of the most serious reason."""
        return self.reasons[0].level if self.reasons else Level.INFO


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """What happened in one minute."""

    #: Its beginning, unix ms.
    at_ms: int
    #: Calls that began to ring, or were refused by Twilio.
    starts: int
    #: How calls ended: Twilio's final statuses, ``machine`` and ``not-placed``.
    outcomes: Mapping[str, int]
    #: Starts by the half octave of the time that they had waited.
    waits: Mapping[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """The minutes of the last hour in which something happened."""

    #: Unix ms on the clock of Redis.
    now_ms: int
    #: Changes whenever anything happens to any call.
    version: str
    minutes: Sequence[Minute]
    #: Calls that wait now, by the half octave of the time that they have waited.
    waiting: Mapping[int, int] = field(default_factory=dict)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How calls ended, over the hour."""
        return _sums(minute.outcomes for minute in self.minutes)

    def waited_ms(self, share: float) -> int | None:
        """Return the longest wait of that share of the calls, to the next half octave.

        Calls that have started count, and those that are still waiting.
        """
        waits = _sums([*(minute.waits for minute in self.minutes), self.waiting])
        left = share * sum(waits.values())
        for octave in sorted(waits):
            left -= waits[octave]
            if left <= 0:
                return longest_ms(octave)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything that the overview shows."""

    stats: Stats
    hour: Hour
    assessment: Assessment

    @property
    def empty_ms(self) -> int | None:
        """Roughly when the last waiting call is dialed, unix ms; ``None`` if that is unknown."""
        stats = self.stats
        if not stats.waiting or self.assessment.condition not in _GOING:
            return None
        if stats.rate_use and stats.rate_use.reset_ms:
            return self.hour.now_ms + stats.rate_use.wait_ms(stats.waiting - 1)
        since_ms = self.hour.now_ms - PACE_MS
        starts = sum(each.starts for each in self.hour.minutes if each.at_ms >= since_ms)
        if not starts:
            return None
        at_ms = self.hour.now_ms + stats.waiting * PACE_MS // starts
        return -(-at_ms // ABOUT_MS) * ABOUT_MS


def longest_ms(octave: int) -> int:
    """Return the upper end of a half octave, ms, as numbered in includes/totals.lua.

    >>> [longest_ms(octave) for octave in (0, 2, 20, 21)]
    [0, 1, 768, 1024]
    """
    exponent, upper = divmod(octave, 2)
    if exponent == 0:
        return 0
    return int(2 ** (exponent - 1) * (2.0 if upper else 1.5))


def assess(stats: Stats, now_ms: int) -> Assessment:
    """Return the assessment of these numbers."""
    order = [Level.ERROR, Level.WARNING, Level.INFO]
    reasons = sorted(_reasons(stats, now_ms), key=lambda reason: order.index(reason.level))
    return Assessment(condition=_condition(stats, reasons), reasons=reasons)


def _condition(stats: Stats, reasons: Sequence[Reason]) -> Condition:
    kinds = {reason.kind for reason in reasons}
    if any(reason.level is Level.ERROR for reason in reasons):
        return Condition.STUCK
    if "paused" in kinds:
        return Condition.PAUSED
    if "not-answering" in kinds:
        return Condition.UNANSWERED
    if "limit" in kinds:
        return Condition.HELD
    under_way = stats.active > stats.unknown_outcomes
    return Condition.CALLING if stats.waiting or under_way else Condition.IDLE


def answers(stats: Stats) -> bool:
    """Whether Twilio gives clear answers, as far as the last attempts tell."""
    silent = stats.unanswered.attempts
    every_active = bool(silent) and stats.active == stats.unknown_outcomes > 0
    return silent < UNANSWERED_ATTEMPTS and not every_active


def _reasons(stats: Stats, now_ms: int) -> Iterator[Reason]:
    yield from _of_starts(stats, now_ms)
    yield from _of_memory(stats.memory)
    yield from _of_recurring(stats)
    yield from _of_unknown_outcomes(stats)
    yield from _of_log(stats.outbox)


def _of_starts(stats: Stats, now_ms: int) -> Iterator[Reason]:
    pause, use = stats.pause, stats.rate_use
    if pause and pause.by == SYSTEM:
        yield _reason("account", words=pause.reason or "The queue paused itself.")
    elif pause:
        words = pause.reason or "No call starts until somebody resumes."
        yield _reason("paused", by=pause.by, words=words)
    if not stats.workers:
        yield _reason("no-worker")
    if stats.capacity_until_ms is not None:
        # Takes precedence: such refusals may have opened the circuit as well.
        yield _reason("capacity", until_ms=stats.capacity_until_ms)
    elif stats.circuit_open_until_ms is not None:
        yield _reason("circuit-open", until_ms=stats.circuit_open_until_ms)
    if not pause and use and use.reset_ms and stats.waiting:
        most, seconds = use.rate.max_starts, use.rate.window_ms / 1000
        until_ms = now_ms + use.reset_ms
        yield _reason("limit", until_ms=until_ms, used=use.used, most=most, seconds=seconds)


def _of_memory(memory: Memory) -> Iterator[Reason]:
    if memory.full:
        yield replace(_reason("memory-full", memory=memory, remedy=REMEDY), kind="memory")
    elif memory.share >= TIGHT:
        yield _reason("memory", memory=memory, remedy=REMEDY)


def _of_recurring(stats: Stats) -> Iterator[Reason]:
    if not stats.recurring or stats.scheduler_active:
        return
    remedy = "Start one: celery -A celery_app beat. Runs missed by less than their grace ring late."
    if stats.memory.full:
        remedy = "Give Redis room: while it is full, no scheduler can say that it is there."
    yield _reason("no-scheduler", remedy=remedy)


def _of_unknown_outcomes(stats: Stats) -> Iterator[Reason]:
    count, last = stats.unknown_outcomes, stats.unanswered
    by_ms = last.reconciled_by_ms if count else None
    if not answers(stats):
        attempts = _times("attempt", last.attempts)
        text = f" {_unclear(count)}" if count else ""
        yield replace(
            _reason("not-answering", attempts=attempts, unclear=text),
            since_ms=last.since_ms,
            until_ms=by_ms,
        )
    elif count:
        calls = _times("attempt", count)
        yield _reason("unknown-outcomes", until_ms=by_ms, attempts=calls, unclear=_unclear(count))
    if count := stats.orphaned_calls:
        yield _reason("orphaned-calls", count=count, calls=_plural("call", count))


def _unclear(count: int) -> str:
    each = "it is" if count == 1 else "each is"
    return (
        f"{_times('call', count)} may or may not have rung: {each} looked up in Twilio's list of "
        "calls, and dialed again only if it is not there."
    )


def _of_log(outbox: OutboxState) -> Iterator[Reason]:
    if outbox.behind_ms >= UNSHIPPED_MS and not outbox.shipper_active:
        yield _reason("no-shipper")
    elif outbox.behind_ms >= BEHIND_MS:
        yield _reason("log-behind")
    if count := outbox.dead:
        yield _reason("dead-letters", count=count, lines=_plural("line", count))
    if count := sum(outbox.lost.values()):
        yield _reason("log-lost", count=count, entries=_plural("entry", count))


def _reason(kind: str, *, until_ms: int | None = None, **values: object) -> Reason:
    text = _texts()[kind]
    return Reason(
        kind=kind,
        level=Level(text["level"]),
        title=text["title"].format(**values),
        detail=text["detail"].format(**values),
        remedy=text["remedy"].format(**values),
        until_ms=until_ms,
    )


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    text = (files("vomind_queue.observability") / "overview_reasons.yaml").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return found


def _times(word: str, count: int) -> str:
    return f"{count:,} {_plural(word, count)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word.removesuffix('y')}ies" if word[-1] == "y" else f"{word}s"


def _sums(counts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: dict[K, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total
