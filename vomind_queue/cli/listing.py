"""``list``: calls by state from the queue, or by number, lead, outcome and time from the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click

from vomind_queue.cli.call_fields import given
from vomind_queue.cli.client import QUEUE, Api
from vomind_queue.cli.durations import PAST
from vomind_queue.cli.following import on_the_line
from vomind_queue.cli.output import Out, moment, printable, table
from vomind_queue.cli.patience import patiently
from vomind_queue.cli.talking import talks

#: As the API takes them at once.
PAGE = 1_000
#: States in the queue; recurring calls are listed by their own command.
STATES = ("waiting", "active", "delayed", "completed", "failed")
OUTCOMES = ("completed", "busy", "no-answer", "failed", "canceled", "not-placed")
#: Which time of a job is shown in the list of its state.
_WHEN = {
    "waiting": "createdAt",
    "delayed": "scheduledFor",
    "active": "startedAt",
    "completed": "finishedAt",
    "failed": "finishedAt",
}


def filters(command: Any) -> Any:
    """Adds the filters of the call log to a command."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


_FILTERS = (
    click.option("--number", help="Calls to this number."),
    click.option("--lead-id", metavar="ID", help="Calls about this lead."),
    click.option("--outcome", type=click.Choice(OUTCOMES), help="What became of it on the line."),
    click.option("--since", type=PAST, help="Accepted then or later: a time, or 2h ago as 2h."),
    click.option("--until", type=PAST, help="Accepted before: a time, or 2h ago as 2h."),
)


@click.command("list")
@click.argument(
    "state", required=False, metavar="[STATE]", type=click.Choice([*STATES, "cancelled"])
)
@filters
@click.option("--start", type=click.IntRange(0), default=0, help="Leave out so many first.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--ids", is_flag=True, help="Print the ids alone, one a line.")
@talks
def list_calls(
    api: Api, out: Out, *, state: str | None, start: int, limit: int, ids: bool, **wanted: Any
) -> None:
    """Show calls: those of one STATE, in the queue's order; or any, the newest first.

    Without a STATE, or with a filter, the call log is asked, which knows cancelled calls and
    those that have left the queue's history.
    """
    if state in STATES and not given(wanted):
        found = _from_queue(api, state, start, limit)
    else:
        if start:
            raise click.UsageError("--start is for lists of one state, without a filter.")
        found = _from_log(api, given({"state": state, **wanted}), limit)
    if ids and not out.as_json:
        for job in found["jobs"]:
            click.echo(job["jobId"])
        return
    out.answer(found, *_lines(found, state))


def _from_queue(api: Api, state: str, start: int, limit: int) -> dict[str, Any]:
    jobs: list[dict[str, Any]] = []
    while True:
        first = start + len(jobs)
        last = start + min(limit, len(jobs) + PAGE) - 1
        page = api.get(f"{QUEUE}/{state}", start=first, end=last)
        jobs += page["jobs"]
        if len(jobs) >= limit or page["count"] < last - first + 1:
            return {"success": True, "count": len(jobs), "total": page["total"], "jobs": jobs}


def _from_log(api: Api, wanted: Mapping[str, Any], limit: int) -> dict[str, Any]:
    jobs: list[dict[str, Any]] = []
    for page in log_pages(api, wanted, limit=limit):
        jobs += page
    return {"success": True, "count": len(jobs), "total": None, "jobs": jobs}


def log_pages(
    api: Api, wanted: Mapping[str, Any], *, limit: int | None = None, away_s: float = 0
) -> Iterator[Sequence[dict[str, Any]]]:
    """Calls of the log, the newest first, page by page.

    The service may be away for ``away_s`` in between. Raises ApiFault.
    """
    cursor, left = None, limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        ask = partial(api.get, "/api/calls", **wanted, limit=size, cursor=cursor)
        page = patiently(ask, for_s=away_s if cursor else 0)
        yield page["calls"]
        cursor = page["next"]
        left = None if left is None else left - len(page["calls"])
        if cursor is None:
            return


def _lines(found: Mapping[str, Any], state: str | None) -> list[str]:
    jobs = found["jobs"]
    if not jobs:
        return [f"No {state} calls." if state else "No calls."]
    head = ("ID", "STATE", "TO", "PRIORITY", "TIME (UTC)", "LEAD", "")
    lines = table(head, [_row(job) for job in jobs])
    total = found["total"]
    if total is not None and total > len(jobs):
        lines.append(f"{len(jobs):,} of {total:,}")
    return lines


def _row(job: Mapping[str, Any]) -> Sequence[str]:
    data = job.get("data") or job
    lead = data.get("lead_id")
    when = job[_WHEN.get(job["state"], "finishedAt")]
    return (
        str(job["jobId"]),
        job["state"],
        data["to"] or "(blanked)",
        data["priority"],
        moment(when),
        "-" if lead is None else printable(str(lead)),
        _said(job),
    )


def _said(job: Mapping[str, Any]) -> str:
    if job["state"] == "completed":
        return on_the_line(job)
    return str(job["failedReason"] or (job.get("data") or job)["message"] or "")
