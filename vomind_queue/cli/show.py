"""One call: ``show``, and how it is followed until it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.calls.call import OPTIONS
from vomind_queue.cli.client import QUEUE, Api, ApiFault, job_path, patiently
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import talks
from vomind_queue.cli.output import Out, moment, printable, relative, row, safe, state
from vomind_queue.encoding import readable

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
            click.echo(safe(f"  {now}"))
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
