"""How the queue stands, as lines: what `status` prints once and `watch` again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from vomind_queue.cli.output import COLOURS, ahead_s, count, duration, printable

#: How the verdicts are painted, and what they are called for people.
_STATES: Mapping[str, tuple[str, str]] = {
    "calling": ("Calling", "green"),
    "idle": ("Idle: no call to make now", "green"),
    "held": ("Held by the limit", "yellow"),
    "paused": ("Paused", "yellow"),
    "stuck": ("Stuck", "red"),
}
_LEVELS = {"error": "red", "warning": "yellow", "info": "cyan"}
#: Twilio's words and ours, as people say them.
_OUTCOMES = {"completed": "answered", "not-placed": "not placed", "no-answer": "not answered"}
#: Rising bars.
_BARS = "▁▂▃▄▅▆▇█"
MINUTES = 60


def board(shown: Mapping[str, Any], url: str) -> Iterator[str]:
    """The lines."""
    title, colour = _STATES.get(shown["state"], (shown["state"], "red"))
    yield f"{click.style('●', fg=colour)} {click.style(title, bold=True)}  {url}"
    for reason in shown["reasons"]:
        yield from _reason(reason)
    yield ""
    yield from _numbers(shown)
    yield from _limit(shown["rateLimit"])
    yield _row("processes", _processes(shown))
    yield _row("call log", _log(shown["callLog"]))
    yield from _hour(shown["lastHour"])


def one_line(shown: Mapping[str, Any]) -> str:
    """The same as briefly as can be."""
    stats = shown["stats"]
    names = ("waiting", "active", "delayed", "completed", "failed")
    return "  ".join([shown["state"], *(f"{name} {stats[name]:,}" for name in names)])


def _row(name: str, text: str) -> str:
    return f"  {name:11} {text}"


def _reason(reason: Mapping[str, Any]) -> Iterator[str]:
    until = reason["until"]
    when = f" ({duration(ahead_s(until))} left)" if until and ahead_s(until) > 0 else ""
    title = click.style(reason["title"], fg=_LEVELS.get(reason["level"]))
    yield f"  {title}{when}: {printable(reason['detail'])}"
    if reason["remedy"]:
        yield f"    → {reason['remedy']}"


def _numbers(shown: Mapping[str, Any]) -> Iterator[str]:
    stats = shown["stats"]
    for name in ("waiting", "active", "delayed", "completed", "failed"):
        more = ""
        if name == "waiting" and stats[name]:
            each = shown["byPriority"].items()
            more = "   " + " · ".join(f"{priority} {number:,}" for priority, number in each)
        if name == "active" and shown["inDoubt"]:
            more = f"   {shown['inDoubt']:,} in doubt"
        yield f"  {click.style(f'{name:11}', fg=COLOURS[name])} {stats[name]:>9,}{more}"


def _limit(limit: Mapping[str, Any] | None) -> Iterator[str]:
    if limit is None:
        yield _row("limit", "off")
        return
    text = f"{limit['used']} of {limit['max']} starts in {duration(limit['windowMs'] / 1000)}"
    next_at = limit["nextStartAt"]
    if next_at and ahead_s(next_at) > 0:
        text += f"; the next one in {duration(ahead_s(next_at))}"
    yield _row("limit", text + (", overridden" if limit["overridden"] else ""))


def _processes(shown: Mapping[str, Any]) -> str:
    found = [count(shown["workers"], "worker")]
    found.append("scheduler" if shown["schedulerLeads"] else "no scheduler")
    found.append("shipper" if shown["callLog"]["shipping"] else "no shipper")
    if shown["recurring"]:
        found.append(count(shown["recurring"], "recurring call"))
    return " · ".join(found)


def _log(log: Mapping[str, Any]) -> str:
    if not log["pending"]:
        text = "up to date"
    else:
        text = f"{log['pending']:,} on their way, {duration(log['behindMs'] / 1000)} behind"
    dead = f"; {count(log['deadLetters'], 'dead letter')}" if log["deadLetters"] else ""
    return text + dead


def _hour(hour: Mapping[str, Any]) -> Iterator[str]:
    outcomes = [
        f"{number:,} {_OUTCOMES.get(word, word)}" for word, number in hour["outcomes"].items()
    ]
    yield _row("last hour", count(hour["starts"], "start") + _ending(outcomes))
    waits = hour["waitMs"]
    if waits["p50"] is not None:
        shown = ", ".join(f"{name} {_short_ms(waits[name])}" for name in ("p50", "p90", "max"))
        yield _row("waited", shown)
    if hour["starts"]:
        yield _row("", bars(hour["minutes"], datetime.now(UTC)))


def _ending(outcomes: Sequence[str]) -> str:
    return f": {', '.join(outcomes)}" if outcomes else ""


def _short_ms(wait_ms: int) -> str:
    return f"{wait_ms} ms" if wait_ms < 1_000 else duration(wait_ms / 1000)  # noqa: PLR2004


def bars(minutes: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Starts a minute over the last hour, the present minute at the right."""
    starts = {datetime.fromisoformat(each["at"]): each["starts"] for each in minutes}
    last = now.replace(second=0, microsecond=0)
    row = [starts.get(last - timedelta(minutes=back), 0) for back in reversed(range(MINUTES))]
    most = max(row)
    if not most:
        return ""
    full = len(_BARS) - 1
    return "".join(_BARS[-(-number * full // most)] for number in row) + f"  most {most} a minute"
