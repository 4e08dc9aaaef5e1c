"""What a web process brings into memory."""

from __future__ import annotations

import json
import subprocess
import sys

#: Each serving process would hold them, and start later for them.
UNASKED = ("twilio.rest", "requests", "celery.app", "supabase")


def test_it_brings_nothing_that_it_never_asks() -> None:
    """Neither Twilio's client nor Celery, and the call log's libraries only where they are used."""
    code = (
        "import json, sys, vomind_queue.processes.application\n"
        f"print(json.dumps([name for name in {UNASKED!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=200
    )
    assert json.loads(done.stdout) == []
