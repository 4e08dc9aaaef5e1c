"""Which tests go to one worker of xdist together."""

from __future__ import annotations

import pytest

from tests.pages import ROOT
from tests.spreading import FIRST, ONE_BY_ONE, TOGETHER, group_of, turn


@pytest.mark.parametrize("path", [*TOGETHER, *ONE_BY_ONE, *FIRST])
def test_what_is_named_is_there(path: str) -> None:
    """A file that was moved is named again."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("tests/browser/test_file.py", "tests/browser/"),
        ("tests/acceptance/web/test_http_server.py", "tests/acceptance/web/test_http_server.py"),
        ("tests/acceptance/devserver/test_run.py", None),
        ("tests/unit/recurring/test_cron.py", "tests/unit/recurring/test_cron.py"),
    ],
)
def test_a_test_goes_with_those_that_share_its_start(path: str, group: str | None) -> None:
    """All of a folder, or all of a file, or each by itself."""
    assert group_of(path) == group


def test_what_takes_longest_is_begun_first() -> None:
    """Minutes, then slow ones by themselves, then groups by size, then what is quick."""
    turns = [
        turn("tests/reference/test_any_request.py", slow=True, together=1),
        turn("tests/browser/test_file.py", slow=False, together=100),
        turn("tests/chaos/test_short.py", slow=True, together=500),
        turn("tests/unit/recurring/test_cron.py", slow=False, together=30),
        turn("tests/unit/rules/test_law.py", slow=True, together=20),
        turn("tests/acceptance/web/test_web.py", slow=False, together=500),
    ]
    assert turns == sorted(turns)
    assert len(set(turns)) == len(turns)
