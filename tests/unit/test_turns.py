"""Turns: few go on at once, first come, first served, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from tests.stack import until
from vomind_queue.turns import Turns

LONG_S = 60.0


def waiting(turns: Turns) -> int:
    """Threads that wait for a turn."""
    return len(turns._waiting)


def test_first_come_first_served() -> None:
    """Those that wait go on one after the other, as they came."""
    turns = Turns(1, LONG_S)
    went: list[int] = []

    def go(number: int) -> None:
        turns.take()
        went.append(number)
        turns.leave()

    turns.take()
    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(go, number)
            until(lambda n=number: waiting(turns) == n + 1, within_s=5, what="it waits")  # type: ignore[misc]
        assert went == []
        turns.leave()
    assert went == list(range(5))


def test_no_more_at_once() -> None:
    """However many come, and however often, so many go on and no more."""
    turns = Turns(3, LONG_S)
    lock = threading.Lock()
    inside, most = 0, 0

    def go() -> None:
        nonlocal inside, most
        for _ in range(20):
            turns.take()
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.0005)
            with lock:
                inside -= 1
            turns.leave()

    with ThreadPoolExecutor(20) as pool:
        done: list[Future[None]] = [pool.submit(go) for _ in range(20)]
        for each in done:
            each.result(timeout=30)
    assert most == 3
    assert (turns._free, waiting(turns)) == (3, 0)


def test_one_turn_each() -> None:
    """Taking it again, and leaving what one has not, change nothing."""
    turns = Turns(1, LONG_S)
    turns.leave()
    turns.take()
    turns.take()
    turns.leave()
    turns.leave()
    assert turns._free == 1


def test_nobody_waits_for_ever() -> None:
    """A turn that does not end holds the others up for a moment, and all is well after it."""
    turns = Turns(1, 0.05)
    turns.take()
    with ThreadPoolExecutor(4) as pool:
        for impatient in [pool.submit(_pass_through, turns) for _ in range(8)]:
            impatient.result(timeout=5)
    turns.leave()
    assert (turns._free, waiting(turns)) == (1, 0)


def _pass_through(turns: Turns) -> None:
    turns.take()
    turns.leave()
