"""Which pins `make newest` lets go, and how far."""

from __future__ import annotations

import pytest

from tests.newest import FRAMEWORKS, NEEDED, relaxed
from tests.pages import ROOT

PINS = (ROOT / "requirements.in").read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Flask==3.1.3", "Flask>=3.1.3,<4"),
        ("redis==8.1.0  # the queue", "redis>=8.1.0,<9  # the queue"),
        ("twilio==9.13.0", "twilio==9.13.0"),
        ("# What runs", "# What runs"),
    ],
)
def test_a_framework_may_move_within_its_major(line: str, wanted: str) -> None:
    """What else we import stays."""
    assert list(relaxed(line)) == [wanted]


def test_what_is_needed_by_others_moves_with_them() -> None:
    """A newer Celery may ask for a newer billiard."""
    assert list(relaxed(f"{NEEDED}\nbilliard==4.3.2"))[1] == "billiard>=4.3.2,<5"


def test_every_pin_is_read() -> None:
    """In the file that is in force, with the line that parts it."""
    assert NEEDED in PINS.splitlines()
    found = {line.partition(">=")[0].lower() for line in relaxed(PINS) if ">=" in line}
    pinned = {line.partition("==")[0].lower() for line in PINS.splitlines() if "==" in line}
    assert found >= set(FRAMEWORKS) & pinned
