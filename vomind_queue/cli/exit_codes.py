"""Exit statuses of commands; docs/command-line.md lists them."""

from __future__ import annotations

from enum import IntEnum

import click

from vomind_queue.cli.output import safe


class ExitCode(IntEnum):
    """The exit statuses."""

    #: All was done.
    DONE = 0
    #: Something is left to do, or went wrong; the output says what.
    LEFT = 1
    #: The command line, a file or a value in it is not allowed.
    USAGE = 2
    #: No such job, or no such path.
    NOT_FOUND = 3
    #: The call is in a state that does not allow this.
    REFUSED = 4
    #: The key is missing or wrong.
    NO_KEY = 5
    #: The service, or one that it depends on, is unreachable now; try again.
    UNREACHABLE = 6
    #: The server failed, or is not VoMind Queue.
    FAULT = 7
    #: `doctor` found something that should be fixed …
    ADVICE = 10
    #: … or that must be.
    WRONG = 11
    #: Ended by Ctrl-C (128 and the number of SIGINT, as shells have it).
    INTERRUPTED = 130


class BadFile(click.ClickException):
    """A file, or something in it, that cannot be used; its text says what to do."""

    exit_code = int(ExitCode.USAGE)

    def format_message(self) -> str:
        """Return the text as a terminal may show it: it may have a part of the file."""
        return safe(self.message)


_BY_STATUS = {
    **dict.fromkeys((400, 413, 415, 422), ExitCode.USAGE),
    **dict.fromkeys((401, 403), ExitCode.NO_KEY),
    **dict.fromkeys((404, 405), ExitCode.NOT_FOUND),
    409: ExitCode.REFUSED,
    **dict.fromkeys((429, 502, 503, 504), ExitCode.UNREACHABLE),
}


def of_status(status: int) -> ExitCode:
    """Return the exit code for an HTTP status other than success."""
    return _BY_STATUS.get(status, ExitCode.FAULT)
