"""The status board, as lines: ``status`` prints it once, ``watch`` repeatedly."""

from __future__ import annotations

import itertools
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import FrameType
from typing import Any

import click

from vomind_queue.cli.client import OVERVIEW, Api, ApiFault, document
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import talks
from vomind_queue.cli.output import (
    COLOURS,
    Out,
    ahead_s,
    count,
    duration,
    printable,
    relative,
    row,
    safe,
)
from vomind_queue.encoding import readable

#: The title and colour of each state of the queue.
_STATES: Mapping[str, tuple[str, str]] = {
    "calling": ("Calling", "green"),
    "idle": ("Idle: no call to make now", "green"),
    "held": ("At the rate limit", "yellow"),
    "unanswered": ("Twilio is not answering", "yellow"),
    "paused": ("Paused", "yellow"),
    "stuck": ("Stuck", "red"),
}
#: In these, no call is placed until something is put right, here or at Twilio.
STOPPED = frozenset({"stuck", "unanswered"})
_LEVELS = {"error": "red", "warning": "yellow", "info": "cyan"}
#: Outcomes in plain language.
OUTCOMES = {
    "completed": "answered",
    "machine": "voicemail",
    "no-answer": "no answer",
    "busy": "busy",
    "failed": "network error",
    "canceled": "hung up by us",
    "not-placed": "rejected by Twilio",
}
#: Reasons whose `until` is the time by which unknown outcomes are reconciled.
_RECONCILED = frozenset({"not-answering", "unknown-outcomes"})
#: Rising bars.
_BARS = "▁▂▃▄▅▆▇█"
MINUTES = 60
#: Enter the terminal's alternate screen and hide the cursor; undo both.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
#: Move to the top left corner; clear the rest of a line; clear the rest of the screen.
_HOME, _LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


def board(shown: Mapping[str, Any], url: str) -> Iterator[str]:
    """Yield the lines of the status board."""
    title, colour = _STATES.get(shown["state"], (shown["state"], "red"))
    yield f"{click.style('●', fg=colour)} {click.style(title, bold=True)}  {url}"
    for reason in shown["reasons"]:
        yield from _reason(reason)
    yield ""
    yield from _numbers(shown)
    yield row("on the line", _line(shown["onTheLine"]))
    yield from _limit(shown["rateLimit"])
    yield row("processes", _processes(shown))
    yield row("call log", _log(shown["callLog"]))
    yield from _hour(shown["lastHour"])


def one_line(shown: Mapping[str, Any]) -> str:
    """Return the status in one short line."""
    stats = shown["stats"]
    names = ("waiting", "active", "delayed", "completed", "failed")
    return "  ".join([shown["state"], *(f"{name} {stats[name]:,}" for name in names)])


def _reason(reason: Mapping[str, Any]) -> Iterator[str]:
    since, until = reason.get("since"), reason["until"]
    when = f" since {_clock(since)}" if since else ""
    if until and reason["kind"] not in _RECONCILED and ahead_s(until) > 0:
        when += f" ({duration(ahead_s(until))} left)"
    title = click.style(reason["title"], fg=_LEVELS.get(reason["level"]))
    yield f"  {title}{when}: {printable(reason['detail'])}"
    if until and reason["kind"] in _RECONCILED:
        yield f"    {_reconciled(until)}"
    if reason["remedy"]:
        yield f"    → {reason['remedy']}"


def _reconciled(by: str) -> str:
    """Return by when all unknown outcomes are reconciled; Twilio's list has to be readable then."""
    if ahead_s(by) <= 0:
        return "Each is reconciled as soon as Twilio's list of calls can be read."
    return f"Each is reconciled by {_clock(by)} ({relative(by)}): vomind-queue list active"


def _clock(text: str) -> str:
    return f"{text[11:19]} UTC"


def _numbers(shown: Mapping[str, Any]) -> Iterator[str]:
    stats = shown["stats"]
    for name in ("waiting", "active", "delayed", "completed", "failed"):
        more = ""
        if name == "waiting" and stats[name]:
            each = shown["byPriority"].items()
            more = "   " + " · ".join(f"{priority} {number:,}" for priority, number in each)
            more += _turns(shown)
        if name == "active" and shown["unknownOutcomes"]:
            more = f"   {shown['unknownOutcomes']:,} with unknown outcomes"
        yield f"  {click.style(f'{name:11}', fg=COLOURS[name])} {stats[name]:>9,}{more}"


def _turns(shown: Mapping[str, Any]) -> str:
    """Return since when the first call waits, and when the last one is dialed."""
    oldest, empty = shown["oldestWaitingAt"], shown["emptyAt"]
    text = f"; oldest {duration(ahead_s(oldest))}" if oldest else ""
    return text + (f", empty at about {_clock(empty)}" if empty else "")


def _line(line: Mapping[str, int]) -> str:
    parts = [f"{number:,} {name}" for name, number in line.items() if number]
    return f"{sum(line.values()):,}" + (f": {', '.join(parts)}" if parts else "")


def _limit(limit: Mapping[str, Any] | None) -> Iterator[str]:
    if limit is None:
        yield row("limit", "off")
        return
    text = f"{limit['used']} of {limit['max']} starts in {duration(limit['windowMs'] / 1000)}"
    next_at = limit["nextStartAt"]
    if next_at and ahead_s(next_at) > 0:
        text += f"; the next one in {duration(ahead_s(next_at))}"
    yield row("limit", text + (", overridden" if limit["overridden"] else ""))


def _processes(shown: Mapping[str, Any]) -> str:
    found = [count(shown["workers"], "worker")]
    found.append("scheduler" if shown["schedulerActive"] else "no scheduler")
    found.append("shipper" if shown["callLog"]["shipperActive"] else "no shipper")
    if shown["recurring"]:
        found.append(count(shown["recurring"], "recurring call"))
    return " · ".join(found)


def _log(log: Mapping[str, Any]) -> str:
    text = "up to date"
    if log["pending"]:
        text = f"{log['pending']:,} on their way, {duration(log['behindMs'] / 1000)} behind"
    dead = f"; {count(log['deadLetters'], 'dead letter')}" if log["deadLetters"] else ""
    return text + dead


def _hour(hour: Mapping[str, Any]) -> Iterator[str]:
    outcomes = hour["outcomes"]
    known = [*OUTCOMES, *(word for word in outcomes if word not in OUTCOMES)]
    ended = [f"{outcomes[word]:,} {OUTCOMES.get(word, word)}" for word in known if word in outcomes]
    starts = count(hour["starts"], "start")
    yield row("last hour", f"{starts}: {', '.join(ended)}" if ended else starts)
    waits = hour["waitMs"]
    if waits["p50"] is not None:
        names = {"p50": "median", "p90": "90%", "max": "longest"}
        known = [f"{said} under {_short_ms(waits[name])}" for name, said in names.items()]
        yield row("waited", ", ".join(known))
    if hour["starts"]:
        yield row("", bars(hour["minutes"], datetime.now(UTC)))


def _short_ms(wait_ms: int) -> str:
    return f"{wait_ms} ms" if wait_ms < 1_000 else duration(wait_ms / 1000)  # noqa: PLR2004


def bars(minutes: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Return a bar for each minute of the last hour, the present one at the right."""
    starts = {datetime.fromisoformat(each["at"]): each["starts"] for each in minutes}
    last = now.replace(second=0, microsecond=0)
    row = [starts.get(last - timedelta(minutes=back), 0) for back in reversed(range(MINUTES))]
    most = max(row)
    if not most:
        return ""
    full = len(_BARS) - 1
    return "".join(_BARS[-(-number * full // most)] for number in row) + f"  most {most} a minute"


class _Poller:
    """Polls the overview; an unchanged one is not sent again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tag: str | None = None
        self.shown: dict[str, Any] = {}
        #: Whether the last response differed, and why the request failed, if it did.
        self.changed, self.trouble = False, ""

    def poll(self) -> None:
        """Fetch the overview. Raise ApiFault if the first request fails; note later failures."""
        headers = {"If-None-Match": self._tag} if self._tag else {}
        self.changed, self.trouble = False, ""
        try:
            answer = self._api.ask("GET", OVERVIEW, headers=headers)
        except ApiFault as fault:
            if not self.shown or not fault.passing:
                raise
            self.trouble = fault.message
            return
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            self.shown, self._tag = document(answer), answer.headers.get("ETag")
            self.changed = True


@click.command()
@click.option(
    "-n",
    "--interval",
    type=click.FloatRange(0.2, 3600),
    default=1.0,
    show_default=True,
    help="Seconds between two updates.",
)
@click.option("--count", "updates", type=click.IntRange(1), help="End after this many updates.")
@talks
def watch(api: Api, out: Out, *, interval: float, updates: int | None) -> None:
    """Show the status live until Ctrl-C.

    If standard output is not a terminal, print one line for each change.
    """
    poller, printed = _Poller(api), ("", "")
    screen = sys.stdout.isatty() and not out.as_json
    poller.poll()
    with _screen() if screen else suppress(KeyboardInterrupt):
        for number in itertools.count(1):
            if screen:
                _draw(poller, api.url)
            else:
                printed = _print_changes(poller, out, printed)
            sys.stdout.flush()
            if number == updates:
                return
            time.sleep(interval)
            poller.poll()


def _draw(poller: _Poller, url: str) -> None:
    now = f"{datetime.now(UTC):%H:%M:%S} UTC, Ctrl-C ends"
    lines = [*board(poller.shown, url), "", poller.trouble or now]
    shown = [f"{safe(line)}{_LINE}" for line in lines[: shutil.get_terminal_size().lines - 1]]
    click.echo(_HOME + "\n".join(shown) + _REST, nl=False)


def _print_changes(poller: _Poller, out: Out, printed: tuple[str, str]) -> tuple[str, str]:
    """Print what changed. People get changed counts only, programs every document."""
    line = one_line(poller.shown)
    if out.as_json and poller.changed:
        click.echo(readable(poller.shown))
    elif not out.as_json and line != printed[0]:
        click.echo(safe(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}  {line}"))
    if poller.trouble and poller.trouble != printed[1]:
        out.note(poller.trouble)
    return line, poller.trouble


@contextmanager
def _screen() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, _stop)
    # Not through click: NO_COLOR must not remove these codes.
    sys.stdout.write(_ENTER)
    try:
        yield
    except KeyboardInterrupt:
        # The ordinary way to leave.
        pass
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(ExitCode.INTERRUPTED)
