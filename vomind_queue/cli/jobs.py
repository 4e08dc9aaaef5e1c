"""What is done to calls by id: ``cancel``, ``hangup``, ``retry``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from vomind_queue.cli.client import QUEUE, Api, ApiFault, job_path
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import talks
from vomind_queue.cli.output import Out, count

_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_HISTORY = ("completed", "failed")


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
