"""One web process for the tests of a file, and somebody who types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.cli.typed import Typist
from tests.acceptance.conftest import FAST, Api
from tests.servers import Server
from tests.stack import Stack


@pytest.fixture(scope="module")
def web(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The API, without a worker; what it keeps is emptied by ``redis_url``."""
    made = Stack(directory=tmp_path_factory.mktemp("web"), redis_url=shared_server.url)
    made.settings.update(FAST)
    made.start_web()
    yield made
    made.close()


@pytest.fixture
def api(web: Stack, redis_url: str) -> Api:
    """The API as an app uses it, with nothing in it yet."""
    return Api(web.queue_url)


@pytest.fixture
def typed(web: Stack, api: Api, tmp_path: Path) -> Typist:
    """Types commands that talk to that API."""
    environment = {
        name: text
        for name, text in web.environment().items()
        if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VOMIND_ENV_FILE")
    }
    return Typist(directory=tmp_path, environment=environment, url=web.web_url)
