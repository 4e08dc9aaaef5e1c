"""One look at the queue serves all who ask at the same time, also when it fails."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from vomind_queue.api.blueprints.overview import Shared
from vomind_queue.errors import StoreUnavailable

#: How long a look takes that fails, s.
LOOK_S = 0.3


@pytest.mark.alone
def test_those_who_wait_fail_with_the_look_that_they_wait_for() -> None:
    """A look each, one after another, would keep the last one waiting for all of them."""
    looks = []

    def look() -> bytes:
        looks.append(threading.get_ident())
        time.sleep(LOOK_S)
        raise StoreUnavailable("away")

    shared = Shared(look)
    together = threading.Barrier(4)

    def ask(_: int) -> float:
        together.wait()
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="away"):
            shared.get()
        return time.monotonic() - started

    with ThreadPoolExecutor(4) as threads:
        assert max(threads.map(ask, range(4))) < 2 * LOOK_S
    assert len(looks) == 1


def test_a_request_after_a_failure_looks_again() -> None:
    """The failure is nobody's but theirs who waited for it."""
    answers: list[bytes | Exception] = [StoreUnavailable("away"), StoreUnavailable("away"), b"{}"]

    def look() -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = Shared(look)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            shared.get()
    assert shared.get()[0] == b"{}"
