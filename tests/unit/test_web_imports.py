"""What a web process brings into memory."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["twilio.rest", "requests", "celery.app", "supabase"])
def test_it_brings_nothing_that_it_never_asks(library: str) -> None:
    """Each serving process would hold it, and start later for it."""
    code = f"import sys, vomind_queue.application; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
