"""How many modules of ours a call runs through: few enough that one person can follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.servers import Server
from tests.ways.tree import Node
from tests.ways.walk import ways

#: Modules at most.
MOST = {"post": 20, "callback": 12}


@pytest.fixture(scope="module")
def found(
    server_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Node]]:
    """The ways of a few calls through real processes."""
    directory = tmp_path_factory.mktemp("ways")
    server = Server(kind=server_kind, directory=directory / "server")
    server.start()
    yield ways(directory, server.url)
    server.kill()


@pytest.mark.slow
@pytest.mark.parametrize("way", MOST)
def test_a_way_leads_through_few_modules(found: Mapping[str, Node], way: str) -> None:
    """And its end is at Redis."""
    modules = found[way].modules()
    assert "vomind_queue.store.scripts" in modules
    assert len(modules) <= MOST[way], found[way].drawn()


@pytest.mark.slow
@pytest.mark.parametrize("way", MOST)
def test_no_two_branches_of_a_way_do_the_same(found: Mapping[str, Node], way: str) -> None:
    """What leads on into another module is reached from one module alone."""
    assert found[way].twice() == []
