"""Which tests go to one worker of xdist together."""

from __future__ import annotations

import pytest

from tests.pages import ROOT
from tests.spreading import ONE_BY_ONE, TOGETHER, group_of


@pytest.mark.parametrize("path", [*TOGETHER, *ONE_BY_ONE])
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
