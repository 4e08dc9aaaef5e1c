"""What a person should know about the queue now, and what to do: from plain numbers, no I/O.

The texts are in `overview_reasons.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml

from vomind_queue.observability.queue_stats import OutboxState, Report, Stats
from vomind_queue.observability.redis_memory import REMEDY, TIGHT, Memory
from vomind_queue.observability.webhook_stats import WebhookStats
from vomind_queue.rules.law import Why

#: A log that is less behind than this is up to date, ms.
BEHIND_MS = 30_000
#: A shipper that is running has delivered the oldest entry by then, ms.
UNSHIPPED_MS = 5_000
#: Attempts in a row without a clear answer after which the overview says so.
UNANSWERED_ATTEMPTS = 5
#: Who pauses the queue when the account is refused; see `finish.lua`.
SYSTEM = "system"


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


def answers(stats: Stats) -> bool:
    """Whether Twilio gives clear answers, as far as the last attempts tell."""
    silent = stats.unanswered.attempts
    every_active = bool(silent) and stats.active == stats.unknown_outcomes > 0
    return silent < UNANSWERED_ATTEMPTS and not every_active


def reasons(
    stats: Stats,
    now_ms: int,
    *,
    lacks_rules: bool = False,
    report: Report | None = None,
    webhooks: WebhookStats | None = None,
) -> Iterator[Reason]:
    """Yield everything that these numbers show, in no order of seriousness.

    ``lacks_rules``: people are called, and nobody said at which hours. ``report``: settings of this
    process that workers must share.
    """
    if lacks_rules:
        yield _reason("no-rules")
    yield from _of_starts(stats, now_ms)
    yield from _of_rules(stats.held)
    if stats.lacks_list:
        yield _reason("do-not-call-list")
    yield from _of_reports(stats, report)
    yield from _of_memory(stats.memory)
    yield from _of_recurring(stats)
    yield from _of_unknown_outcomes(stats)
    yield from _of_log(stats.outbox)
    yield from _of_webhooks(webhooks or WebhookStats())


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


def _of_rules(held: Mapping[str, int]) -> Iterator[Reason]:
    for kind in (Why.RULES_BEHIND, Why.UNKNOWN_ZONE, Why.NO_HOURS):
        if count := held.get(kind):
            yield _reason(kind, calls=_times("call", count))
    if count := sum(held.get(why, 0) for why in (Why.HOURS, Why.CLOSED_DAY, Why.CAMPAIGN_HOURS)):
        yield _reason("hours", calls=_times("call", count))
    if count := held.get(Why.CAP):
        yield _reason("cap", calls=_times("call", count))


def workers_with_other_rules(stats: Stats, report: Report) -> int:
    """Return how many workers apply other rules, or the same to other time zones or holidays."""
    return sum(each.rules != report.rules for each in stats.reports)


def workers_with_wrong_key(stats: Stats) -> int:
    """Return how many workers cannot read the do-not-call list, and so start no call."""
    return sum(bool(stats.listed_key) and each.key != stats.listed_key for each in stats.reports)


def _of_reports(stats: Stats, report: Report | None) -> Iterator[Reason]:
    if report and (count := workers_with_other_rules(stats, report)):
        yield replace(_reason("rules-differ", workers=_times("worker", count)), kind="rules-behind")
    if count := workers_with_wrong_key(stats):
        found = _reason("do-not-call-key", workers=_times("worker", count))
        # The others place calls.
        yield found if count == len(stats.reports) else replace(found, level=Level.WARNING)


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


def _of_webhooks(found: WebhookStats) -> Iterator[Reason]:
    if found.webhooks and not found.notifiers:
        yield _reason("no-notifier")
    if found.ended:
        yield _reason("webhook-disabled", webhooks=_times("webhook", found.ended))
    if found.failing:
        yield _reason("webhook-failing", webhooks=_times("webhook", found.failing))
    if found.lost:
        yield _reason("events-lost", events=_times("event", found.lost))


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
