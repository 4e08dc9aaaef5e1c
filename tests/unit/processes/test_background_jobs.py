"""What a worker sees to besides placing calls: when it looks, and when it sleeps."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stack import until
from vomind_queue.errors import StoreUnavailable
from vomind_queue.processes import background_jobs as module
from vomind_queue.processes.background_jobs import BackgroundJobs

#: Longer than any test runs.
FOREVER_S = 600


class Times:
    """A store without a server: what is due next, and the waits that it was asked for."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.away = 0
        #: When it was looked at, s.
        self.looked: list[float] = []
        self.words = threading.Semaphore(0)
        self.given_back = 0

    def next(self) -> dict[str, float]:
        """What is due."""
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        self.looked.append(time.monotonic())
        return dict(self.due)

    @property
    def looks(self) -> int:
        """How often it was looked at."""
        return len(self.looked)

    def wait(self, seconds: float) -> bool:
        """Waits for a word."""
        return self.words.acquire(timeout=seconds)

    def put_back(self) -> None:
        """A word for another worker."""
        self.given_back += 1

    def interrupt(self) -> None:
        """Ends a wait, which brings a word here."""
        self.words.release()


@pytest.fixture
def times() -> Times:
    """What the store says."""
    return Times()


@pytest.fixture
def start(times: Times) -> Iterator[Callable[..., BackgroundJobs]]:
    """Starts a worker's duties."""
    started = []

    def run(sharing: int = 1, **steps: Callable[[], int]) -> BackgroundJobs:
        made = BackgroundJobs(times, steps, lambda: sharing)
        made.start()
        started.append(made)
        return made

    yield run
    for each in started:
        each.stop()


def test_what_is_due_is_done_until_nothing_is_left(
    times: Times, start: Callable[..., BackgroundJobs]
) -> None:
    """And nothing else is."""
    left, others = [1, 2, 3], []

    def step() -> int:
        times.due = {}
        return bool(left and left.pop())

    times.due = {"one": -0.1, "other": 60.0}
    start(one=step, other=lambda: others.append(1) or 0)
    until(lambda: not left, within_s=30, what="all of it is done")
    assert not others


def test_a_worker_sleeps_while_nothing_is_due(
    times: Times, start: Callable[..., BackgroundJobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word wakes it, long before the next look that nobody asked for."""
    monkeypatch.setattr(module, "UNASKED_S", FOREVER_S)
    done = threading.Event()
    start(one=lambda: done.set() or 0)
    until(lambda: times.looks == 1, within_s=30, what="it looks")
    assert not done.wait(1.0)
    assert times.looks == 1
    times.due = {"one": 0.0}
    times.words.release()
    assert done.wait(30)


def test_it_looks_when_something_becomes_due(
    times: Times, start: Callable[..., BackgroundJobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, and sooner than it looks by itself."""
    monkeypatch.setattr(module, "UNASKED_S", FOREVER_S)
    times.due = {"one": 1.5}
    start(one=lambda: 0)
    until(lambda: times.looks > 1, within_s=30, what="it looks again")
    assert 1.5 <= times.looked[1] - times.looked[0] < FOREVER_S


def test_workers_share_the_looks(
    times: Times, start: Callable[..., BackgroundJobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred idle workers must not ask Redis as much as a hundred would alone."""
    waits: list[float] = []
    monkeypatch.setattr(
        times, "wait", lambda seconds: bool(waits.append(seconds)) or len(waits) > 9
    )
    start(sharing=4)
    until(lambda: len(waits) > 9, within_s=30, what="it waits")
    assert 19 < waits[0] <= 20


def test_redis_away_is_told_once_and_counted(
    times: Times,
    start: Callable[..., BackgroundJobs],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not with a line for each try."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    times.away = 7
    with caplog.at_level(logging.WARNING):
        start(one=lambda: 0)
        until(lambda: times.looks, within_s=30, what="it looks again")
        times.words.release()
        until(lambda: len(caplog.records) > 1, within_s=30, what="it is told")
    assert [record.getMessage() for record in caplog.records] == [
        "Redis cannot be reached, trying again: away",
        "Redis answers again, after 7 tries",
    ]


def test_one_that_fails_is_done_again(times: Times, start: Callable[..., BackgroundJobs]) -> None:
    """Whatever it failed by, and the others go on."""
    faults: list[Any] = [ValueError("x"), StoreUnavailable("away")]
    done = threading.Event()

    def step() -> int:
        if faults:
            raise faults.pop()
        done.set()
        return 0

    times.due = {"one": 0.0}
    start(one=step)
    assert done.wait(30)


def test_a_word_for_a_worker_that_ends_goes_to_another(
    times: Times, start: Callable[..., BackgroundJobs]
) -> None:
    """It would be lost with this one."""
    started = start(one=lambda: 0)
    until(lambda: times.looks == 1, within_s=30, what="it looks")
    started.stop()
    until(lambda: times.given_back == 1, within_s=30, what="it is put back")
    assert times.looks == 1
