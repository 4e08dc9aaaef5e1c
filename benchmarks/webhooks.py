"""How soon events arrive, and what they cost: ``python -m benchmarks.webhooks``.

1,000 webhooks follow a campaign each; 100 calls a second are accepted, started and placed. The same
calls are made before, without any webhook. Then 200 live streams are open; last, no notifier runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.machine import cpu_s, resident_bytes
from tests.integration.conftest import QUICK, begin, new, placed, taken
from tests.ports import free_port
from tests.servers import Server
from tests.stack import ROOT, Stack, until
from vomind_queue.calls.campaign import Campaign
from vomind_queue.calls.senders import NO_SENDERS
from vomind_queue.queue import keys
from vomind_queue.queue.activity import Activity
from vomind_queue.queue.call_queue import CallQueue
from vomind_queue.queue.campaign_store import CampaignStore
from vomind_queue.queue.connection import WORKER_TIMEOUT_S, RedisStore, connect
from vomind_queue.queue.inspection import Inspection
from vomind_queue.queue.kept_events import KeptEvents
from vomind_queue.queue.webhook_store import WebhookStore
from vomind_queue.queue.worker_protocol import Protocol
from vomind_queue.queue.worker_queue import WorkerQueue
from vomind_queue.usecases.deeds import Deeds
from vomind_queue.usecases.webhooks import Webhooks

#: Streams that are open at once.
STREAMS = 200
#: Events of each call: accepted, started, placed.
EVENTS = 3
#: Entries that may wait where no notifier runs.
OUTBOX_MAX = 20_000


class Line:
    """Makes calls at a steady pace, and measures how long their dispatch takes."""

    def __init__(self, store: RedisStore, campaigns: Sequence[str]) -> None:
        self._queue = CallQueue(store, None)
        self._worker_queue = WorkerQueue(store, "bench", Protocol(**QUICK), senders=NO_SENDERS)
        self._campaigns = campaigns
        self._made = 0

    def run(self, rate: int, seconds: float) -> list[float]:
        """Return how long each dispatch took, ms."""
        took, began = [], time.monotonic()
        for index in range(int(rate * seconds)):
            time.sleep(max(0.0, began + index / rate - time.monotonic()))
            took.append(self._call())
        return took

    def _call(self) -> float:
        campaign = self._campaigns[self._made % len(self._campaigns)] if self._campaigns else ""
        self._made += 1
        self._queue.add([new(self._made)], campaign=campaign)
        began = time.perf_counter()
        (job_id,) = taken(self._worker_queue)
        self._worker_queue.finish(begin(self._worker_queue, job_id), placed(f"CA{job_id}"))
        self._worker_queue.release(job_id)
        return (time.perf_counter() - began) * 1_000


class OtherEnd:
    """A part of this file in its own process; it says a line when it is ready."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "benchmarks.webhooks", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - this file
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.said = self._process.stdout.readline()  # type: ignore[union-attr]

    def ask(self, what: str) -> Any:
        """Return what it answers to a line."""
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


async def receive() -> None:
    """Accept events until the input ends; then print how old each was when it came, ms."""
    ages: list[float] = []

    async def handle(request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        at_s = time.time()
        ages.append((at_s - _unix_s(event["timestamp"])) * 1_000)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(str(runner.addresses[0][1]))
    while line := await asyncio.to_thread(sys.stdin.readline):
        say(json.dumps(ages if line == "ages\n" else len(ages)))


def _unix_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def listen(url: str) -> None:
    """Hold streams open until the input ends."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        opened = [await session.get(url) for _ in range(STREAMS)]
        reading = [asyncio.create_task(_read(each)) for each in opened]
        say("open")
        await asyncio.to_thread(sys.stdin.read)
        for task in reading:
            task.cancel()


async def _read(answer: aiohttp.ClientResponse) -> None:
    async for _ in answer.content.iter_any():
        pass


def share(pid: int, seconds: float) -> float:
    """Return how much of a core a process uses, percent."""
    before = cpu_s([pid])
    time.sleep(seconds)
    return (cpu_s([pid]) - before) / seconds * 100


def at(values: Sequence[float], part: float) -> float:
    """Return the value that this part of them does not exceed."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def measure(subscriptions: int, rate: int, seconds: float) -> None:
    """Print all figures."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Server(kind="valkey", directory=directory / "server")
        server.start()
        stack.callback(server.kill)
        client = stack.enter_context(connect(server.url, timeout_s=WORKER_TIMEOUT_S))
        store = RedisStore(client, OUTBOX_MAX)
        parts = Stack(directory=directory, redis_url=server.url)
        stack.callback(parts.close)
        campaigns = _campaigns(store, subscriptions)
        line = Line(store, campaigns)
        line.run(rate, 2)
        without = line.run(rate, seconds)
        receiver = OtherEnd("receive")
        stack.callback(receiver.end)
        _subscribe(store, campaigns, int(receiver.said))
        notifier = parts.start("notifier", OUTBOX_MAX=str(OUTBOX_MAX))
        notifier.wait_for("notifier started")
        until(lambda: _is_leased(store, subscriptions), within_s=60, what="all are leased")
        before, began = cpu_s([notifier.pid]), time.monotonic()
        line.run(rate, 10)
        under = line.run(rate, seconds)
        wanted = int(rate * (seconds + 10)) * EVENTS
        until(lambda: receiver.ask("count") >= wanted, within_s=120, what="all arrive")
        used, took_s = cpu_s([notifier.pid]) - before, time.monotonic() - began
        ages = receiver.ask("ages")[-int(rate * seconds) * EVENTS :]
        say(f"{subscriptions} webhooks, {rate} calls/s, {len(ages)} events in {seconds:g} s")
        say(f"age on arrival: p50 {at(ages, 0.5):.0f}, p99 {at(ages, 0.99):.0f} ms")
        each_ms = used / wanted * 1_000
        say(f"notifier: {each_ms:.2f} ms of CPU an event, {used / took_s:.0%} of a core")
        say(f"its memory: {resident_bytes(notifier.pid) >> 20} MB")
        for name, took in (("without", without), ("with", under)):
            say(f"dispatch {name}: p50 {at(took, 0.5):.2f}, p99 {at(took, 0.99):.2f} ms")
        notifier.stop()
        _streams(stack, parts, store)
        _backlog(store, line)


def _campaigns(store: RedisStore, count: int) -> list[str]:
    campaigns = CampaignStore(store)
    made = [campaigns.create(Campaign(name="One", open=True), None).id for _ in range(count)]
    for each in made:
        campaigns.steer(each, "start", "bench")
    return made


def _webhooks(store: RedisStore) -> Webhooks:
    return Webhooks(WebhookStore(store), KeptEvents(store), Deeds(Activity(store)))


def _subscribe(store: RedisStore, campaigns: Sequence[str], port: int) -> None:
    webhooks = _webhooks(store)
    for each in campaigns:
        webhooks.add({"url": f"http://127.0.0.1:{port}/", "campaign": each}, "bench")


def _is_leased(store: RedisStore, count: int) -> bool:
    return int(store.ask("HLEN", keys.WEBHOOK_LEASES)) == count


def _streams(stack: ExitStack, parts: Stack, store: RedisStore) -> None:
    """Measure what streams cost that wait; webhooks are gone by then."""
    webhooks = _webhooks(store)
    for shown in webhooks.all():
        webhooks.remove(shown.subscription.id, "bench")
    port = free_port()
    notifier = parts.start("notifier", NOTIFIER_PORT=str(port))
    notifier.wait_for("notifier started")
    alone = share(notifier.pid, 20)
    listener = OtherEnd("listen", f"http://127.0.0.1:{port}/api/events")
    stack.callback(listener.end)
    say(f"a notifier at rest: {alone:.1f} % of a core")
    say(f"with {STREAMS} streams open: {share(notifier.pid, 30):.1f} % of a core")
    notifier.stop()


def _backlog(store: RedisStore, line: Line) -> None:
    """Fill the outbox beyond its bound while no notifier runs."""
    KeptEvents(store).want()
    while Inspection(store).webhooks().lost == 0:
        line.run(10_000, 0.1)
    size = int(store.ask("MEMORY", "USAGE", keys.EVENTS_OUTBOX, "SAMPLES", 0))
    kept = int(store.ask("XLEN", keys.EVENTS_OUTBOX))
    lost = Inspection(store).webhooks().lost
    say(f"outbox at its bound of {OUTBOX_MAX:,}: {kept:,} entries, {size / kept:.0f} bytes each")
    say(f"lost and counted: {lost}")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, or be one of the other ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("end", nargs="*")
    parser.add_argument("--subscriptions", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    args = parser.parse_args()
    if args.end[:1] == ["receive"]:
        asyncio.run(receive())
    elif args.end[:1] == ["listen"]:
        asyncio.run(listen(args.end[1]))
    else:
        measure(args.subscriptions, args.rate, args.seconds)


if __name__ == "__main__":
    main()
