"""How commands that work on Redis and the call log themselves begin, and how a fault ends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vomind_queue import log
from vomind_queue.config.loading import load
from vomind_queue.config.settings import Settings
from vomind_queue.errors import VomindError


def configured() -> Settings:
    """The settings, with the log set up by them. Raises SettingsError."""
    settings = load()
    log.configure(settings)
    return settings


@contextmanager
def told() -> Iterator[None]:
    """A fault that is not the command's own ends it with one line and status 1."""
    try:
        yield
    except VomindError as error:
        raise SystemExit(str(error)) from None
