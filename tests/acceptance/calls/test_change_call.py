"""Calls are changed at the moment at which workers take them, others cancel, others change."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.conftest import Api, number
from tests.simulator import SimulatorClient
from tests.stack import Stack

CALLS = 150
#: Numbers that calls are changed to.
OTHERS = 1_000


@pytest.mark.slow
def test_a_change_and_the_ring_exclude_each_other(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """A change that was answered with 200 is what rings; of one that was refused, nothing."""
    fast.start_worker()
    fast.start_worker("-n", "two@%h")
    calls = [{"to": number(index), "delayMs": 1_500 + 8 * index} for index in range(CALLS)]
    job_ids = api.bulk(calls)
    began = time.monotonic()

    def meddle(index: int) -> tuple[int, str]:
        own = Api(fast.queue_url)
        # At its time, a little before and a little after.
        time.sleep(max(0, began + 1.48 + 0.008 * index - time.monotonic()))
        path = f"/job/{job_ids[index]}"
        change = own.ask("PATCH", path, {"to": number(OTHERS + index), "delayMs": 0})
        gone = own.ask("DELETE", path).json() if index % 3 == 0 else {}
        return change.status_code, gone.get("was", "")

    with ThreadPoolExecutor(12) as people:
        answers = list(people.map(meddle, range(CALLS)))
    api.until_done()
    expected = [
        number(index + OTHERS * (change == 200))
        for index, (change, was) in enumerate(answers)
        if was not in ("waiting", "delayed")
    ]
    assert sorted(str(ring["to"]) for ring in phone.rings()) == sorted(expected)
    assert {change for change, _ in answers} == {200, 409}, "the race was none"
