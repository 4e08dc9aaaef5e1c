"""``list`` and ``export``: calls in the queue by state, or in the call log by filters."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import click

from vomind_queue.cli.client import QUEUE, Api, patiently
from vomind_queue.cli.options import Words, given, past, talks, together
from vomind_queue.cli.output import Out, count, moment, printable, table
from vomind_queue.cli.show import on_the_line
from vomind_queue.encoding import readable

#: The most that the API returns at once.
PAGE = 1_000
#: States in the queue; recurring calls are listed by their own command.
STATES = ("waiting", "active", "delayed", "completed", "failed")
OUTCOMES = ("completed", "machine", "busy", "no-answer", "failed", "canceled", "not-placed")
_STATE = Words([*STATES, "cancelled"])
#: The time that a list of that state shows; other lists show the time of finishing.
_WHEN = {"waiting": "createdAt", "delayed": "scheduledFor", "active": "startedAt"}
_FORMS = ("csv", "jsonl")
#: How long the service may be away in the middle of an export, s.
AWAY_S = 60.0
#: The filters of the call log.
filters = together(
    click.option("--number", help="Calls to this number."),
    click.option("--lead-id", metavar="ID", help="Calls about this lead."),
    click.option("--campaign", "campaignId", metavar="ID", help="Calls of this campaign."),
    click.option("--outcome", type=Words([*OUTCOMES, "none"]), help="The outcome at Twilio."),
    click.option("--priority", type=Words(["high", "normal", "low"]), help="Their priority."),
    click.option(
        "--since",
        metavar="TIME",
        type=past,
        help="Accepted then or later: a time, or 2h ago as 2h.",
    ),
    click.option(
        "--until", metavar="TIME", type=past, help="Accepted before: a time, or 2h ago as 2h."
    ),
)
#: States of calls, several between commas.
state_option = click.option("--state", type=_STATE, help="Calls in this state, or these.")


@click.command("list")
@click.argument("state", required=False, metavar="[STATE]", type=_STATE)
@filters
@click.option("--start", type=click.IntRange(0), default=0, help="Skip this many.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--ids", is_flag=True, help="Print only the ids, one per line.")
@talks
def list_calls(
    api: Api, out: Out, *, state: str | None, start: int, limit: int, ids: bool, **wanted: Any
) -> None:
    """List calls: those in one STATE, in the queue's order, or all, newest first.

    Several states, outcomes or priorities have commas between them: waiting,delayed. Without
    a STATE, with several, or with a filter, the list comes from the call log. It also has cancelled
    calls, and calls that are no longer in the queue's history.
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
    jobs = [job for page in log_pages(api, wanted, limit=limit) for job in page]
    return {"success": True, "count": len(jobs), "total": None, "jobs": jobs}


def log_pages(
    api: Api, wanted: Mapping[str, Any], *, limit: int | None = None, away_s: float = 0
) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield calls from the log page by page, newest first.

    Wait up to ``away_s`` for an unreachable service between pages. Raise ApiFault.
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


@click.command()
@filters
@state_option
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="By default the file's extension, else csv.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file, which appears once it is complete. By default standard output.",
)
@talks
def export(api: Api, out: Out, *, form: str | None, output: Path | None, **wanted: Any) -> None:
    """Write calls from the call log as CSV or JSON lines, newest first.

    In a CSV, text that a spreadsheet would read as a formula is prefixed with an apostrophe.
    """
    form = form or _form(output, as_json=out.as_json)
    write = _csv if form == "csv" else _jsonl
    if output is None:
        # Standard output holds the calls, so no summary is printed.
        write(api, given(wanted), sys.stdout.buffer)
        return
    with _whole(output) as file:
        calls = write(api, given(wanted), file)
    document = {"success": True, "count": calls, "format": form, "file": str(output)}
    out.answer(document, f"{count(calls, 'call')} written to {output}.")


def _form(output: Path | None, *, as_json: bool) -> str:
    suffix = output.suffix.lstrip(".") if output else ""
    if suffix in _FORMS:
        return suffix
    return "jsonl" if as_json and output is None else "csv"


def _jsonl(api: Api, wanted: Mapping[str, Any], file: IO[bytes]) -> int:
    calls = 0
    for page in log_pages(api, wanted, away_s=AWAY_S):
        for call in page:
            file.write(readable(call).encode() + b"\n")
        calls += len(page)
    return calls


def _csv(api: Api, wanted: Mapping[str, Any], file: IO[bytes]) -> int:
    """Write the API's CSV pages one after another, with a single header; return how many calls."""
    query, calls = {**wanted, "limit": PAGE}, 0
    while True:
        ask = partial(api.ask, "GET", "/api/calls", query=query, headers={"Accept": "text/csv"})
        page = patiently(ask, for_s=AWAY_S if "cursor" in query else 0)
        head, _, rows = page.content.partition(b"\r\n")
        file.write(rows if "cursor" in query else head + b"\r\n" + rows)
        # A message may have several lines.
        calls += sum(1 for _ in csv.reader(io.StringIO(rows.decode(), newline="")))
        if "next" not in page.links:
            return calls
        query["cursor"] = parse_qs(urlsplit(page.links["next"]["url"]).query)["cursor"][0]


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that gets its name once it is complete."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written: {error.strerror}.", param_hint="--output"
        ) from None
    finally:
        part.unlink(missing_ok=True)
