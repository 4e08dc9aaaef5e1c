"""What the API answers, with few and with very many calls stored."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Self

from benchmarks.bench import AGAIN, Bench, Figures, quantiles
from benchmarks.client import bulks, fill, make_call, wait_until_done
from benchmarks.sides import Side, System

#: Calls that wait, also in a quick run.
SIZES, QUICK_SIZES = (10, 100_000, 1_000_000), (10, 20_000)
#: Turns of one measurement, and how often each place is asked in a turn; each retry wants a failed
#: call of its own.
TURNS, QUICK_TURNS = 20, 5
ASKED, RETRIED = 40, 5
PAGE = "/waiting?start=0&end=10"


def get(bench: Bench) -> None:
    """GET stats, job and a list page, cancel and retry, with few and many calls stored.

    All sizes and sides stand side by side and are asked in short turns, so that a drift of the
    machine's speed is no difference.
    """
    turns = bench.size(TURNS, QUICK_TURNS)
    sizes = QUICK_SIZES if bench.quick else SIZES
    with ExitStack() as stack:
        places = [
            stack.enter_context(Place(side, size, turns * bench.rounds * (AGAIN + 1) * RETRIED))
            for size in sizes
            for side in bench.sides
        ]
        for kind in bench.turns(list(KINDS)):
            bench.measure_together(
                [(f"{kind}, {place.size:,} calls", place.side.name) for place in places],
                partial(_in_turn, places, kind, turns),
            )


def _in_turn(places: Sequence[Place], kind: str, turns: int) -> Sequence[Figures]:
    took: dict[Place, list[float]] = {place: [] for place in places}
    for turn in range(turns):
        for place in places if turn % 2 else reversed(places):
            took[place] += place.ask(kind)
    return [quantiles(each) for each in took.values()]


class Place:
    """One side with calls stored, asked for them one at a time on one connection."""

    def __init__(self, side: Side, size: int, retries: int) -> None:
        """``retries``: how many there will be at most."""
        self.side = side
        self.size = size
        self._retries = retries
        self._system = System(side=side, workers=1, settings=side.keep_all)
        #: Ids of some that wait, and of all that failed.
        self._ids: list[str] = []
        self._failed: list[str] = []
        self._random = random.Random(1)  # noqa: S311 - which calls are asked for is no secret

    def __enter__(self) -> Self:
        self._system.__enter__()
        try:
            self._fail(self._retries)
            self._ids = fill(self._system.client, self.size)
            self._system.rest()
        except BaseException:
            self._system.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._system.__exit__()

    def _fail(self, wanted: int) -> None:
        """Let some calls fail, then pause the queue, so that all others wait."""
        client = self._system.client
        for ids in bulks(client, wanted, metadata={"simulate": {"failures": 3}}):
            self._failed += ids
        wait_until_done(client)
        client.ask("POST", "/pause", {})
        self._system.stop_workers()

    def ask(self, kind: str) -> list[float]:
        """Return requests of one kind; how long each took, ms."""
        make = KINDS[kind]
        asked = RETRIED if kind == "retry" else ASKED
        return [self._system.client.timed_ms(make(self, n)) for n in range(asked)]

    def stats(self, _: int) -> bytes:
        """Return the numbers of the queue."""
        return self._system.client.encode("GET", "/stats")

    def job(self, _: int) -> bytes:
        """Return one call that waits."""
        return self._system.client.encode("GET", f"/job/{self._some()}")

    def page(self, _: int) -> bytes:
        """Return the first of those that wait."""
        return self._system.client.encode("GET", PAGE)

    def _some(self) -> str:
        return self._random.choice(self._ids)

    def cancel(self, n: int) -> bytes:
        """Return a call that was added before, so that as many wait as ever."""
        job = self._system.client.ask("POST", "/schedule-call", make_call(n))["jobId"]
        return self._system.client.encode("DELETE", f"/job/{job}")

    def retry(self, _: int) -> bytes:
        """Return one that failed."""
        return self._system.client.encode("POST", f"/job/{self._failed.pop()}/retry")


#: What is asked for, by the name that it has in the tables.
KINDS: Mapping[str, Callable[[Place, int], bytes]] = {
    "GET stats": Place.stats,
    "GET job": Place.job,
    "GET list page": Place.page,
    "cancel": Place.cancel,
    "retry": Place.retry,
}
