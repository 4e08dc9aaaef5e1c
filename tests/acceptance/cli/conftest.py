"""Somebody who types, to the web process that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.cli.typist import Typist
from tests.acceptance.conftest import Api
from tests.stack import Stack


@pytest.fixture
def api(web_of_all: Stack, redis_url: str) -> Api:
    """The API as an app uses it, with nothing in it yet."""
    return Api(web_of_all.queue_url)


@pytest.fixture
def typed(web_of_all: Stack, api: Api, tmp_path: Path) -> Typist:
    """Types commands that talk to that API."""
    environment = {
        name: text
        for name, text in web_of_all.environment().items()
        if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VOMIND_ENV_FILE")
    }
    return Typist(directory=tmp_path, environment=environment, url=web_of_all.web_url)
