"""What a recurring job of BullMQ means here: a pure translation.

Its patterns are those of npm's ``cron-parser``: five fields, or six with the seconds first. A
job without a zone follows the clock of the process that works out its next run: the first time
that is the one that took the request, afterwards the worker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vomind_queue.api.schemas.placeable import PlaceableCalls
from vomind_queue.recurring.cron import CronError
from vomind_queue.recurring.runs import read_cron
from vomind_queue.recurring.schedule import Recurrence
from vomind_queue.recurring.time_zones import is_zone, near
from vomind_queue_bullmq.jobs import Untranslatable, read_call
from vomind_queue_bullmq.source import OldSchedule

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_WITH_SECONDS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """A recurring call in our own form."""

    recurrence: Recurrence
    #: Its first tick; ``None`` when it has none.
    next_ms: int | None
    #: Whether the next run of the old service is one of its ticks.
    agrees: bool
    #: What is not quite as it was, in words; empty when all is.
    note: str


def translate(
    old: OldSchedule, *, queue: str, zone: str | None, now_ms: int, placeable: PlaceableCalls
) -> Translation:
    """Return the recurring call. Raise Untranslatable.

    ``zone``: that of the old worker's own clock, for jobs without one.
    """
    options = _options(old)
    record = old.fields if "data" in old.fields else old.run
    origin = {"queue": queue, "jobId": f"repeat:{old.name}"}
    call = read_call(_with_priority(record), origin, placeable)
    cron, note = _pattern(options, old.next_ms)
    recurrence = Recurrence(
        call=call,
        cron=cron,
        zone="UTC" if "every" in options else _zone(options, zone),
        start_ms=_number(options, "startDate"),
        end_ms=_number(options, "endDate"),
        max_runs=_runs_left(options, old),
    )
    try:
        agrees = recurrence.first(old.next_ms - 1) == old.next_ms
        # A run that the old service has started comes before its next one, whatever our clock says.
        first = recurrence.first(max(now_ms, old.next_ms - 1) if agrees else now_ms)
    except CronError as error:
        raise Untranslatable(f"pattern: {error}") from None
    return Translation(recurrence=recurrence, next_ms=first, agrees=agrees or bool(note), note=note)


def _options(old: OldSchedule) -> Mapping[str, Any]:
    """Pattern, zone and so on: of the job itself, else of its next run."""
    if "pattern" in old.fields or "every" in old.fields:
        return old.fields
    try:
        options = json.loads(old.run["opts"])["repeat"]
    except (KeyError, ValueError, TypeError, RecursionError):
        raise Untranslatable("neither its pattern nor its next run is there") from None
    if not isinstance(options, dict):
        raise Untranslatable("neither its pattern nor its next run is there")
    return options


def _with_priority(record: Mapping[str, str]) -> Mapping[str, str]:
    """Return the record with its priority, which a scheduler keeps among its runs' options."""
    if "priority" in record:
        return record
    try:
        options = json.loads(record.get("opts", "{}"))
    except ValueError:
        options = {}
    number = options.get("priority") if isinstance(options, dict) else None
    return {**record, "priority": str(number or 0)}


def _pattern(options: Mapping[str, Any], next_ms: int) -> tuple[str, str]:
    """Five fields, and what is not quite as it was."""
    if every := _number(options, "every"):
        return _every(every, next_ms)
    fields = str(options.get("pattern", "")).replace("?", "*").split()
    note = ""
    if len(fields) == _WITH_SECONDS:
        seconds = fields.pop(0)
        if not seconds.isdecimal():
            raise Untranslatable(f"pattern: seconds ({seconds}): a call repeats once a minute")
        if int(seconds):
            note = f"rings at the full minute, {int(seconds)} s earlier than before"
    cron = " ".join(fields)
    try:
        read_cron(cron)
    except CronError as error:
        raise Untranslatable(f"pattern: {error}") from None
    return cron, note


def _every(every: int, next_ms: int) -> tuple[str, str]:
    """Return the pattern in UTC for a run every ``every`` ms, if there is one."""
    if every % _MINUTE_MS or _DAY_MS % every or (every > _HOUR_MS and every % _HOUR_MS):
        raise Untranslatable(f"every {every} ms: no cron pattern means that")
    phase = next_ms % every
    minute, seconds = phase // _MINUTE_MS % 60, phase // 1000 % 60
    note = f"rings at the full minute, {seconds} s earlier than before" if seconds else ""
    if every < _HOUR_MS:
        if _HOUR_MS % every:
            raise Untranslatable(f"every {every} ms: no cron pattern means that")
        minutes = range(minute, 60, every // _MINUTE_MS)
        return f"{','.join(map(str, minutes))} * * * *", note
    if every == _HOUR_MS:
        return f"{minute} * * * *", note
    hours = range(phase // _HOUR_MS, 24, every // _HOUR_MS)
    return f"{minute} {','.join(map(str, hours))} * * *", note


def _zone(options: Mapping[str, Any], default: str | None) -> str:
    named = options.get("tz")
    if not named:
        if default is None:
            raise Untranslatable(
                "it names no time zone: say with --timezone on which clock the old worker ran"
            )
        return default
    if not is_zone(str(named)):
        meant = ", ".join(near(str(named)))
        raise Untranslatable(f"time zone {named}: not known here; perhaps {meant or 'none'}")
    return str(named)


def _runs_left(options: Mapping[str, Any], old: OldSchedule) -> int | None:
    limit = _number(options, "limit")
    if limit is None:
        return None
    try:
        # The next run carries its own number.
        number = int(json.loads(old.run["opts"])["repeat"]["count"])
    except (KeyError, ValueError, TypeError, OverflowError):
        number = 1
    left = limit - number + 1
    if left <= 0:
        raise Untranslatable("it has no runs left")
    return left


def _number(options: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(float(options[name]))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
