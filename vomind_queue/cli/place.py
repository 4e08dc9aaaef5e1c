"""``call``, ``schedule`` and ``edit``: one call, at once or later."""

from __future__ import annotations

import secrets
from typing import Any

import click

from vomind_queue.cli.client import QUEUE, Api, ApiFault
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.jobs import follow, job_path
from vomind_queue.cli.options import call_options, duration, given, talks, together
from vomind_queue.cli.output import Out, moment, relative

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
def call(api: Api, out: Out, **options: Any) -> None:
    """Call a NUMBER as soon as its turn comes."""
    _place(api, out, "schedule-call", **options)


@click.command()
@click.argument("number")
@_when
@_options
def schedule(api: Api, out: Out, **options: Any) -> None:
    """Call a NUMBER later: --at a time, or --in a while."""
    if (options["scheduleAt"] is None) == (options["delayMs"] is None):
        raise click.UsageError("Say when: either --at or --in.")
    _place(api, out, "schedule-delayed-call", **options)


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
    due = answer.get("scheduledFor")
    when = f"is due {moment(due)} UTC ({relative(due)})" if due else "is in the queue"
    return f"Call {answer['jobId']} to {answer['data']['to']} {when}."


def _place(api: Api, out: Out, path: str, *, number: str, wait: bool, **options: Any) -> None:
    """Schedule once; raise ApiFault that says how to send it again without a second call."""
    key = options.pop("idempotency_key") or f"cli-{secrets.token_urlsafe(12)}"
    try:
        body = {"to": number, **given(options)}
        answer = api.post(f"{QUEUE}/{path}", body, **{"Idempotency-Key": key})
    except ApiFault as fault:
        if not fault.sent:
            raise
        text = (
            f"{fault.message}\nIt may have been accepted. To make sure, and never twice, repeat "
            f"the command with --idempotency-key {key}"
        )
        raise ApiFault(text, ExitCode(fault.exit_code), problem=fault.problem) from None
    if not (wait and out.as_json):
        out.answer(answer, _due(answer))
    if wait:
        follow(api, out, str(answer["jobId"]))
