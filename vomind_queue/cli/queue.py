"""The queue as a whole: ``status``, ``failures``, ``pause``, ``resume``, ``clean``."""

from __future__ import annotations

import click

from vomind_queue.cli.client import OVERVIEW, QUEUE, Api
from vomind_queue.cli.exit_codes import ExitCode
from vomind_queue.cli.options import duration, talks
from vomind_queue.cli.output import Out, count, table
from vomind_queue.cli.status_board import STOPPED, board


@click.command()
@talks
def status(api: Api, out: Out) -> None:
    """Show whether calls are going out and, if not, why and what to do.

    Exits with 1 if calls stay held until something is fixed, here or at Twilio.
    """
    shown = api.get(OVERVIEW)
    out.answer(shown, *board(shown, api.url))
    if shown["state"] in STOPPED:
        raise SystemExit(ExitCode.LEFT)


@click.command()
@talks
def failures(api: Api, out: Out) -> None:
    """Count failed calls by the reason for their failure.

    `vomind-queue retry --reason KIND` puts those of one kind back in the queue.
    """
    found = api.get(f"{QUEUE}/failed/reasons")
    rows = [(each["kind"], f"{each['count']:,}", each["example"]) for each in found["reasons"]]
    lines = table(("KIND", "CALLS", "LATEST"), rows) if rows else ["No failed calls."]
    out.answer(found, *lines)


@click.command()
@click.option("--reason", metavar="TEXT", help="Why, shown to everybody until resume.")
@talks
def pause(api: Api, out: Out, *, reason: str | None) -> None:
    """Stop all workers from starting calls until resume."""
    answer = api.post(f"{QUEUE}/pause", {"reason": reason} if reason else None)
    out.answer(answer, "Paused: no call starts until `vomind-queue resume`.")


@click.command()
@talks
def resume(api: Api, out: Out) -> None:
    """Let workers start calls again."""
    out.answer(api.post(f"{QUEUE}/resume"), "Resumed: calls start again.")


@click.command()
@click.option(
    "--older-than",
    type=duration,
    default="1h",
    show_default=True,
    help="Finished at least this long ago.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1_000,
    show_default=True,
    help="At most this many, the oldest first.",
)
@click.option("--dry-run", is_flag=True, help="Report what would be removed, and remove nothing.")
@talks
def clean(api: Api, out: Out, *, older_than: int, limit: int, dry_run: bool) -> None:
    """Remove finished calls from history; the call log keeps them.

    Calls that are waiting, delayed or being placed are never touched.
    """
    asked = {"grace": older_than, "limit": limit}
    if dry_run:
        seen = api.post(f"{QUEUE}/clean/preview", asked)
        old = f"{seen['completed']:,} completed and {seen['failed']:,} failed calls are that old"
        out.answer(seen, f"{count(seen['total'], 'call')} would be removed; {old}.")
        return
    answer = api.post(f"{QUEUE}/clean", asked)
    completed, failed = len(answer["completedCleaned"]), len(answer["failedCleaned"])
    out.answer(
        answer,
        f"{count(completed + failed, 'call')} removed: {completed} completed, {failed} failed.",
    )
