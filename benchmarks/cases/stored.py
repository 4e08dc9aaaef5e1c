"""What the API answers, with few and with very many calls stored."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Self

from benchmarks.bench import AGAIN, Bench, Figures, quantiles
from benchmarks.client import bulks, fill, make_call, wait_until_done
from benchmarks.sides import Side, System

#: Calls that wait, also in a quick run.
SIZES, QUICK_SIZES = (10, 100_000, 1_000_000), (10, 20_000)
#: Requests of each kind in one measurement; each retry wants a failed call of its own.
ASKED = 400
RETRIED = 100
PAGE = "/waiting?start=0&end=10"


def get(bench: Bench) -> None:
    """GET stats, job and a list page, cancel and retry, with few and many calls stored.

    All sizes stand side by side, so that a drift of the machine's speed is no difference.
    """
    sizes = QUICK_SIZES if bench.quick else SIZES
    with ExitStack() as stack:
        places = [
            stack.enter_context(Place(bench, side, size)) for size in sizes for side in bench.sides
        ]
        for place in bench.turns(places):
            place.measure()


class Place:
    """One side with calls stored, asked for them one at a time on one connection."""

    def __init__(self, bench: Bench, side: Side, size: int) -> None:
        self._bench = bench
        self._size = size
        self._system = System(side=side, workers=1, settings=side.keep_all)
        #: Ids of some that wait, and of all that failed.
        self._ids: list[str] = []
        self._failed: list[str] = []
        self._random = random.Random(1)  # noqa: S311 - which calls are asked for is no secret

    def __enter__(self) -> Self:
        self._system.__enter__()
        try:
            self._fail(RETRIED * self._bench.rounds * (AGAIN + 1))
            self._ids = fill(self._system.client, self._size)
            self._system.rest()
        except BaseException:
            self._system.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._system.__exit__()

    def _fail(self, wanted: int) -> None:
        """Lets some calls fail, then pauses the queue, so that all others wait."""
        client = self._system.client
        for ids in bulks(client, wanted, metadata={"simulate": {"failures": 3}}):
            self._failed += ids
        wait_until_done(client)
        client.ask("POST", "/pause", {})
        self._system.stop_workers()

    def measure(self) -> None:
        """Each kind of request, one after the other."""
        client = self._system.client
        self._note("GET stats", lambda _: client.encode("GET", "/stats"))
        self._note("GET job", lambda _: client.encode("GET", f"/job/{self._some()}"))
        self._note("GET list page", lambda _: client.encode("GET", PAGE))
        self._note("cancel", self._cancel)
        self._note("retry", self._retry, RETRIED)

    def _some(self) -> str:
        return self._random.choice(self._ids)

    def _cancel(self, n: int) -> bytes:
        # The one that is cancelled was added before, so that as many wait as ever.
        job = self._system.client.ask("POST", "/schedule-call", make_call(n))["jobId"]
        return self._system.client.encode("DELETE", f"/job/{job}")

    def _retry(self, _: int) -> bytes:
        return self._system.client.encode("POST", f"/job/{self._failed.pop()}/retry")

    def _note(self, what: str, request: Callable[[int], bytes], asked: int | None = None) -> None:
        label = f"{what}, {self._size:,} calls"
        many = asked or self._bench.size(ASKED, RETRIED)
        self._bench.measure(label, self._system.side.name, partial(self._ask, request, many))

    def _ask(self, request: Callable[[int], bytes], asked: int) -> Figures:
        return quantiles([self._system.client.timed_ms(request(n)) for n in range(asked)])
