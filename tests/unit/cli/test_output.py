"""A stranger's words control no terminal."""

from __future__ import annotations

import click
import pytest

from vomind_queue.cli.client import ApiFault
from vomind_queue.cli.exit_codes import BadFile, ExitCode
from vomind_queue.cli.output import Out, safe, table

#: Sets the title, clears the screen, as 8 bits, reverses what follows, goes back in the line.
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\u202ee\rf\x08"


def test_what_is_printed_for_people_has_no_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither in answers and notes nor in refusals."""
    out = Out(as_json=False)
    out.answer({}, f"lead {HOSTILE}", *table(("A", "B"), [(HOSTILE, HOSTILE)]))
    out.note(HOSTILE)
    ApiFault(HOSTILE, ExitCode.USAGE).show()
    BadFile(HOSTILE).show()
    printed = capsys.readouterr()
    lines = f"{printed.out}{printed.err}".split("\n")
    assert len(lines) == 7
    assert all(line.isprintable() for line in lines)


def test_colours_of_ours_and_the_ends_of_lines_stay() -> None:
    """What people write in other scripts does, too."""
    line = f"{click.style('Call 7', bold=True)}  {click.style('failed', fg='red')}\nnaïve 電話 🙂"
    assert safe(line) == line
