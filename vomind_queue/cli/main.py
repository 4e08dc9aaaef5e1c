"""The entry point, and the options that every command shares."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from vomind_queue import __version__
from vomind_queue.cli.commands import LazyGroup
from vomind_queue.cli.exit_codes import ExitCode

#: Key in the context: whether standard output is for a program.
_WANTS_JSON = f"{__name__}.json"


class _Root(LazyGroup):
    """End cleanly on Ctrl-C at any point; print errors as JSON if that was requested."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether JSON is wanted, even if no command is reached."""
        ctx.meta[_WANTS_JSON] = "--json" in args
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.ClickException as fault:
            # A refusal of the API is printed as the API's own document.
            if ctx.meta[_WANTS_JSON] and not hasattr(fault, "document"):
                document = {"success": False, "error": fault.format_message(), "status": None}
                click.echo(json.dumps({**document, "exitCode": fault.exit_code}))
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo(err=True)
            ctx.exit(ExitCode.INTERRUPTED)


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="VOMIND_URL", hidden=True)
@click.option("--key", envvar="VOMIND_KEY", hidden=True)
@click.option("--json", "as_json", is_flag=True, hidden=True)
@click.version_option(__version__, message="vomind-queue %(version)s", help="Show the version.")
@click.pass_context
def entry(context: click.Context, /, **_: Any) -> None:
    """VoMind Queue: schedule phone calls, follow them, and run the service.

    Most commands talk to the API at VOMIND_URL, with the key in VOMIND_KEY.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """Run the command that the arguments of the process name."""
    name = Path(sys.argv[0]).name
    entry.main(prog_name=name if name.startswith("vomind") else "vomind-queue")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print the completion script for a SHELL.

    In bash: source <(vomind-queue completion bash)
    """
    root = context.find_root()
    name = root.info_name or "vomind-queue"
    variable = f"_{re.sub(r'[^A-Z]', '_', name.upper())}_COMPLETE"
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} cannot be completed.")
    click.echo(kind(root.command, {}, name, variable).source())
