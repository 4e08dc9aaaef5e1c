"""The document passes a linter of OpenAPI documents, by its strictest set of rules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.servers import missing
from vomind_queue.api.openapi.document import encoded
from vomind_queue.api.openapi.texts import operations

pytestmark = pytest.mark.contract

REDOCLY = ROOT / "node_modules" / ".bin" / "redocly"
CONFIG = Path(__file__).parent / "redocly.yaml"
#: It asks nobody for newer versions, and tells nobody what it does.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


def test_the_document_passes_a_linter(tmp_path: Path) -> None:
    """Neither a fault nor a warning."""
    if not REDOCLY.exists():
        missing("@redocly/cli, from npm, which `make test` installs where npm is,")
    document = tmp_path / "openapi.json"
    document.write_bytes(encoded())
    linted = subprocess.run(
        [REDOCLY, "lint", "--config", CONFIG, document],
        check=False,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "Your API description is valid" in linted.stdout + linted.stderr


def test_who_refuses_nobody_and_who_everybody() -> None:
    """The endpoints for which two of the linter's rules are off, and no others."""
    found = {each.id: {status // 100 for status in each.statuses()} for each in operations()}
    refuses_nobody = {name for name, kinds in found.items() if 4 not in kinds}
    assert refuses_nobody == {"getHealth", "getReadiness", "getDocument"}
    assert {name for name, kinds in found.items() if 2 not in kinds} == {"retryRecurringCall"}
