"""The worker's slots: what frees them, and what a worker's end waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.conftest import QUICK, new, taken
from tests.servers import Server
from tests.stack import Process, Stack, until
from vomind_queue.broker.names import LINK_OPTION
from vomind_queue.broker.pool import TaskPool
from vomind_queue.calls import Call, NewCall, State
from vomind_queue.store.connection import Gate, connect
from vomind_queue.store.desk import Protocol, WorkDesk
from vomind_queue.store.queue import CallQueue
from vomind_queue.turns import Turns

#: What neither Celery nor we mean to catch, by name.
FAULTS = ("MemoryError", "SystemExit", "KeyboardInterrupt", "BaseException")


@pytest.fixture
def faulty_worker(redis_url: str, tmp_path: Path) -> Iterator[Process]:
    """A worker with one slot."""
    settings = {"CALL_WORKER_CONCURRENCY": "1", "CALL_RATE_LIMIT": "off"}
    process = Process(
        name="faulty",
        arguments=("-m", "celery", "-A", "tests.integration.faulty_worker", "worker"),
        environment=Stack(directory=tmp_path, redis_url=redis_url).environment() | settings,
        log=tmp_path / "faulty.log",
    )
    process.start()
    yield process
    process.kill()


def test_a_task_without_an_end_frees_its_slot(faulty_worker: Process, queue: CallQueue) -> None:
    """Calls whose dialer ended by what nobody catches are in doubt, and the next one is placed."""
    names = [*FAULTS, "none"]
    queue.add([NewCall(call=Call(to=f"+1555000000{n}", message=m)) for n, m in enumerate(names)])

    def over() -> bool:
        stats = queue.stats()
        return (stats.completed, stats.in_doubt, stats.active) == (1, len(FAULTS), len(FAULTS))

    until(over, within_s=30, what=f"all were tried: {faulty_worker.output[-3000:]}")
    assert queue.job(str(len(names))).state is State.COMPLETED


def test_the_end_of_a_worker_is_bounded_while_redis_is_silent(
    start_server: Callable[..., Server],
) -> None:
    """It waits for one answer in vain, not for one for each call that it holds."""
    server = start_server()
    gate = Gate(connect(server.url, timeout_s=0.5))
    desk = WorkDesk(gate, "w", Protocol(**{**QUICK, "lease_ms": 60_000}))
    CallQueue(gate, None).add([new(number) for number in range(60)])
    assert len(taken(desk, 60)) == 60
    link: Any = SimpleNamespace(desk=desk, drain_s=0.1)
    conf = SimpleNamespace(broker_transport_options={LINK_OPTION: link})
    pool = TaskPool(60, app=SimpleNamespace(conf=conf))
    server.freeze()
    began = time.monotonic()
    pool.stop()
    # Thirty seconds before, half a second for each.
    assert time.monotonic() - began < 15
    server.thaw()


def test_a_slot_with_nothing_to_do_has_no_turn() -> None:
    """It took one with the answer to its call, and leaves it before it waits for the next call."""
    turns = Turns(1, patience_s=60)
    link: Any = SimpleNamespace(
        desk=SimpleNamespace(
            book=SimpleNamespace(held=list),
            protocol=SimpleNamespace(lease_ms=1),
            disown_astray=lambda: None,
        ),
        counter=SimpleNamespace(on_idle=lambda: None),
        drain_s=0.1,
        turns=turns,
    )
    conf = SimpleNamespace(broker_transport_options={LINK_OPTION: link})
    pool = TaskPool(1, app=SimpleNamespace(conf=conf))
    done: list[None] = []
    pool.on_apply(lambda *_: turns.take(), ("place_call", "1"), callback=done.append)
    until(lambda: done == [None], within_s=5, what="the task is done")
    turns.take()
    pool.stop()
