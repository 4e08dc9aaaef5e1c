"""What `--portable` takes away, and that it does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.portable.__main__ import LIST, linux_only
from tests.stack import PORTABLE

_GONE = {
    "a name": "import os; os.pidfd_open",
    "a clock": "import time; time.CLOCK_BOOTTIME",
    "an option of a socket": "import socket; socket.TCP_USER_TIMEOUT",
    "a selector": "import selectors; selectors.EpollSelector",
    "prctl": "import ctypes; ctypes.CDLL(None).prctl",
    "/proc": "open('/proc/self/status')",
    "an abstract address": "import socket; socket.socket(socket.AF_UNIX).bind('\\0here')",
    "the platform": "import sys; assert sys.platform == 'linux'",
}


def test_the_list_is_typesheds() -> None:
    """A newer typeshed may know more: ``python -m tests.portable`` writes it."""
    assert json.loads(LIST.read_text("utf-8")) == linux_only()


@pytest.mark.parametrize("code", _GONE.values(), ids=_GONE)
def test_it_is_taken_away(code: str) -> None:
    """In a process as the suite starts them; without that each of these is there."""
    here = [sys.executable, "-c", code]
    assert subprocess.run(here, env={}, check=False, capture_output=True).returncode == 0
    assert subprocess.run(here, env=PORTABLE, check=False, capture_output=True).returncode == 1
