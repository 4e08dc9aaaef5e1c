"""Whatever the document allows is taken, whatever it forbids is refused, and as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.pages import ROOT
from tests.stack import Stack, until
from tests.twilio import REACHED

#: At random for each endpoint, beside those that its parameters ask for by themselves.
CASES = 100
KEY = "Bearer secret"
#: The same requests each time, unless others are asked for.
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")


# The requests at random of --full took over a quarter of an hour on a busy machine.
@pytest.mark.timeout(3_600)
@pytest.mark.slow
@pytest.mark.randomised
def test_two_thousand_requests_find_nothing(stack: Stack, tmp_path: Path, full: bool) -> None:
    """Those that the document asks for by itself, with --full others at random, by schemathesis.

    Against real processes that placed a call; with one worker, as more crash CPython 3.11.
    """
    phases = "examples,coverage" + ",fuzzing" * full
    stack.settings |= {
        **REACHED,
        "API_KEYS": "ops:secret",
        "OVERRIDE_KEYS": "ops",
        "TWIML_HOSTS": "agents.example.com",
    }
    stack.start_all()
    stack.start("shipper")
    stack.start("beat").wait_for("scheduler leads")
    _use(stack)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{stack.web_url}/openapi.json"),
            # It does not resolve the document's relative address of the service.
            *("--url", stack.web_url),
            *("--header", f"Authorization: {KEY}", "--workers", "1", "--seed", SEED),
            *("--phases", phases, "--max-examples", str(CASES), "--request-timeout", "60"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.reference.hooks",
            # Else the whole environment is searched for a proxy, several times for each request.
            "NO_PROXY": "127.0.0.1",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated
    assert int(generated[1]) >= 2_000


def _use(stack: Stack) -> None:
    """Have a call placed and logged, and another one recur; then pause the queue."""
    client = requests.Session()
    client.headers["Authorization"] = KEY
    called = {"to": "+1234567890"}
    recurring = {**called, "cronExpression": "@daily"}
    asked = client.post(f"{stack.queue_url}/schedule-call", json=called, timeout=30)
    client.post(
        f"{stack.queue_url}/schedule-recurring-call", json=recurring, timeout=30
    ).raise_for_status()
    log = f"{stack.web_url}/api/calls/{asked.json()['jobId']}"

    def logged() -> bool:
        shown = client.get(log, timeout=30)
        return shown.ok and "completed" in [each["event"] for each in shown.json()["events"]]

    until(logged, within_s=90, what="the call log has the call")
    client.post(f"{stack.queue_url}/pause", timeout=30).raise_for_status()
