"""``call``, ``schedule`` and ``edit``: one call, at once or later."""

from __future__ import annotations

import secrets
from typing import Any

import click

from vomind_queue.cli.client import QUEUE, Api, ApiFault
from vomind_queue.cli.endings import Ending
from vomind_queue.cli.jobs import follow, job_path
from vomind_queue.cli.output import Out, moment, relative
from vomind_queue.cli.talking import call_options, duration, given, talks, together

_when = together(
    click.option("--at", "scheduleAt", metavar="TIME", help="When: 2030-11-20T10:00:00+01:00."),
    click.option("--in", "delayMs", type=duration, help="In how long: 90s, 15m, 1h30m, 7d."),
)
_options = together(
    call_options,
    click.option(
        "--idempotency-key",
        metavar="TEXT",
        help="The same key and the same call within 24 hours are one call. Made up when left out.",
    ),
    click.option("--wait", is_flag=True, help="Tell how it goes, until it is over."),
    talks,
)


@click.command()
@click.argument("number")
@_options
def call(
    api: Api, out: Out, *, number: str, idempotency_key: str | None, wait: bool, **options: Any
) -> None:
    """Call a NUMBER as soon as its turn comes."""
    answer = _send(api, "schedule-call", {"to": number, **given(options)}, idempotency_key)
    _told(api, out, answer, f"Call {answer['jobId']} to {number} is in the queue.", wait=wait)


@click.command()
@click.argument("number")
@_when
@_options
def schedule(
    api: Api, out: Out, *, number: str, idempotency_key: str | None, wait: bool, **options: Any
) -> None:
    """Call a NUMBER later: --at a time, or --in a while."""
    if (options["scheduleAt"] is None) == (options["delayMs"] is None):
        raise click.UsageError("Say when: either --at or --in.")
    body = {"to": number, **given(options)}
    answer = _send(api, "schedule-delayed-call", body, idempotency_key)
    _told(api, out, answer, _due(answer), wait=wait)


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--to", metavar="NUMBER", help="Another number.")
@_when
@call_options
@talks
def edit(api: Api, out: Out, *, job_id: str, **options: Any) -> None:
    """Change what is given of a call that has not begun, and nothing else."""
    answer = api.patch(job_path(job_id), given(options))
    out.answer(answer, _due(answer))


def _due(answer: dict[str, Any]) -> str:
    due = answer["scheduledFor"]
    when = f"is due {moment(due)} UTC ({relative(due)})" if due else "is in the queue"
    return f"Call {answer['jobId']} to {answer['data']['to']} {when}."


def _send(api: Api, path: str, body: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Schedules once; raises ApiFault that says how to send it again without a second call."""
    key = key or f"cli-{secrets.token_urlsafe(12)}"
    try:
        return api.post(f"{QUEUE}/{path}", body, **{"Idempotency-Key": key})
    except ApiFault as fault:
        if not fault.sent:
            raise
        text = (
            f"{fault.message}\nIt may have been accepted. To make sure, and never twice, repeat "
            f"the command with --idempotency-key {key}"
        )
        raise ApiFault(text, Ending(fault.exit_code), problem=fault.problem) from None


def _told(api: Api, out: Out, answer: dict[str, Any], line: str, *, wait: bool) -> None:
    if not wait:
        out.answer(answer, line)
        return
    if not out.as_json:
        click.echo(line)
    follow(api, out, str(answer["jobId"]))
