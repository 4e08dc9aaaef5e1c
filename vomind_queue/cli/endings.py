"""With which status a command ends; docs/command-line.md has them for people."""

from __future__ import annotations

from enum import IntEnum

import click


class Ending(IntEnum):
    """The exit statuses."""

    #: All was done.
    DONE = 0
    #: Something is left to be done, or was not as it should be; the output says what.
    LEFT = 1
    #: The command line, a file or a value in it is not allowed.
    USAGE = 2
    #: There is no such job, or no such path.
    NOT_FOUND = 3
    #: The call is in a state that does not allow this.
    REFUSED = 4
    #: The key is missing or wrong.
    NO_KEY = 5
    #: The service, or what it stands on, cannot be reached now; try again.
    UNREACHABLE = 6
    #: What answers has a fault of its own, or is not VoMind Queue.
    FAULT = 7
    #: `doctor` found something that should be put right …
    ADVICE = 10
    #: … or that must be.
    WRONG = 11
    #: Ended by Ctrl-C (128 and the number of SIGINT, as shells have it).
    INTERRUPTED = 130


class BadFile(click.ClickException):
    """A file, or something in it, that cannot be used; its text says what to do."""

    exit_code = int(Ending.USAGE)


_BY_STATUS = {
    400: Ending.USAGE,
    401: Ending.NO_KEY,
    403: Ending.NO_KEY,
    404: Ending.NOT_FOUND,
    405: Ending.NOT_FOUND,
    409: Ending.REFUSED,
    413: Ending.USAGE,
    415: Ending.USAGE,
    422: Ending.USAGE,
    429: Ending.UNREACHABLE,
    502: Ending.UNREACHABLE,
    503: Ending.UNREACHABLE,
    504: Ending.UNREACHABLE,
}


def of_status(status: int) -> Ending:
    """The ending for an HTTP status that is no success."""
    return _BY_STATUS.get(status, Ending.FAULT)
