"""Telling how one call goes, until it is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from vomind_queue.cli.client import QUEUE, Api, patiently
from vomind_queue.cli.endings import Ending
from vomind_queue.cli.output import Out, relative, state

#: Between two looks, s.
LOOK_S = 0.5
#: How long the service may be away meanwhile, s.
AWAY_S = 120.0
#: Twilio's last words on a call, and ours for one that it knows no more.
OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled", "unknown"})


def follow(api: Api, out: Out, job_id: str) -> None:
    """Prints each change; with ``--json`` only the job as it is in the end.

    Ends the command with 1 when the call failed, or nobody answered it.
    """
    told = ""
    while True:
        job = patiently(lambda: api.get(f"{QUEUE}/job/{job_id}"), for_s=AWAY_S)
        now = where(job)
        if now != told and not out.as_json:
            click.echo(f"  {now}")
        told = now
        if _over(job):
            break
        time.sleep(LOOK_S)
    out.answer(job)
    if job["state"] == "failed" or line_status(job) != "completed":
        raise SystemExit(Ending.LEFT)


def where(job: Mapping[str, Any]) -> str:
    """One line on where a call is."""
    word, line, reason = job["state"], line_status(job), job["failedReason"]
    if word == "completed":
        return f"{'over' if line in OVER else 'placed'}: {on_the_line(job)}"
    if word == "delayed":
        due = f", due {relative(job['scheduledFor'])}" if job["scheduledFor"] else ""
        return f"{state(word)}{due}" + (f": {reason}" if reason else "")
    if word == "failed":
        return f"{state(word)}: {reason}"
    return state(word) + (f": {line}" if line and word == "active" else "")


def on_the_line(job: Mapping[str, Any]) -> str:
    """How the call goes at Twilio, or went."""
    call = job["call"] or {}
    status = call.get("status") or "placed"
    if status != "completed":
        return str(status)
    by = call.get("answeredBy")
    seconds = call.get("duration")
    length = f" for {seconds} s" if seconds is not None else ""
    return f"answered{f' by {by}' if by else ''}{length}"


def line_status(job: Mapping[str, Any]) -> str | None:
    """Twilio's word for where the call is."""
    return (job["call"] or {}).get("status")


def _over(job: Mapping[str, Any]) -> bool:
    if job["state"] == "failed":
        return True
    return bool(job["state"] == "completed" and line_status(job) in OVER)
