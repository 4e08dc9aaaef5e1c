"""Load the settings from the environment and the ``.env`` file."""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from vomind_queue.config import embedded_access, old_names
from vomind_queue.config.settings import ENV_FILE, VARIABLES, Settings
from vomind_queue.errors import SettingsError

#: A name this similar to a setting counts as misspelt (`difflib`'s ratio).
_MISSPELT = 0.85
_OURS = tuple(variable.name for variable in VARIABLES)


def load() -> Settings:
    """Return the settings from the ``.env`` file, if there is one, and the environment, which wins.

    ``VOMIND_ENV_FILE`` names another file; set but empty, none is read. Raise SettingsError.
    """
    return with_password(Settings.from_env(environment_with_file(os.environ)))


def with_password(settings: Settings) -> Settings:
    """Return the settings with the embedded server's password in its address, once it has one."""
    password = embedded_access.password(settings.data_dir) if settings.embedded else None
    if password is None:
        return settings
    parts = urlsplit(settings.redis_url)
    address = f":{password}@{parts.netloc.rpartition('@')[2]}"
    return replace(settings, redis_url=parts._replace(netloc=address).geturl())


def load_or_exit() -> Settings:
    """Return what `load` returns; exit with one line and status 1 if it raises."""
    try:
        return load()
    except SettingsError as error:
        sys.exit(str(error))


def environment_with_file(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` merged over the ``.env`` file, under present names."""
    path = environ.get(ENV_FILE.name, ENV_FILE.default)
    found = _with_present_names(_without_links(environ))
    if not path:
        return found
    if ENV_FILE.name in environ and not Path(path).is_file():
        raise SettingsError(f"Invalid {ENV_FILE.name} ({path!r}): expected a file that exists.")
    return _with_present_names(_read(Path(path))) | found


def _read(path: Path) -> dict[str, str]:
    """Return what a file sets; an empty mapping if there is no file. Raise SettingsError."""
    if not (path.exists() or path.is_symlink()):
        return {}
    if not path.is_file():
        raise SettingsError(f"Invalid settings file {path}: expected a regular file.")
    try:
        # Editors on Windows write a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"Invalid settings file {path}: expected text in UTF-8.") from None
    # Not interpolated: a password may contain a dollar sign.
    given: dict[str, str] = {}
    for line in parse_stream(io.StringIO(text)):
        if line.error or (line.key and line.value is None):
            # Otherwise the default would silently apply. The text may be a secret.
            raise SettingsError(
                f"Invalid line {line.original.line} of {path}: expected NAME=value with any "
                "quotes closed, a comment, or nothing."
            )
        if line.key:
            _check_name(line.key, path)
            given[line.key] = line.value or ""
    return given


def _check_name(name: str, path: Path) -> None:
    """Raise SettingsError for a misspelt name: the default would silently apply."""
    if name in _OURS or name in old_names.VARIABLES:
        return
    for meant in difflib.get_close_matches(name.upper(), _OURS, n=1, cutoff=_MISSPELT):
        raise SettingsError(f"Unknown setting {name} in {path}; did you mean {meant}?")


def _with_present_names(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` under present names; print a line for each name of an earlier version."""
    found, warnings = old_names.translate(environ)
    for warning in warnings:
        sys.stderr.write(f"{warning}\n")
    return found


def _without_links(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without the addresses that Kubernetes sets for its services.

    A service named ``redis`` makes it set ``REDIS_PORT=tcp://10.0.0.1:6379`` in every pod
    (https://kubernetes.io/docs/tutorials/services/connect-applications-service/).
    """
    links = {name for name, text in environ.items() if name in _OURS and text.startswith("tcp://")}
    for name in sorted(links):
        sys.stderr.write(f"{name} ignored: its value is the address of a Kubernetes service\n")
    return {name: text for name, text in environ.items() if name not in links}
