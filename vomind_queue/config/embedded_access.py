"""Keep the embedded server's password in a configuration file in the data directory.

Other users of the machine can reach the server's port, but not that directory. The server reads
the file itself, so that no process list shows the password.
"""

from __future__ import annotations

from pathlib import Path

_DIRECTIVE = "requirepass "


def directory(data_dir: Path) -> Path:
    """Return where the embedded server keeps its files."""
    return (data_dir / "valkey").resolve()


def file(data_dir: Path) -> Path:
    """Return the file that the server reads the password from."""
    return directory(data_dir) / "access.conf"


def line(password: str) -> str:
    """Return the file's text for a password without white space."""
    return f"{_DIRECTIVE}{password}\n"


def password(data_dir: Path) -> str | None:
    """Return the password; ``None`` if there is none yet, or we may not read it."""
    try:
        text = file(data_dir).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    found = text.removeprefix(_DIRECTIVE).strip()
    return found if found and text == line(found) else None
