"""``watch``: the same, live; in a terminal on a screen of its own, else a line for each change."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from types import FrameType
from typing import Any

import click

from vomind_queue.cli.board import board, one_line
from vomind_queue.cli.client import OVERVIEW, Api, ApiFault, document
from vomind_queue.cli.endings import Ending
from vomind_queue.cli.output import Out
from vomind_queue.cli.talking import talks
from vomind_queue.encoding import readable

#: The other screen that terminals have, without a cursor; and back.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
#: To the corner; the rest of a line; the rest of the screen.
_HOME, _LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


class _Look:
    """Asks again and again; what has not changed is not sent again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tag: str | None = None
        self.shown: dict[str, Any] | None = None

    def again(self) -> bool:
        """Whether anything has changed. Raises ApiFault."""
        headers = {"If-None-Match": self._tag} if self._tag else {}
        answer = self._api.ask("GET", OVERVIEW, headers=headers)
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return False
        self.shown, self._tag = document(answer), answer.headers.get("ETag")
        return True


@click.command()
@click.option(
    "-n",
    "--interval",
    type=click.FloatRange(0.2, 3600),
    default=1.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--count", "looks", type=click.IntRange(1), help="End after so many looks.")
@talks
def watch(api: Api, out: Out, *, interval: float, looks: int | None) -> None:
    """Show how the queue stands, live, until Ctrl-C.

    Where standard output is no terminal, there is a line for each change.
    """
    look = _Look(api)
    screen = sys.stdout.isatty() and not out.as_json
    # What is wrong from the beginning ends it; later it is waited for.
    look.again()
    with _screen() if screen else suppress(KeyboardInterrupt):
        turn = _frames(look, api.url) if screen else _changes(look, out)
        for number, _ in enumerate(turn, 1):
            if looks is not None and number >= looks:
                return
            time.sleep(interval)


def _frames(look: _Look, url: str) -> Iterator[None]:
    trouble = ""
    while True:
        if look.shown is not None:
            now = f"{datetime.now(UTC):%H:%M:%S} UTC, Ctrl-C ends"
            _draw([*board(look.shown, url), "", trouble or now])
        yield
        trouble = _again(look)[1]


def _changes(look: _Look, out: Out) -> Iterator[None]:
    """Times that pass by themselves are no change for people; programs get every document."""
    changed, trouble, told = True, "", ("", "")
    while True:
        line = one_line(look.shown) if look.shown else ""
        if out.as_json and changed:
            click.echo(readable(look.shown))
        elif not out.as_json and line != told[0]:
            click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}  {line}")
        if trouble and trouble != told[1]:
            out.note(trouble)
        told = (line, trouble)
        sys.stdout.flush()
        yield
        changed, trouble = _again(look)


def _again(look: _Look) -> tuple[bool, str]:
    try:
        return look.again(), ""
    except ApiFault as fault:
        if not fault.passing:
            raise
        return False, fault.message


def _draw(lines: Sequence[str]) -> None:
    rows = shutil.get_terminal_size().lines
    shown = [f"{line}{_LINE}" for line in lines[: rows - 1]]
    click.echo(_HOME + "\n".join(shown) + _REST, nl=False)
    sys.stdout.flush()


@contextmanager
def _screen() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, _stop)
    # Not through click: these are no colours, and wanted with NO_COLOR, too.
    sys.stdout.write(_ENTER)
    try:
        yield
    except KeyboardInterrupt:
        # The ordinary way to end it.
        pass
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(Ending.INTERRUPTED)
