"""How many modules of ours a call runs through: few enough that one person can follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.servers import Server
from tests.ways.drawing import written
from tests.ways.tree import Seen, grow, twice
from tests.ways.walk import ways

#: Modules at most.
MOST = {"post": 20, "placing": 18, "callback": 12}


@pytest.fixture(scope="module")
def found(
    server_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Sequence[Seen]]]:
    """The ways of a few calls through real processes."""
    directory = tmp_path_factory.mktemp("ways")
    server = Server(kind=server_kind, directory=directory / "server")
    server.start()
    yield ways(directory, server.url)
    server.kill()


@pytest.mark.slow
@pytest.mark.parametrize("way", MOST)
def test_a_way_leads_through_few_modules(found: Mapping[str, Sequence[Seen]], way: str) -> None:
    """And its end is at Redis."""
    modules = grow(found[way]).modules()
    assert "vomind_queue.queue.scripts" in modules
    assert len(modules) <= MOST[way], grow(found[way]).drawn()


@pytest.mark.slow
@pytest.mark.parametrize("way", MOST)
def test_no_two_branches_of_a_way_do_the_same(
    found: Mapping[str, Sequence[Seen]], way: str
) -> None:
    """What leads on into another module is reached from one module alone."""
    assert twice(found[way]) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", MOST)
def test_the_documentation_draws_the_way_as_it_is(
    found: Mapping[str, Sequence[Seen]], way: str
) -> None:
    """`python -m tests.ways --write` puts it right."""
    modules = {name.removeprefix("vomind_queue.") for name in grow(found[way]).modules()}
    assert written()[way] == modules
