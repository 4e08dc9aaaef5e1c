"""``completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import re

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print the completion for a SHELL.

    In bash: source <(vomind-queue completion bash)
    """
    root = context.find_root()
    name = root.info_name or "vomind-queue"
    variable = f"_{re.sub(r'[^A-Z]', '_', name.upper())}_COMPLETE"
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} cannot be completed.")
    click.echo(kind(root.command, {}, name, variable).source())
