"""All commands, each imported when it is asked for: a new one has its line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import click
from click_didyoumean import DYMGroup

#: By these entry points other distributions add commands.
ADDED_BY = "vomind_queue.commands"

#: In the order in which ``--help`` shows them: the name, the module of that name's command, and
#: the first line of the command's own help, so that the list imports none of them.
_TABLE = """
up run Run the whole stack on this machine until Ctrl-C.
doctor doctor Look at Redis, Twilio, callbacks and the call log, and say what to do.
web run Serve the API, and nothing else, until Ctrl-C.
worker run Place calls until Ctrl-C.
beat run Let recurring calls fall due until Ctrl-C.
shipper run Deliver to the call log until Ctrl-C.
flower run Serve Flower, Celery's page of workers and tasks, until Ctrl-C.
call place Call a NUMBER as soon as its turn comes.
schedule place Call a NUMBER later: --at a time, or --in a while.
bulk bulk.command Schedule the calls in a FILE: CSV with a header, or JSON lines.
status queue Show how the queue stands: is it calling, and if not, why and what to do.
watch status_board Show how the queue stands, live, until Ctrl-C.
list list_calls Show calls: those of one STATE, in the queue's order; or any, the newest first.
show jobs Show a call: where it is, why it has not rung yet, and its story.
edit place Change what is given of a call that has not begun, and nothing else.
cancel jobs Take calls out of the queue; once it says so, they are never placed.
failures queue Show why calls failed, by kind.
retry jobs Let failed calls wait again, with a full set of attempts.
recurring recurring Create, list, change, pause and delete recurring calls.
pause queue Let no call start, on any worker, until resume.
resume queue Let calls start again.
clean queue Remove finished calls from history; the call log keeps them.
export list_calls Write the calls of the log, the newest first, as CSV or as JSON lines.
forget admin Take a phone NUMBER out of queue, history and call log.
dead-letters admin Show the lines that the call log refused, with its reasons; never a number.
completion main Print the completion for a SHELL.
settings admin Write .env.example and the table in docs/settings.md, below the working directory.
"""


class Lazy(NamedTuple):
    """Where a command is, and what is said of it in the list."""

    #: Module, a colon, and the name of the command in it.
    place: str
    help: str
    #: Whether it is another name for a command in the list.
    hidden: bool = False

    def load(self) -> click.Command:
        """Return the command itself."""
        module, _, name = self.place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is no command")
        return command


def _read(line: str) -> tuple[str, Lazy]:
    name, module, said = line.split(" ", 2)
    attribute = {"list": "list_calls"}.get(name, name.replace("-", "_"))
    return name, Lazy(f"{__package__}.{module}:{attribute}", said)


COMMANDS: Mapping[str, Lazy] = dict(map(_read, _TABLE.strip().splitlines()))
COMMANDS = {**COMMANDS, "run": COMMANDS["up"]._replace(help="The same as up.", hidden=True)}


class LazyGroup(DYMGroup):
    """These commands and those of other distributions, which are looked up where ours end."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the table, which goes from the frequent to the rare."""
        return [name for name, lazy in _all().items() if not lazy.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name."""
        lazy = COMMANDS.get(cmd_name) or _all().get(cmd_name)
        return lazy.load() if lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        known = _all()
        with formatter.section("Commands"):
            formatter.write_dl([(name, known[name].help) for name in self.list_commands(ctx)])


def _all() -> Mapping[str, Lazy]:
    return {**COMMANDS, **{each.name: _added(each) for each in entry_points(group=ADDED_BY)}}


def _added(point: EntryPoint) -> Lazy:
    return Lazy(point.value, point.dist.metadata["Summary"] if point.dist else "")
