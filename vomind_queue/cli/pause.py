"""``pause`` and ``resume``: whether calls start at all."""

from __future__ import annotations

import click

from vomind_queue.cli.client import QUEUE, Api
from vomind_queue.cli.output import Out
from vomind_queue.cli.talking import talks


@click.command()
@talks
def pause(api: Api, out: Out) -> None:
    """Let no call start, on any worker, until resume."""
    answer = api.post(f"{QUEUE}/pause")
    out.answer(answer, "Paused: no call starts until `vomind-queue resume`.")


@click.command()
@talks
def resume(api: Api, out: Out) -> None:
    """Let calls start again."""
    out.answer(api.post(f"{QUEUE}/resume"), "Resumed: calls start again.")
