"""Two installations share a server, each in its own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.broker.test_operating import asked, run_celery
from tests.acceptance.conftest import FAST, Api, number
from tests.stack import Stack, until


@pytest.fixture
def stacks(redis_url: str, tmp_path: Path) -> Iterator[list[Stack]]:
    """Both, without their workers."""
    made = []
    for database in "01":
        directory = tmp_path / database
        directory.mkdir()
        stack = Stack(directory=directory, redis_url=redis_url.removesuffix("0") + database)
        stack.settings.update(FAST)
        stack.start_simulator()
        stack.start_web()
        made.append(stack)
    yield made
    for stack in made:
        stack.close()


def test_they_know_nothing_of_each_other(stacks: list[Stack]) -> None:
    """Neither calls, workers and schedulers nor Celery's remote control."""
    first, second = stacks
    apis = [Api(stack.queue_url) for stack in stacks]
    for name in ("worker", "beat", "shipper"):
        first.start(name, *(("-n", "first@%h") if name == "worker" else ()))
    job_ids = [api.schedule(number(index)) for index, api in enumerate(apis)]
    apis[0].until_state(job_ids[0], "completed")
    apis[1]("POST", "/schedule-recurring-call", {"to": number(2), "cronExpression": "@daily"})
    seen = apis[1]("GET", "/stats")
    assert (seen["workers"], seen["schedulerActive"], seen["callLog"]["shipperActive"]) == (0,) + (
        False,
    ) * 2
    assert (second.rings(), apis[1].job(job_ids[1])["state"]) == ([], "waiting")
    second.start_worker("-n", "second@%h")
    apis[1].until_state(job_ids[1], "completed")
    assert [len(stack.rings()) for stack in stacks] == [1, 1]
    names = [
        [name.partition("@")[0] for name in asked(stack, "inspect", "-t", "5", "ping")]
        for stack in stacks
    ]
    assert names == [["first"], ["second"]]
    run_celery(second, "control", "shutdown")
    until(lambda: not second.processes[-1].alive, within_s=30, what="the second worker has ended")
    assert all(process.alive for process in first.processes)
