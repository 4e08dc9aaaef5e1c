"""``failures``: why calls failed, by kind."""

from __future__ import annotations

import click

from vomind_queue.cli.client import QUEUE, Api
from vomind_queue.cli.output import Out, table
from vomind_queue.cli.talking import talks


@click.command()
@talks
def failures(api: Api, out: Out) -> None:
    """Show why calls failed, by kind.

    `vomind-queue retry --reason KIND` lets those of one kind wait again.
    """
    found = api.get(f"{QUEUE}/failed/reasons")
    rows = [(each["kind"], f"{each['count']:,}", each["example"]) for each in found["reasons"]]
    lines = table(("KIND", "CALLS", "THE LAST ONE"), rows) if rows else ["No failed calls."]
    out.answer(found, *lines)
