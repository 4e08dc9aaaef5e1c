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
#: Between the first numbers of two rounds.
ROUND = 10_000
#: How much earlier than a call becomes due it is changed, s; first at its time.
LEADS_S = (0.02, 0.3, -0.3, 1.0, -1.0)


def race(api: Api, url: str, first: int, lead_s: float) -> tuple[set[int], list[str]]:
    """Calls become due one after the other, and each is changed that much earlier.

    Returns the answers to the changes, and the numbers that must ring.
    """
    calls = [{"to": number(first + index), "delayMs": 1_500 + 8 * index} for index in range(CALLS)]
    job_ids = api.bulk(calls)
    began = time.monotonic()

    def meddle(index: int) -> tuple[int, str]:
        own = Api(url)
        time.sleep(max(0, began + 1.5 - lead_s + 0.008 * index - time.monotonic()))
        path = f"/job/{job_ids[index]}"
        change = own.ask("PATCH", path, {"to": number(first + OTHERS + index), "delayMs": 0})
        gone = own.ask("DELETE", path).json() if index % 3 == 0 else {}
        return change.status_code, gone.get("was", "")

    with ThreadPoolExecutor(12) as people:
        answers = list(people.map(meddle, range(CALLS)))
    api.until_done()
    return {change for change, _ in answers}, [
        number(first + index + OTHERS * (change == 200))
        for index, (change, was) in enumerate(answers)
        if was not in ("waiting", "delayed")
    ]


@pytest.mark.slow
def test_a_change_and_the_ring_exclude_each_other(
    fast: Stack, api: Api, phone: SimulatorClient
) -> None:
    """A change that was answered with 200 is what rings; of one that was refused, nothing.

    On a slow machine all changes may come too late, or too early: then they race once more.
    """
    fast.start_worker()
    fast.start_worker("-n", "two@%h")
    answers: set[int] = set()
    expected: list[str] = []
    for round_, lead_s in enumerate(LEADS_S):
        answered, numbers = race(api, fast.queue_url, round_ * ROUND, lead_s)
        answers |= answered
        expected += numbers
        assert sorted(str(ring["to"]) for ring in phone.rings()) == sorted(expected)
        if len(answers) > 1:
            break
    assert answers == {200, 409}, "the race was none"
