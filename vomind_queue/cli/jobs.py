"""``cancel`` and ``retry``: one call or many, by their ids."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import click

from vomind_queue.cli.client import QUEUE, Api, ApiFault
from vomind_queue.cli.endings import Ending
from vomind_queue.cli.output import Out, count
from vomind_queue.cli.talking import talks

_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_HISTORY = ("completed", "failed")


@click.command()
@_IDS
@click.option("--remove", is_flag=True, help="Take finished calls out of history, too.")
@talks
def cancel(api: Api, out: Out, *, ids: tuple[str, ...], remove: bool) -> None:
    """Take calls out of the queue; once it says so, they are never placed.

    "-" reads the ids from standard input. A finished call is left alone without --remove, for
    cancelling it takes it out of history. A recurring call (recurring:1) is stopped for good.
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
        raise ApiFault(f"It has {state}; --remove takes it out of history.", Ending.REFUSED)


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--failed", is_flag=True, help="All failed calls.")
@click.option(
    "--reason", metavar="KIND", help="All that failed for one reason: see `vomind-queue failures`."
)
@talks
def retry(api: Api, out: Out, *, ids: tuple[str, ...], failed: bool, reason: str | None) -> None:
    """Let failed calls wait again, with a full set of attempts.

    By their ids ("-" reads them from standard input), or all of one --reason, or all --failed.
    """
    if bool(ids) + failed + (reason is not None) != 1:
        raise click.UsageError("Name calls, or a --reason, or say --failed.")
    if not ids:
        _retry_many(api, out, reason)
        return

    def one(job_id: str) -> tuple[dict[str, Any], str]:
        return api.post(f"{job_path(job_id)}/retry"), f"{job_id}: waits again"

    _each(out, ids, one)


def _retry_many(api: Api, out: Out, reason: str | None) -> None:
    """One request: asked again in a loop, calls that fail again at once would never end it."""
    answer = api.post(f"{QUEUE}/retry-failed", {"reason": reason})
    number = answer["count"]
    lines = [f"{count(number, 'call')} {'waits' if number == 1 else 'wait'} again."]
    if answer["more"]:
        lines.append("More are left: repeat the command.")
    out.answer(answer, *lines)


def job_path(job_id: str) -> str:
    """Where a job is."""
    return f"{QUEUE}/job/{quote(job_id, safe=':')}"


def _each(out: Out, ids: Sequence[str], one: Callable[[str], tuple[dict[str, Any], str]]) -> None:
    """Does all of them; what is refused does not hold up the rest.

    Ends the command as the first refusal has it; what cannot be reached ends it at once. With
    ``--json`` there is a line for each.
    """
    first: ApiFault | None = None
    for job_id in _given(ids):
        try:
            document, line = one(job_id)
            out.answer(document, line)
        except ApiFault as fault:
            if fault.exit_code not in (Ending.NOT_FOUND, Ending.REFUSED):
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
