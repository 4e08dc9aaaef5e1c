"""A failover behind a proxy that leaves old connections open to the demoted primary."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.acceptance.conftest import FAST, Api, each_rang_once, number
from tests.chaos.proxy import Proxy
from tests.ports import free_port
from tests.servers import Server
from tests.simulator import SimulatorClient
from tests.stack import Process, Stack, until

#: Within what time everything goes on by itself, s; how soon is judged by `switch_over.py`.
BACK_S = 30.0
#: How long the old server stays a replica before it is looked at who still uses it, s.
LATER_S = 6.0
#: Lines that a process may write in such a time.
FEW_LINES = 8


@pytest.fixture
def proxy(start_server: Callable[..., Server]) -> Iterator[tuple[Proxy, Server, Server]]:
    """A proxy, the server behind it, and the one that takes over."""
    old, fresh = start_server(), start_server()
    made = Proxy(old.port, Random(1))
    yield made, old, fresh
    made.close()


@pytest.fixture
def parts(
    proxy: tuple[Proxy, Server, Server], tmp_path: Path
) -> Iterator[tuple[Stack, dict[str, Process]]]:
    """The processes of a stack behind that proxy."""
    stack = Stack(directory=tmp_path, redis_url=proxy[0].url)
    stack.settings.update(FAST)
    stack.start_simulator()
    started = {name: stack.start(name) for name in ("worker", "beat", "shipper")}
    started["web"] = stack.start_web()
    started["worker"].wait_for(" ready.")
    yield stack, started
    stack.close()


def test_all_processes_go_on_with_the_new_primary(
    proxy: tuple[Proxy, Server, Server], parts: tuple[Stack, dict[str, Process]]
) -> None:
    """Calls are accepted and ring within seconds; the log is written; nobody keeps complaining."""
    made, old, fresh = proxy
    stack, processes = parts
    api, phone = Api(stack.queue_url), SimulatorClient(stack.simulator_url)
    api.until_state(api.schedule(number(0)), "completed")
    with fresh.client() as direct:
        direct.replicaof("127.0.0.1", str(old.port))
        _until_in_step(fresh)
        direct.replicaof("NO", "ONE")
    with old.client() as direct:
        direct.replicaof("127.0.0.1", str(fresh.port))
    made.target = fresh.port
    job_id = until(lambda: _accepted(api), within_s=BACK_S, what="a call is accepted again")
    api.until_state(job_id, "completed", within_s=BACK_S)
    for index in range(2, 12):
        api.schedule(number(index))
    api.until_done(within_s=30)
    each_rang_once(phone, 12)
    time.sleep(LATER_S)
    written = {name: len(process.output.splitlines()) for name, process in processes.items()}
    time.sleep(LATER_S)
    for name, process in processes.items():
        assert process.alive, name
        new_lines = process.output.splitlines()[written[name] :]
        assert not [line for line in new_lines if "rror" in line or "WARN" in line], (
            name,
            new_lines,
        )
    with fresh.client() as direct:
        until(lambda: direct.xlen("{calls}:outbox:finals") == 0, within_s=30, what="all is logged")
        assert direct.pttl("{calls}:redbeat::lock") > 0


def test_a_replica_is_waited_for_in_few_words(
    proxy: tuple[Proxy, Server, Server], parts: tuple[Stack, dict[str, Process]]
) -> None:
    """Nobody fills its log while the server takes no writes; once it does, all go on."""
    _, server, _ = proxy
    stack, processes = parts
    api = Api(stack.queue_url)
    api.until_state(api.schedule(number(0)), "completed")
    written = {name: len(process.output.splitlines()) for name, process in processes.items()}
    with server.client() as direct:
        direct.replicaof("127.0.0.1", str(free_port()))
        time.sleep(2 * LATER_S)
        for name, process in processes.items():
            new_lines = process.output.splitlines()[written[name] :]
            assert len(new_lines) <= FEW_LINES, (name, new_lines)
        direct.replicaof("NO", "ONE")
    job_id = until(lambda: _accepted(api), within_s=BACK_S, what="a call is accepted again")
    api.until_state(job_id, "completed", within_s=BACK_S)
    assert all(process.alive for process in processes.values())


def _until_in_step(server: Server) -> None:
    with server.client() as direct:
        until(
            lambda: direct.info("replication")["master_link_status"] == "up",
            within_s=30,
            what="the replica is in step",
        )


def _accepted(api: Api) -> str:
    answer = api.ask("POST", "/schedule-call", {"to": number(1)})
    assert answer.status_code in (200, 503), answer.text
    return str(answer.json()["jobId"]) if answer.status_code == 200 else ""
