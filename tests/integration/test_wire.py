"""Commands over connections that stay open: answers, errors, closed lines, many threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.servers import Server
from vomind_queue.store.connection import connect
from vomind_queue.store.trunk import Trunk
from vomind_queue.store.wire import RESTED_S, Wire


@pytest.fixture
def wire(client: redis.Redis) -> Iterator[Wire]:
    """A wire to the run's server."""
    made = Wire(client)
    yield made
    client.close()


def test_answers_come_as_from_redis_py(wire: Wire, client: redis.Redis) -> None:
    """Texts, numbers, nothing, nested lists, and one of many reads."""
    long = "ü" * 200_000
    client.set("long", long)
    lua = "return {1, 'é', false, {2, {}}}"
    assert wire.ask("EVAL", lua, 0) == [1, "é", None, [2, []]]
    assert wire.ask("GET", "long") == long
    assert wire.ask("GET", "nothing") is None


def test_an_error_is_redis_pys_and_the_line_goes_on(wire: Wire) -> None:
    """Its class, too; the next answer is that of the next command."""
    with pytest.raises(redis.exceptions.NoScriptError):
        wire.ask("EVALSHA", "0" * 40, 0)
    with pytest.raises(redis.ResponseError, match="wrong number"):
        wire.ask("GET")
    assert wire.ask("ECHO", "here") == "here"


def test_threads_get_their_own_answers(wire: Wire) -> None:
    """However many of them ask."""

    def ask(number: int) -> bool:
        return bool(wire.ask("ECHO", f"n{number}") == f"n{number}")

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(4_000)))


def test_a_line_that_the_server_closed_is_not_used(wire: Wire, client: redis.Redis) -> None:
    """No command is sent into it, and so none has an unknown outcome."""
    first = wire.ask("CLIENT", "ID")
    client.client_kill_filter(_id=first)
    time.sleep(2 * RESTED_S)
    assert wire.ask("CLIENT", "ID") != first


def test_a_closed_client_is_opened_again(wire: Wire, client: redis.Redis) -> None:
    """As redis-py does."""
    wire.ask("PING")
    client.close()
    time.sleep(2 * RESTED_S)
    assert wire.ask("ECHO", "here") == "here"


def test_a_frozen_server_is_not_waited_for(start_server: Callable[..., Server]) -> None:
    """Not for longer than was said; what was asked in vain is not answered to the next one."""
    server = start_server()
    client = connect(server.url, timeout_s=0.3)
    wire = Wire(client)
    wire.ask("PING")
    server.freeze()
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        wire.ask("ECHO", "late")
    assert 0.2 < time.monotonic() - began < 10
    server.thaw()
    assert wire.ask("ECHO", "now") == "now"
    client.close()


@pytest.mark.parametrize("kind", [Wire, Trunk])
def test_much_is_not_sent_for_longer_than_was_said(
    start_server: Callable[..., Server], kind: type[Wire | Trunk]
) -> None:
    """A frozen server's buffers take some of it, and the time does not begin anew with that."""
    server = start_server()
    client = connect(server.url, timeout_s=6.0)
    line = kind(client)
    line.ask("PING")
    server.freeze()
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError, match="writing"):
        line.ask("ECHO", "x" * 20_000_000)
    # Twice the time, and more, before it was bounded.
    assert time.monotonic() - began < 11
    server.thaw()
    assert line.ask("ECHO", "y" * 1_000_000) == "y" * 1_000_000
    client.close()


def test_outages_use_up_no_places_in_the_pool(start_server: Callable[..., Server]) -> None:
    """Each line that was idle then fails once, and is let go."""
    server = start_server()
    client = connect(server.url, timeout_s=5, max_connections=2)
    wire = Wire(client)
    for _ in range(3):
        wire.ask("PING")
        server.kill()
        time.sleep(2 * RESTED_S)
        with pytest.raises(redis.ConnectionError, match="connecting to"):
            wire.ask("PING")
        server.start()
    assert wire.ask("ECHO", "here") == "here"
    client.close()


def test_a_forked_process_has_lines_of_its_own(wire: Wire) -> None:
    """It would take the answers of the other one."""
    mine = wire.ask("CLIENT", "ID")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(wire.ask("CLIENT", "ID")).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 20)) != mine
    os.close(reader)
    os.close(writer)
    assert wire.ask("CLIENT", "ID") == mine
