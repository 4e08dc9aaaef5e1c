"""``campaign``: many calls with a name, steered together."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import click

from vomind_queue.cli.client import CAMPAIGNS, Api, ApiFault
from vomind_queue.cli.list_calls import log_pages
from vomind_queue.cli.options import duration, given, talks
from vomind_queue.cli.output import Out, count, moment, printable, row, table
from vomind_queue.encoding import no_formula

#: Calls on one page of a report: the most that the API takes.
MOST_ON_PAGE = 1_000
#: Columns of a report.
COLUMNS = (
    "jobId",
    "to",
    "lead_id",
    "state",
    "status",
    "answeredBy",
    "attempts",
    "why",
    "createdAt",
)

_ID = click.argument("campaign_id", metavar="ID")


@click.group()
def campaign() -> None:
    """Create, show, start, pause, resume and cancel campaigns."""


@campaign.command()
@click.argument("name")
@click.option("--country", metavar="CODE", help="Of numbers without a country code: DE, US.")
@click.option("--priority", type=click.Choice(["high", "normal", "low"]))
@click.option("--message", metavar="TEXT", help="What calls say that have no message.")
@click.option("--weight", type=click.IntRange(1, 100), help="Its share within a priority.")
@click.option("--pace", metavar="PACE", help="How fast its calls may start: 10/m, 200/h.")
@click.option("--max-concurrent", "maxConcurrent", type=click.IntRange(1), help="Calls at a time.")
@click.option("--start-at", "startAt", metavar="TIME", help="Its calls start from then on.")
@click.option("--end-at", "endAt", metavar="TIME", help="None of its calls starts from then on.")
@click.option(
    "--hours", metavar="HOURS", help="When it calls: mon-fri 09:00-20:00, sat-sun closed."
)
@click.option("--open", is_flag=True, default=None, help="It stays running without calls.")
@talks
def create(api: Api, out: Out, **fields: Any) -> None:
    """Create a campaign with that NAME, as a draft."""
    answer = api.post(CAMPAIGNS, given(fields))
    out.answer(answer, f"{answer['campaignId']}: created as a draft.")


@campaign.command("list")
@click.option("--limit", type=click.IntRange(1, MOST_ON_PAGE), default=20, show_default=True)
@talks
def list_campaigns(api: Api, out: Out, *, limit: int) -> None:
    """List campaigns, newest first."""
    found = api.get(CAMPAIGNS, start=0, end=limit - 1)
    rows = [
        (
            each["campaignId"],
            each["state"],
            f"{each['counts']['total']:,}",
            f"{_left(each):,}",
            printable(each["data"]["name"]),
        )
        for each in found["campaigns"]
    ]
    lines = table(("ID", "STATE", "CALLS", "LEFT", "NAME"), rows) if rows else ["No campaigns."]
    out.answer(found, *lines)


@campaign.command()
@_ID
@talks
def show(api: Api, out: Out, *, campaign_id: str) -> None:
    """Show a campaign: its state, and how many of its calls are where."""
    found = api.get(f"{CAMPAIGNS}/{campaign_id}")
    by = f" by {printable(found['steeredBy'])}" if found["steeredBy"] else ""
    parts = [row(name, f"{n:,}") for name, n in found["counts"].items() if n and name != "total"]
    out.answer(
        found,
        f"{campaign_id}: {printable(found['data']['name'])}",
        row("state", f"{found['state']}{by}"),
        row("created", moment(found["createdAt"])),
        row("calls", f"{found['counts']['total']:,}"),
        *parts,
        *_why(found),
    )


def _why(found: Mapping[str, Any]) -> Iterator[str]:
    for each in found["reasons"]:
        until = f" (until {moment(each['until'])})" if each["until"] else ""
        yield row("why", f"{each['text']}{until}")
    if found["expectedEnd"]:
        yield row("ends about", f"{moment(found['expectedEnd'])}")


def _steering(name: str, said: str, text: str) -> click.Command:
    @_ID
    @talks
    def steer(api: Api, out: Out, *, campaign_id: str) -> None:
        answer = api.post(f"{CAMPAIGNS}/{campaign_id}/{name}")
        left = count(_left(answer), "call")
        out.answer(answer, f"{campaign_id}: {said.format(state=answer['state'])}; {left} left.")

    command: Callable[..., Any] = steer
    return click.command(name, help=text)(command)


for _command in (
    _steering("start", "{state}", "Start a draft."),
    _steering("pause", "paused", "Let none of its calls start until resume."),
    _steering("resume", "{state}", "Let its calls start again."),
    _steering("cancel", "cancelled", "Cancel it, with its calls that have not started."),
):
    campaign.add_command(_command)


@campaign.command()
@_ID
@click.option("--duration", "lasts", metavar="TIME", type=duration, help="Of each call: 90s.")
@talks
def preview(api: Api, out: Out, *, campaign_id: str, lasts: int | None) -> None:
    """Say when its calls would ring, and when the last one would."""
    body = given({"durationMs": lasts})
    found = api.post(f"{CAMPAIGNS}/{campaign_id}/preview?limit=1", body)
    held = [row(f"held: {why}", f"{n:,}") for why, n in found["held"].items()]
    never = [row(f"never: {why}", f"{n:,}") for why, n in found["never"].items()]
    times = [row("first", moment(found["firstAt"])), row("last", moment(found["lastAt"]))]
    out.answer(
        found,
        f"{campaign_id}: {found['willRing']:,} of {count(found['count'], 'call')} would ring.",
        *(times if found["firstAt"] else ()),
        *held,
        *never,
    )


@campaign.command()
@_ID
@talks
def report(api: Api, out: Out, *, campaign_id: str) -> None:
    """Print the calls of a campaign as CSV, in the order in which they were added.

    Calls that are no longer in the queue come from the call log.
    """
    jobs = _all_jobs(api, campaign_id)
    if out.as_json:
        out.answer({"success": True, "count": len(jobs), "jobs": jobs})
        return
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for job in jobs:
        writer.writerow(_cells(job))


def _left(shown: Mapping[str, Any]) -> int:
    """Return how many calls have not been placed."""
    counts = shown["counts"]
    return int(counts["waiting"] + counts["delayed"])


def _jobs(api: Api, campaign_id: str) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = api.get(f"{CAMPAIGNS}/{campaign_id}/calls", limit=MOST_ON_PAGE, cursor=cursor)
        yield from page["jobs"]
        cursor = page["next"]
        if cursor is None:
            return


def _all_jobs(api: Api, campaign_id: str) -> Sequence[Mapping[str, Any]]:
    jobs = list(_jobs(api, campaign_id))
    shown = api.get(f"{CAMPAIGNS}/{campaign_id}")
    if shown["counts"]["total"] == len(jobs):
        return jobs
    try:
        gone = _logged(api, shown, {job["jobId"] for job in jobs})
    except ApiFault as fault:
        if not fault.passing:
            raise
        click.echo(f"Calls that left the queue are missing: {fault.format_message()}", err=True)
        return jobs
    both: Sequence[Mapping[str, Any]] = [*jobs, *gone]
    return sorted(both, key=lambda job: (job["createdAt"], int(job["jobId"])))


def _logged(
    api: Api, shown: Mapping[str, Any], known: Collection[str]
) -> Sequence[Mapping[str, Any]]:
    """Return calls of a campaign from the call log, those aside that are known."""
    # A Redis that lost its data may have given out the id before.
    wanted = {"campaignId": shown["campaignId"], "since": shown["createdAt"]}
    if api.get("/api/calls", **wanted, limit=1)["source"] != "log":
        return []
    found = (call for page in log_pages(api, wanted) for call in page)
    data = ("to", "lead_id", "priority", "message", "metadata")
    return [
        {**call, "data": {name: call[name] for name in data}}
        for call in found
        if call["jobId"] not in known
    ]


def _cells(job: Mapping[str, Any]) -> list[str]:
    data, call = job["data"], job["call"] or {}
    lead, why = no_formula(data.get("lead_id")), no_formula(job["failedReason"])
    cells = (job["jobId"], data["to"], lead, job["state"], call.get("status"))
    more = (call.get("answeredBy"), job["attemptsMade"], why, job["createdAt"])
    return ["" if cell is None else str(cell) for cell in (*cells, *more)]
