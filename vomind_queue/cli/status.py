"""``status``: does it call, and if not, why and what to do."""

from __future__ import annotations

import click

from vomind_queue.cli.board import board
from vomind_queue.cli.client import OVERVIEW, Api
from vomind_queue.cli.endings import Ending
from vomind_queue.cli.output import Out
from vomind_queue.cli.talking import talks


@click.command()
@talks
def status(api: Api, out: Out) -> None:
    """Show how the queue stands: is it calling, and if not, why and what to do.

    Ends with 1 when calls do not go out until something is put right.
    """
    shown = api.get(OVERVIEW)
    out.answer(shown, *board(shown, api.url))
    if shown["level"] == "error":
        raise SystemExit(Ending.LEFT)
