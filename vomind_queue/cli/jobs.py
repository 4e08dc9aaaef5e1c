"""Calls by id: ``show``, ``cancel``, ``hangup``, ``retry``. Also follows one until it is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.calls.call import OPTIONS
from vomind_queue.cli.client import QUEUE, Api, ApiFault, patiently
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import talks
from vomind_queue.cli.output import Out, count, moment, printable, relative, row, state
from vomind_queue.encoding import readable

_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_HISTORY = ("completed", "failed")
_TIMES = ("createdAt", "scheduledFor", "startedAt", "finishedAt")
#: States in which a call has yet to ring.
_AHEAD = ("waiting", "delayed", "active")
#: Time between two requests, s.
POLL_INTERVAL_S = 0.5
#: How long to wait for an unreachable service, s.
AWAY_S = 120.0
#: Twilio's final statuses, and ours for a call that Twilio no longer knows.
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled", "unknown"})


@click.command()
@_IDS
@click.option("--remove", is_flag=True, help="Also remove finished calls from history.")
@talks
def cancel(api: Api, out: Out, *, ids: tuple[str, ...], remove: bool) -> None:
    """Cancel calls; once this is confirmed, they are never placed.

    "-" reads the ids from standard input. A finished call is left alone unless --remove is given,
    which removes it from history. A recurring call (recurring:1) is stopped for good.
    """

    def one(job_id: str) -> tuple[dict[str, Any], str]:
        if not remove and not job_id.startswith("recurring:"):
            _refuse_finished(api, job_id)
        answer = api.delete(job_path(job_id))
        gone = "removed from history" if answer["was"] in _HISTORY else "cancelled"
        return answer, f"{job_id}: {gone} (was {answer['was']})"

    _each(out, ids, one)


def _refuse_finished(api: Api, job_id: str) -> None:
    state = api.get(job_path(job_id))["state"]
    if state in _HISTORY:
        raise ApiFault(
            f"It has already {state}; --remove removes it from history.", ExitCode.REFUSED
        )


@click.command()
@_IDS
@talks
def hangup(api: Api, out: Out, *, ids: tuple[str, ...]) -> None:
    """Hang up calls that are on the line.

    The phone stops ringing, or the person who answered is cut off. "-" reads the ids from standard
    input. A call that is not on the line is refused. One that was hung up counts as placed, and is
    not tried again.
    """

    def one(job_id: str) -> tuple[dict[str, Any], str]:
        return api.post(f"{job_path(job_id)}/hangup"), f"{job_id}: is being hung up"

    _each(out, ids, one)


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--failed", is_flag=True, help="All failed calls.")
@click.option(
    "--reason",
    metavar="KIND",
    help="All calls that failed for one reason: see `vomind-queue failures`.",
)
@click.option("--not-after", metavar="TIME", help="Another latest start, for calls by their ids.")
@talks
def retry(
    api: Api,
    out: Out,
    *,
    ids: tuple[str, ...],
    failed: bool,
    reason: str | None,
    not_after: str | None,
) -> None:
    """Put failed calls back in the queue, with a full set of attempts.

    Select them by id ("-" reads ids from standard input), by --reason, or all with --failed.
    """
    if bool(ids) + failed + (reason is not None) != 1:
        raise click.UsageError("Expected call ids, a --reason, or --failed.")
    if not_after and not ids:
        raise click.UsageError("Expected call ids with --not-after.")
    if not ids:
        _retry_many(api, out, reason)
        return

    body = {"notAfter": not_after} if not_after else None

    def one(job_id: str) -> tuple[dict[str, Any], str]:
        return api.post(f"{job_path(job_id)}/retry", body), f"{job_id}: back in the queue"

    _each(out, ids, one)


def _retry_many(api: Api, out: Out, reason: str | None) -> None:
    """Send one request: a loop would never end while retried calls fail again at once."""
    answer = api.post(f"{QUEUE}/retry-failed", {"reason": reason})
    number = answer["count"]
    lines = [f"{count(number, 'call')} put back in the queue."]
    if answer["more"]:
        lines.append("There are more: repeat the command.")
    out.answer(answer, *lines)


def job_path(job_id: str) -> str:
    """Return the path of a job."""
    return f"{QUEUE}/job/{quote(job_id, safe=':')}"


def _each(out: Out, ids: Sequence[str], one: Callable[[str], tuple[dict[str, Any], str]]) -> None:
    """Handle every id; a refusal does not stop the rest.

    The first refusal decides the exit code; an unreachable service ends the command at once. With
    ``--json`` there is a line for each.
    """
    first: ApiFault | None = None
    for job_id in _given(ids):
        try:
            document, line = one(job_id)
            out.answer(document, line)
        except ApiFault as fault:
            if fault.exit_code not in (ExitCode.NOT_FOUND, ExitCode.REFUSED):
                raise
            first = first or fault
            out.note(f"{job_id}: {fault.message}")
            if out.as_json:
                out.answer({**fault.document, "jobId": job_id})
    if first is not None:
        raise SystemExit(first.exit_code)


def _given(ids: Sequence[str]) -> Iterator[str]:
    if tuple(ids) != ("-",):
        yield from ids
        return
    for line in sys.stdin:
        yield from line.split()


@click.command()
@click.argument("job_id", metavar="ID")
@talks
def show(api: Api, out: Out, *, job_id: str) -> None:
    """Show a call: its state, why it has not rung yet, and its history.

    A call that is no longer in the queue's history is shown from the call log.
    """
    job = _found(api, job_path(job_id))
    logged = _logged(api, out, job_id, needed=job is None)
    if job is None and logged is None:
        # Repeated for the API's own error.
        job = api.get(job_path(job_id))
    shown = dict(job or logged or {})
    shown["events"] = (logged or {}).get("events", [])
    ahead = job is not None and job["state"] in _AHEAD
    shown["why"] = _found(api, f"{job_path(job_id)}/why") if ahead else None
    out.answer(shown, *_lines(shown))


def _found(api: Api, path: str) -> dict[str, Any] | None:
    try:
        return api.get(path)
    except ApiFault as fault:
        if fault.exit_code != ExitCode.NOT_FOUND:
            raise
        return None


def _logged(api: Api, out: Out, job_id: str, *, needed: bool) -> dict[str, Any] | None:
    """Return the call log's record; None while the log is away and the queue has the call."""
    try:
        return _found(api, f"/api/calls/{quote(job_id, safe=':')}")
    except ApiFault as fault:
        if needed or not fault.passing:
            raise
        out.note(f"Without its history: {fault.message}")
        return None


def _lines(shown: Mapping[str, Any]) -> Iterator[str]:
    data = shown.get("data") or shown
    title = click.style(f"Call {shown['jobId']}", bold=True)
    # While it has yet to ring, the reasons below say more.
    yield f"{title}  {state(shown['state']) if shown['why'] else where(shown)}"
    yield from _reasons(shown["why"])
    lead = data.get("lead_id")
    about = "" if lead is None else f", lead {printable(str(lead))}"
    yield row("to", f"{data['to'] or '(blanked)'}, {shown['priority']} priority{about}")
    if data["message"]:
        yield row("says", printable(data["message"]))
    if data.get("metadata"):
        yield row("metadata", readable(data["metadata"]))
    if options := options_of(data):
        yield row("options", options)
    names = ("accepted", "due", "started", "finished")
    for name, field in zip(names, _TIMES, strict=True):
        if shown.get(field):
            yield row(name, f"{moment(shown[field])} UTC ({relative(shown[field])})")
    for made in shown.get("attempts", []):
        yield row(f"attempt {made['number']}", _attempt(made))
    yield from _story(shown["events"])


def options_of(data: Mapping[str, Any]) -> str:
    """Return what a call says of how it is placed; empty where that is nothing."""
    return ", ".join(f"{name} {readable(data[name])}" for name in OPTIONS if name in data)


def _reasons(why: Mapping[str, Any] | None) -> Iterator[str]:
    if why is None:
        return
    for reason in why["reasons"]:
        until = f" ({moment(reason['until'])} UTC, {relative(reason['until'])})"
        yield f"  {reason['text']}{until if reason['until'] else ''}"
    if why["expectedAt"]:
        yield f"  It can ring {relative(why['expectedAt'])}, if nothing changes."


def _attempt(made: Mapping[str, Any]) -> str:
    words = on_the_line({"call": made}) if made["status"] else "not placed"
    reason = f": {made['failedReason']}" if made["failedReason"] else ""
    sid = f"  {made['sid']}" if made["sid"] else ""
    return f"{moment(made['startedAt'])} UTC  {words}{reason}{sid}"


def _story(events: list[Mapping[str, Any]]) -> Iterator[str]:
    if events:
        yield "  history (UTC)"
    for event in events:
        line = f"    {event['at'][:23].replace('T', ' ')}  {event['event']}"
        if event["event"].startswith("line") and event["status"]:
            line += f": {event['status']}"
        details = ", ".join(_detail(*each) for each in event["details"].items())
        yield printable(f"{line}  {details}").rstrip()


def _detail(name: str, value: Any) -> str:
    if name == "due" and str(value).isdecimal():
        value = f"{datetime.fromtimestamp(int(value) / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    return f"{name} {value}"


def follow(api: Api, out: Out, job_id: str) -> None:
    """Print each change; with ``--json``, only the final job.

    End the command with 1 if the call failed or nobody answered.
    """
    printed = ""
    while True:
        job = patiently(lambda: api.get(f"{QUEUE}/job/{job_id}"), for_s=AWAY_S)
        now = where(job)
        if now != printed and not out.as_json:
            click.echo(f"  {now}")
        printed = now
        if _over(job):
            break
        time.sleep(POLL_INTERVAL_S)
    out.answer(job)
    if job["state"] == "failed" or line_status(job) != "completed":
        raise SystemExit(ExitCode.LEFT)


def where(job: Mapping[str, Any]) -> str:
    """Return one line about the state of a call."""
    word, line, reason = job["state"], line_status(job), job["failedReason"]
    if word == "completed":
        return f"{'over' if line in OVER else 'placed'}: {on_the_line(job)}"
    if word == "delayed":
        at = job.get("nextAttemptAt") or job["scheduledFor"]
        due = f", due {relative(at)}" if at else ""
        return f"{state(word)}{due}" + (f": {reason}" if reason else "")
    if word == "failed":
        return f"{state(word)}: {reason}"
    return state(word) + (f": {line}" if line and word == "active" else "")


def on_the_line(job: Mapping[str, Any]) -> str:
    """Return the call's state at Twilio, in words."""
    call = job["call"] or {}
    status = call.get("status") or "placed"
    if status != "completed":
        return str(status)
    by = call.get("answeredBy")
    seconds = call.get("duration")
    length = f" for {seconds} s" if seconds is not None else ""
    return f"answered{f' by {by}' if by else ''}{length}"


def line_status(job: Mapping[str, Any]) -> str | None:
    """Return Twilio's status of the call, if it has one."""
    return (job["call"] or {}).get("status")


def _over(job: Mapping[str, Any]) -> bool:
    done = job["state"] == "completed" and line_status(job) in OVER
    return bool(done or job["state"] == "failed")
