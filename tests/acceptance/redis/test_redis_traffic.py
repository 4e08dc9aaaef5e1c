"""What a stack costs Redis: commands at rest, and connections at rest and under load."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.conftest import Api, each_rang_once, number
from tests.redis_traffic import connections, listened
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Process, Stack

#: How long it is listened, s.
LISTENED_S = 20.0
#: After its start, or after a load, a stack is at rest after so long, s.
QUIET_S = 25.0
#: Commands a second, at most, of all processes but Flower.
AT_REST = 4.0
#: Connections, at most, of the same.
MOST_CONNECTIONS = 20


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A server of the stack's own."""
    return start_server()


@pytest.fixture
def stack(server: Server, tmp_path: Path) -> Iterator[Stack]:
    """With two serving processes, as by default."""
    made = Stack(directory=tmp_path, redis_url=server.url)
    made.settings["WEB_PROCESSES"] = "2"
    yield made
    made.close()


def start(stack: Stack) -> dict[str, Process]:
    """Everything but Flower, by name."""
    stack.start_simulator()
    started = {name: stack.start(name) for name in ("worker", "beat", "shipper")}
    started["web"] = stack.start_web()
    started["worker"].wait_for(" ready.")
    return started


@pytest.mark.slow
def test_a_stack_at_rest_asks_redis_next_to_nothing(server: Server, stack: Stack) -> None:
    """Everything sleeps until something is due, and keeps the connections that it sleeps on."""
    processes = start(stack)
    api = Api(stack.queue_url)
    api.until_state(api.schedule(number(1)), "completed")
    time.sleep(QUIET_S)
    with listened(server, processes) as traffic:
        time.sleep(LISTENED_S)
    kept = connections(server, processes)
    shown = {name: dict(counts) for name, counts in traffic.commands.items()}
    print(shown, dict(kept))
    assert traffic.total() / LISTENED_S <= AT_REST, shown
    assert {"worker", "beat", "shipper"} <= set(shown)
    assert kept.total() <= MOST_CONNECTIONS, kept


@pytest.mark.slow
def test_twenty_connections_carry_a_burst(server: Server, stack: Stack) -> None:
    """A server that takes no more: all is accepted, and what is accepted rings once."""
    stack.settings["CALL_RATE_LIMIT"] = "off"
    processes = start(stack)
    with server.client() as direct:
        direct.config_set("maxclients", MOST_CONNECTIONS)
    numbers = [number(index) for index in range(300)]

    def add(first: int) -> int:
        body = {"calls": [{"to": to} for to in numbers[first : first + 3]]}
        return Api(stack.queue_url).ask("POST", "/schedule-bulk-calls", body).status_code

    with ThreadPoolExecutor(16) as clients:
        statuses = Counter(clients.map(add, range(0, 300, 3)))
    assert statuses == {200: 100}
    phone = SimulatorClient(stack.simulator_url)
    Api(stack.queue_url).until_done()
    each_rang_once(phone, 300)
    assert all(process.alive for process in processes.values())
