"""The list of commands: what it says of each is what the command says of itself."""

from __future__ import annotations

import inspect
import subprocess
import sys

import click
import pytest

from devserver.parts import COMMANDS as PROCESSES
from vomind_queue.cli.commands import COMMANDS
from vomind_queue.cli.main import entry
from vomind_queue.cli.run import COMMANDS as STARTED


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    """The one line in the list is the first line of the command's own help."""
    lazy = COMMANDS[name]
    if lazy.hidden:
        pytest.skip("it is not in the list")
    command = lazy.load()
    assert inspect.cleandoc(command.help or "").splitlines()[0] == lazy.help
    assert command.name == name


def test_hidden_names_work_and_are_not_listed() -> None:
    """``run`` is ``up``, as it was called before."""
    context = click.Context(entry)
    assert "run" not in entry.list_commands(context)
    assert entry.get_command(context, "run") is entry.get_command(context, "up")


def test_help_imports_no_command() -> None:
    """Nor what they stand on: the list is there at once."""
    code = (
        "import sys\n"
        "from vomind_queue.cli.main import entry\n"
        "entry.main(['--help'], standalone_mode=False)\n"
        "heavy = {'celery', 'flask', 'redis', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    assert "dead-letters" in done.stdout
    assert done.stderr == "[]\n"


def test_a_slip_in_a_name_is_helped() -> None:
    """The nearest names are offered."""
    with pytest.raises(click.UsageError, match=r"(?s)Did you mean.*status"):
        entry.main(["statsu"], standalone_mode=False)


@pytest.mark.parametrize("name", [name for name in STARTED if name != "up"])
def test_a_command_becomes_what_make_run_starts(name: str) -> None:
    """Both lists name the same programs."""
    assert STARTED[name] == PROCESSES[name]
