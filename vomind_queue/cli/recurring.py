"""``recurring``: calls that are made again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from vomind_queue.cli.client import QUEUE, Api, job_path
from vomind_queue.cli.options import call_options, duration, given, talks, together
from vomind_queue.cli.output import Out, moment, printable, relative, table
from vomind_queue.cli.show import options_of

_PERSON_ZONE = click.option(
    "--person-timezone",
    "personTimezone",
    metavar="ZONE",
    help="Time zone of the person called, for the calling rules.",
)
_ZONE = click.option("--timezone", metavar="ZONE", help="Europe/Berlin, for example.")
_options = together(
    _ZONE,
    _PERSON_ZONE,
    click.option(
        "--start-at",
        "startAt",
        metavar="TIME",
        help="No runs before this: 2030-11-20T10:00:00+01:00.",
    ),
    click.option("--end-at", "endAt", metavar="TIME", help="No runs after this."),
    click.option("--max-runs", "maxRuns", type=click.IntRange(1), help="Total number of runs."),
    click.option("--grace", "graceMs", type=duration, help="How late a run may be: 15m."),
    click.option(
        "--overlap",
        type=click.Choice(["skip", "queue"]),
        help="What happens to a run while the previous one is active.",
    ),
    click.option(
        "--recurring-key",
        metavar="KEY",
        help="Your own name for it; using it again changes that call.",
    ),
    call_options,
    talks,
)
_CRON = "Minute, hour, day of month, month, day of week; or @daily and the like."
_ID = click.argument("schedule_id", metavar="ID")


@click.group()
def recurring() -> None:
    """Create, list, change, pause and delete recurring calls."""


@recurring.command()
@click.argument("number")
@click.option("--cron", "cronExpression", required=True, metavar="PATTERN", help=_CRON)
@_options
def create(api: Api, out: Out, *, number: str, **options: Any) -> None:
    """Call a NUMBER again and again; repeating this changes the recurring call."""
    body = {"to": number, **_fields(options)}
    answer = api.post(f"{QUEUE}/schedule-recurring-call", body)
    _report(out, answer, *_runs(answer["nextRuns"]), *_others(answer.get("others")))


@recurring.command()
@_ID
@click.option("--cron", "cronExpression", metavar="PATTERN", help=_CRON)
@_options
def edit(api: Api, out: Out, *, schedule_id: str, **options: Any) -> None:
    """Change a recurring call; options left out stay as they are."""
    changes = _fields(options)
    if not changes:
        raise click.UsageError("Nothing to change: expected at least one option.")
    answer = api.patch(job_path(_named(schedule_id)), changes)
    _report(out, answer, *_runs(answer["nextRuns"]))


@recurring.command("list")
@click.option("--start", type=click.IntRange(0), default=0, help="Skip this many.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True)
@click.option("--number", help="Recurring calls to this number.")
@click.option("--lead-id", metavar="ID", help="Recurring calls about this lead.")
@click.option("--recurring-key", metavar="KEY", help="The recurring call with this key.")
@talks
def list_recurring(api: Api, out: Out, *, start: int, limit: int, **wanted: str | None) -> None:
    """List recurring calls, the next to ring first."""
    page = api.get(f"{QUEUE}/recurring", start=start, end=start + limit - 1, **_fields(wanted))
    rows = [_row(each) for each in page["jobs"]]
    head = ("ID", "STATUS", "TO", "PATTERN", "TIME ZONE", "NEXT RUN (UTC)", "")
    lines = table(head, rows) if rows else ["No recurring calls."]
    if page["total"] > len(rows) and rows:
        lines.append(f"{len(rows):,} of {page['total']:,}")
    out.answer(page, *lines)


@recurring.command()
@_ID
@talks
def show(api: Api, out: Out, *, schedule_id: str) -> None:
    """Show a recurring call with its next and its last runs."""
    found = api.get(job_path(_named(schedule_id)))
    counts = " · ".join(
        f"{found[f'{word}Runs']['count']} {word}" for word in ("fired", "missed", "skipped")
    )
    by = f" by {found['pausedBy']}" if found["pausedBy"] else ""
    out.answer(
        found,
        f"{found['jobId']}  {found['status']}{by}",
        *([f"  key       {found['key']}"] if "key" in found else []),
        f"  to        {found['data']['to']}, {found['priority']} priority",
        f"  says      {printable(found['data']['message'])}",
        *([f"  options   {options}"] if (options := options_of(found["data"])) else []),
        f"  pattern   {found['cronExpression']}  {found['timezone']}",
        f"            {found['description'] or ''}",
        f"  runs      {counts}",
        *_runs(found["nextRuns"]),
        *_last(found["lastRuns"]),
    )


@recurring.command()
@_ID
@talks
def pause(api: Api, out: Out, *, schedule_id: str) -> None:
    """Pause a recurring call until resume; runs in between are skipped."""
    _report(out, api.post(f"{job_path(_named(schedule_id))}/pause"))


@recurring.command()
@_ID
@talks
def resume(api: Api, out: Out, *, schedule_id: str) -> None:
    """Resume a paused recurring call."""
    _report(out, api.post(f"{job_path(_named(schedule_id))}/resume"))


@recurring.command()
@_ID
@talks
def delete(api: Api, out: Out, *, schedule_id: str) -> None:
    """Stop a recurring call for good; cancel its run if it has not started."""
    answer = api.delete(job_path(_named(schedule_id)))
    lines = []
    if answer["cancelledJobs"]:
        lines.append(f"  also cancelled: {', '.join(answer['cancelledJobs'])}")
    if answer["activeJobs"]:
        lines.append(f"  being placed, continues: {', '.join(answer['activeJobs'])}")
    _report(out, answer, *lines)


@recurring.command()
@click.argument("pattern")
@_ZONE
@click.option("--count", "runs", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--from", "from_time", metavar="TIME", help="By default now.")
@talks
def preview(
    api: Api, out: Out, *, pattern: str, timezone: str | None, runs: int, from_time: str | None
) -> None:
    """Show when a PATTERN would ring; nothing is stored."""
    body = {"cronExpression": pattern, "timezone": timezone, "count": runs, "from": from_time}
    found = api.post(f"{QUEUE}/schedule-recurring-call/preview", given(body))
    lines = [f"{found['description']}, {found['timezone']}"]
    lines += [f"  {run['local']}  {moment(run['utc'])} UTC" for run in found["runs"]]
    lines += [
        f"  the clock is moved from {each['from']} to {each['to']}"
        for each in found["clockChanges"]
    ]
    out.answer(found, *lines)


def _fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options given, under the API's field names."""
    found = given(options)
    return {"key" if name == "recurring_key" else name: found[name] for name in found}


def _report(out: Out, answer: Mapping[str, Any], *lines: str) -> None:
    out.answer(answer, f"{answer['jobId']}: {answer['message']}.", *lines)


def _named(schedule_id: str) -> str:
    """``3`` is ``recurring:3``."""
    return f"recurring:{schedule_id.removeprefix('recurring:')}"


def _row(found: Mapping[str, Any]) -> Sequence[str]:
    if "data" not in found:
        return (found["jobId"], found["status"], "-", "-", "-", "-", "stored by another version")
    runs = found["nextRuns"]
    return (
        found["jobId"],
        found["status"],
        found["data"]["to"],
        found["cronExpression"],
        found["timezone"],
        moment(runs[0]) if runs else "-",
        found["data"]["message"],
    )


def _runs(times: Sequence[str]) -> list[str]:
    if not times:
        return ["  no further runs"]
    return [
        f"  {'next' if not index else '':9} {moment(each)} UTC ({relative(each)})"
        for index, each in enumerate(times)
    ]


def _others(others: Mapping[str, Any] | None) -> Iterator[str]:
    if others:
        yield f"  Other recurring calls to this number: {others['total']}:"
        for each in others["jobs"]:
            cells = (each["jobId"], each["cronExpression"], each["timezone"])
            yield "  ".join(
                ["", *cells, f"{moment(each['nextRun'])} UTC", each["key"] or ""]
            ).rstrip()


def _last(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {'last' if not index else '':9} {moment(run['scheduledFor'])} UTC "
        f"{run['state'] or 'no longer in history'}  {run['jobId']}"
        for index, run in enumerate(runs)
    ]
