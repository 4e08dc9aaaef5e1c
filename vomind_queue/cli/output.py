"""Output of commands: a document for programs, lines and tables for people."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from vomind_queue.encoding import readable

#: Gap between two columns.
GAP = "  "
#: The last column is never cut to less.
NARROWEST = 20
#: The colour of each state.
COLOURS: Mapping[str, str] = {
    "waiting": "yellow",
    "delayed": "blue",
    "active": "cyan",
    "completed": "green",
    "failed": "red",
    "cancelled": "magenta",
}
#: What a line has from here: ends of lines, bold, colours, and their end.
_OURS = re.compile(r"(\n|\x1b\[(?:0|1|3[0-7])m)")


class Out:
    """The output of a command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, document: Mapping[str, Any], *lines: str) -> None:
        """Print the document for programs, or the lines for people."""
        if self.as_json:
            click.echo(readable(document))
            return
        for line in lines:
            click.echo(safe(line))

    def note(self, line: str) -> None:
        """Print a note for people on standard error."""
        click.echo(safe(line), err=True)

    def waiting(self, fault: Exception, wait_s: float) -> None:
        """Print that the service is unreachable and will be asked again."""
        self.note(f"\n{fault} Trying again in {wait_s:g} s …")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with aligned columns, the last one cut to the terminal's width."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    room = (
        shutil.get_terminal_size((120, 24)).columns
        - sum(widths[:-1])
        - len(GAP) * (len(widths) - 1)
    )
    widths[-1] = max(min(widths[-1], room), NARROWEST)
    lines = [click.style(_line(head, widths), bold=True)]
    lines += [_line(row, widths) for row in rows]
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [_painted(cell, width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)] + [
        short(cells[-1], widths[-1])
    ]
    return GAP.join(shown).rstrip()


def _painted(cell: str, width: int) -> str:
    text = cell.ljust(width)
    return click.style(text, fg=COLOURS[cell]) if cell in COLOURS else text


def row(name: str, text: str) -> str:
    """Return a line with a label and a text."""
    return f"  {name:11} {text}"


def state(word: str) -> str:
    """Return a state in its colour."""
    return click.style(word, fg=COLOURS.get(word))


def short(text: str, most: int) -> str:
    """Return one line of at most ``most`` characters, without control characters."""
    plain = printable(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def printable(text: str) -> str:
    """Return text from outside without control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def safe(text: str) -> str:
    """Return lines for a terminal, with a blank for whatever it obeys but our own colours.

    They may have parts of a stranger's file, call or answer.
    """
    kept = (each if _OURS.fullmatch(each) else printable(each) for each in _OURS.split(text))
    return "".join(kept)


def moment(text: str | None) -> str:
    """Return an API time as ``2026-11-24 18:06:07`` (UTC)."""
    return text[:19].replace("T", " ") if text else "-"


def ahead_s(text: str) -> float:
    """Return how far ahead a time of the API is, s; negative when it is past."""
    return (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration(seconds: float) -> str:
    """Return the two largest units of a time: ``2h 5m``."""
    left, parts = round(abs(seconds)), []
    for length, unit in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def relative(text: str | None) -> str:
    """Return ``in 5m`` or ``2h ago``."""
    if text is None:
        return "-"
    off_s = ahead_s(text)
    return f"in {duration(off_s)}" if off_s > 0 else f"{duration(off_s)} ago"


def count(number: int, word: str) -> str:
    """Return ``1 call`` or ``2,000 calls``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
