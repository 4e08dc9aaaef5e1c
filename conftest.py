"""What all tests share: no internet, no settings of the tester's, real servers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests import nursery
from tests.receiver import Receiver, receiver
from tests.servers import KINDS, Server
from tests.spreading import PARTS, group_of, part_of, turn
from tests.stack import PORTABLE, Stack
from vomind_queue.config.settings import VARIABLES


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets the same tests run against another server, and as if this were no Linux."""
    parser.addoption(
        "--server", choices=KINDS, default=KINDS[0], help="server that holds the calls"
    )
    parser.addoption(
        "--full", action="store_true", help="tests at random take as many cases as in `make chaos`"
    )
    parser.addoption(
        "--part", choices=PARTS, help="the tests that judge time, or all but them: `make test`"
    )
    parser.addoption(
        "--portable", action="store_true", help="take away what only Linux has: tests/portable"
    )


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_tester(request: pytest.FixtureRequest) -> Iterator[None]:
    """Neither ``.env`` nor a live key in the environment reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable.name, raising=False)
        patch.setenv("VOMIND_ENV_FILE", "")
        patch.delenv("PYTHONPATH", raising=False)
        for name, text in PORTABLE.items() if request.config.getoption("--portable") else ():
            patch.setenv(name, text)
        yield


@pytest.fixture(scope="session", autouse=True)
def _processes_are_forked(request: pytest.FixtureRequest) -> Iterator[None]:
    """From one that has imported the product; tests at full size start each by its command."""
    if sys.platform != "linux" or request.config.getoption("--full"):
        yield
        return
    with nursery.opened():
        yield


@pytest.fixture(scope="session")
def server_kind(request: pytest.FixtureRequest) -> str:
    """One of ``tests.servers.KINDS``."""
    return str(request.config.getoption("--server"))


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether a test at random takes as many cases as it can, and not as many as are quick."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def shared_server(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of the whole run; use ``redis_url`` or ``valkey``, which empty it first.

    A fixture of a whole file empties it itself: the test before may have paused the queue.
    """
    server = Server(kind=server_kind, directory=tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(shared_server: Server) -> str:
    """Address of an empty server."""
    shared_server.empty()
    return shared_server.url


@pytest.fixture
def valkey(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty server, with text replies."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def start_server(server_kind: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers of the test's own, which it may freeze, kill and start again.

    ``start_server(durable=True)`` keeps its data over a kill.
    """
    servers: list[Server] = []

    def start(*arguments: str, durable: bool = False) -> Server:
        directory = tmp_path / f"server-{len(servers)}"
        server = Server(kind=server_kind, directory=directory, durable=durable, arguments=arguments)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def stack(redis_url: str, tmp_path: Path) -> Iterator[Stack]:
    """Real processes on an empty server, none started yet; killed at the end."""
    made = Stack(directory=tmp_path, redis_url=redis_url)
    yield made
    made.close()


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    """A receiver of webhooks that accepts all."""
    with receiver() as made:
        yield made


def _keep(part: str | None, config: pytest.Config, items: list[pytest.Item]) -> None:
    others = [item for item in items if part and part != part_of(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if part == part_of(item)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Chooses the part, groups the tests for xdist, and begins those first that take longest."""
    _keep(config.getoption("--part"), config, items)
    paths = {item: item.path.relative_to(config.rootpath).as_posix() for item in items}
    together = Counter(group_of(path) for path in paths.values())
    for item, path in paths.items():
        if group := group_of(path):
            item.add_marker(pytest.mark.xdist_group(group))
    yield

    def turn_of(item: pytest.Item) -> tuple[int, int]:
        path = paths[item]
        slow = item.get_closest_marker("slow") is not None
        return turn(path, slow=slow, together=together[group_of(path)])

    if hasattr(config, "workerinput"):
        items.sort(key=turn_of)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Adds the output of the stack's processes to the report of a failed test."""
    report = yield
    made = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(made, Stack):
        report.sections.append(("processes", made.report()))
    return report
