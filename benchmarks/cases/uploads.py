"""How late calls start while a list of very many rows is read, and while its calls are stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks.bench import Bench, Figures
from benchmarks.cases.lateness import delayed, lateness_of
from benchmarks.client import Client
from benchmarks.sides import System

#: Rows of the list, and of that of a quick run.
ROWS, QUICK_ROWS = 100_000, 20_000
#: Calls are due so long after their request, and one so long after the other, s.
AHEAD_S, APART_S = 1.0, 0.02
#: How long it is measured without a list, s.
IDLE_S = 15.0


def large_list(bench: Bench) -> None:
    """Lateness without a list, while one is read, and while it is accepted, in turn."""
    rows = bench.size(ROWS, QUICK_ROWS)
    side = next(side for side in bench.sides if side.name == "ours")
    with System(side=side, workers=1, whole=True, settings=side.keep_all) as system:
        client = system.client
        for _ in bench.turns([side]):
            until = time.monotonic() + bench.seconds(IDLE_S)
            _measure(bench, client, "without a list", lambda end=until: time.monotonic() < end)
            path = _upload(client, rows)
            _measure(bench, client, f"reading {rows:,} rows", partial(_is, client, path, "reading"))
            client.ask("POST", f"{path}/accept")
            still = partial(_is, client, path, "accepting")
            _measure(bench, client, f"accepting {rows:,} rows", still)


def _measure(bench: Bench, client: Client, when: str, goes_on: Callable[[], bool]) -> None:
    # It cannot be done again: the list is read by then.
    bench.measure(f"lateness {when}", "ours", partial(_late, client, goes_on), again=0)


def _late(client: Client, goes_on: Callable[[], bool]) -> Figures:
    """Have calls fall due, one after the other, for as long as that goes on."""
    due: dict[str, int] = {}
    while not due or goes_on():
        at_ms = int((time.time() + AHEAD_S) * 1000)
        due[delayed(client, client.next_number, at_ms)] = at_ms
        client.next_number += 1
        time.sleep(APART_S)
    return lateness_of(client, due)


def _upload(client: Client, rows: int) -> str:
    """Upload a list to a campaign that is never started; return its path."""
    campaign = client.ask("POST", "/campaigns", {"name": "Many"})["campaignId"]
    text = "".join(f"+1415{2_000_000 + number},Hello {number}\n" for number in range(rows))
    path = f"/campaigns/{campaign}/list"
    answer = client.ask("POST", f"{path}?filename=many.csv", f"Phone,Message\n{text}".encode())
    return f"{path}/{answer['listId']}"


def _is(client: Client, path: str, state: str) -> bool:
    return bool(client.ask("GET", path)["state"] == state)
