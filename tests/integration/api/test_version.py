"""The version that a person or a monitor is told is that of the newest release."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.integration.api.conftest import Api
from tests.pages import ROOT
from vomind_queue import __version__


def test_the_process_reports_its_version(api: Api) -> None:
    """GET /healthz names it."""
    assert api.web.get("/healthz").get_json()["version"] == __version__


def test_the_command_line_reports_its_version() -> None:
    """`vomind-queue --version` prints it."""
    command = Path(sys.executable).with_name("vomind-queue")
    run = subprocess.run(
        [command, "--version"], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout == f"vomind-queue {__version__}\n"


def test_the_changelog_begins_with_this_version() -> None:
    """The newest release in CHANGELOG.md is what runs."""
    found = re.findall(r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", read("CHANGELOG.md"), re.MULTILINE)
    assert found[0] == __version__


def read(name: str) -> str:
    """Return the text of a file at the root."""
    return (ROOT / name).read_text(encoding="utf-8")
