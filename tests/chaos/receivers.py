"""Receivers of webhooks, each of which fails in its own way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import requests
from aiohttp import web

#: The receiver that always answers with 200.
STEADY = "steady"
#: What the others do instead, and how often.
DEEDS: Mapping[str, float] = {
    # Connections are reset.
    "away": 1.0,
    # Answers come late.
    "slow": 0.3,
    "failing": 0.3,
    # Once; then the webhook has ended.
    "gone": 0.05,
    # 429 with Retry-After.
    "busy": 0.1,
    # The answer ends in its middle, after the event was taken.
    "cut": 0.2,
    "redirecting": 0.2,
    # The answer is longer than answers may be.
    "long": 0.1,
}
STATUSES = {"failing": 500, "gone": 410, "busy": 429, "redirecting": 307}


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A delivery, as its receiver saw it; the same for each repetition."""

    receiver: str
    sequence: int
    type: str
    call: str
    body: bytes = field(repr=False)
    #: Whether the receiver took it, whatever became of its answer.
    is_accepted: bool


class Receivers:
    """All of them behind one port, in a thread of their own."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runner: web.AppRunner | None = None
        self._port = 0
        #: Whether they fail.
        self.is_trouble = True
        #: All that were sent, in order.
        self.arrivals: list[Arrival] = []
        #: How often one failed.
        self.failures = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def url(self, name: str) -> str:
        """Return the address of one."""
        return f"http://127.0.0.1:{self._port}/{name}"

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/{name}", self._receive)
        quiet = logging.getLogger(__name__)
        # That connections are reset is what is wanted.
        quiet.setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(app, access_log=None, logger=quiet, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        name, body = request.match_info["name"], await request.read()
        deed = ""
        if self.is_trouble and self._rng.random() < DEEDS.get(name, 0):
            deed = name
            self.failures += name != "slow"
        if deed == "slow":
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
        event = json.loads(body)
        self.arrivals.append(
            Arrival(
                receiver=name,
                sequence=event["sequence"],
                type=event["type"],
                call=event["data"].get("jobId", ""),
                body=body,
                is_accepted=deed in ("", "slow", "cut", "long"),
            )
        )
        return await self._answer(request, deed)

    async def _answer(self, request: web.Request, deed: str) -> web.StreamResponse:
        if deed == "long":
            return web.Response(body=b"x" * 70_000)
        if deed == "cut":
            answer = web.StreamResponse(headers={"Content-Length": "100"})
            await answer.prepare(request)
            await answer.write(b"some")
        if deed in ("away", "cut"):
            assert request.transport is not None
            request.transport.abort()
        headers = {"busy": {"Retry-After": "1"}, "redirecting": {"Location": self.url(STEADY)}}
        return web.Response(status=STATUSES.get(deed, 200), headers=headers.get(deed))


class Follower:
    """Reads the live stream, and goes on where it was with whichever notifier answers."""

    def __init__(self, ports: Sequence[int], last: int) -> None:
        """``last``: the event after which it begins."""
        self._ports = ports
        self._last = last
        #: Numbers of the events that came, and ``gap`` where the stream said so.
        self.heard: list[int | str] = []
        #: How often it connected.
        self.connections = 0

    def run(self, over: threading.Event) -> None:
        """Read until the end."""
        while not over.is_set():
            port = self._ports[self.connections % len(self._ports)]
            self.connections += 1
            headers = {"Last-Event-ID": str(self._last)}
            with contextlib.suppress(requests.RequestException):
                url = f"http://127.0.0.1:{port}/api/events"
                with requests.get(url, headers=headers, stream=True, timeout=3) as answer:
                    self._read(answer, over)
            over.wait(0.1)

    def _read(self, answer: requests.Response, over: threading.Event) -> None:
        said: dict[str, str] = {}
        for line in answer.iter_lines():
            if over.is_set():
                return
            name, _, value = line.decode().partition(": ")
            if name:
                said[name] = value
                continue
            # An event is over, or a comment, which may say how far the stream is.
            if "data" in said:
                is_gap = said.get("event") == "stream.gap"
                self.heard.append("gap" if is_gap else int(said["id"]))
            self._last = int(said.get("id", self._last))
            said = {}
