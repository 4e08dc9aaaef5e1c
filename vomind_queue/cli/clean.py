"""``clean``: finished calls leave the queue's history."""

from __future__ import annotations

import click

from vomind_queue.cli.client import QUEUE, Api
from vomind_queue.cli.durations import DURATION
from vomind_queue.cli.output import Out, count
from vomind_queue.cli.talking import talks


@click.command()
@click.option(
    "--older-than",
    type=DURATION,
    default="1h",
    show_default=True,
    help="Finished so long ago, or longer.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1_000,
    show_default=True,
    help="As many at most, the oldest first.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would remove, and remove nothing.")
@talks
def clean(api: Api, out: Out, *, older_than: int, limit: int, dry_run: bool) -> None:
    """Remove finished calls from history; the call log keeps them.

    Calls that wait, are delayed or are being placed are never touched.
    """
    asked = {"grace": older_than, "limit": limit}
    if dry_run:
        seen = api.post(f"{QUEUE}/clean/preview", asked)
        old = f"{seen['completed']:,} completed and {seen['failed']:,} failed calls are as old"
        out.answer(seen, f"{count(seen['total'], 'call')} would be removed; {old}.")
        return
    answer = api.post(f"{QUEUE}/clean", asked)
    completed, failed = len(answer["completedCleaned"]), len(answer["failedCleaned"])
    out.answer(
        answer,
        f"{count(completed + failed, 'call')} removed: {completed} completed, {failed} failed.",
    )
