"""``call`` and ``schedule``: one call, at once or later."""

from __future__ import annotations

import secrets
from typing import Any

import click

from vomind_queue.cli.call_fields import call_options, given, take_call
from vomind_queue.cli.client import QUEUE, Api, ApiFault
from vomind_queue.cli.durations import DURATION
from vomind_queue.cli.following import follow
from vomind_queue.cli.jobs import job_path
from vomind_queue.cli.output import Out, moment, relative
from vomind_queue.cli.talking import talks

_KEY = click.option(
    "--idempotency-key",
    metavar="TEXT",
    help="The same key and the same call within 24 hours are one call. Made up when left out.",
)
_AT = click.option("--at", "at", metavar="TIME", help="When: 2030-11-20T10:00:00+01:00.")
_IN = click.option("--in", "delay_ms", type=DURATION, help="In how long: 90s, 15m, 1h30m, 7d.")
_WAIT = click.option("--wait", is_flag=True, help="Tell how it goes, until it is over.")


@click.command()
@click.argument("number")
@call_options
@_KEY
@_WAIT
@talks
def call(api: Api, out: Out, *, number: str, wait: bool, **options: Any) -> None:
    """Call a NUMBER as soon as its turn comes."""
    key = options.pop("idempotency_key")
    answer = _send(api, "schedule-call", {"to": number, **take_call(options)}, key)
    _told(api, out, answer, f"Call {answer['jobId']} to {number} is in the queue.", wait=wait)


@click.command()
@click.argument("number")
@_AT
@_IN
@call_options
@_KEY
@_WAIT
@talks
def schedule(
    api: Api,
    out: Out,
    *,
    number: str,
    at: str | None,
    delay_ms: int | None,
    wait: bool,
    **options: Any,
) -> None:
    """Call a NUMBER later: --at a time, or --in a while."""
    if (at is None) == (delay_ms is None):
        raise click.UsageError("Say when: either --at or --in.")
    key = options.pop("idempotency_key")
    when = given({"scheduleAt": at, "delayMs": delay_ms})
    body = {"to": number, **when, **take_call(options)}
    answer = _send(api, "schedule-delayed-call", body, key)
    _told(api, out, answer, _due(answer), wait=wait)


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--to", metavar="NUMBER", help="Another number.")
@_AT
@_IN
@call_options
@talks
def edit(api: Api, out: Out, *, job_id: str, **options: Any) -> None:
    """Change what is given of a call that has not begun, and nothing else."""
    named = {"to": "to", "scheduleAt": "at", "delayMs": "delay_ms"}
    changes = given({field: options.pop(name) for field, name in named.items()})
    answer = api.patch(job_path(job_id), {**changes, **take_call(options)})
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
        raise fault.advised(
            "It may have been accepted. To make sure, and never twice, repeat the command with "
            f"--idempotency-key {key}"
        ) from None


def _told(api: Api, out: Out, answer: dict[str, Any], line: str, *, wait: bool) -> None:
    if not wait:
        out.answer(answer, line)
        return
    if not out.as_json:
        click.echo(line)
    follow(api, out, str(answer["jobId"]))
