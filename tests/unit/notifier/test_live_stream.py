"""Who may hold the live stream open, for how long and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from vomind_queue.config.answer_headers import ANSWER_HEADERS
from vomind_queue.config.types import ApiKey
from vomind_queue.notifier import live_stream
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.live_stream import IDLE_S, PATH, LiveStream
from vomind_queue.notifier.origins import Origins
from vomind_queue.webhooks.event import Event

KEYS = [ApiKey(name="crm", secret="crm-secret"), ApiKey(name="ops", secret="ops-secret")]
CRM, OPS = ({"X-API-Key": key.secret} for key in KEYS)
#: For a busy machine, s.
LIMIT_S = 60


class NoEvents:
    """Nothing happens."""

    def after(self, _sequence: int, _limit: int) -> Sequence[Event]:
        """Return none."""
        return []

    def wait(self, _sequence: int, _limit: int) -> Sequence[Event]:
        """Return none."""
        return []

    def last(self) -> int:
        """Return none's number."""
        return 0

    def erasures(self) -> int:
        """Return none."""
        return 0


def serving(
    course: Callable[[int, aiohttp.ClientSession], Awaitable[None]],
    *,
    keys: Sequence[ApiKey] = KEYS,
    idle_s: float = IDLE_S,
) -> None:
    """Serve the stream on its own port while ``course`` runs."""

    async def run() -> None:
        async with (
            asyncio.timeout(LIMIT_S),
            _served(keys, idle_s) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        ):
            await course(port, client)

    asyncio.run(run())


@asynccontextmanager
async def _served(keys: Sequence[ApiKey], idle_s: float) -> AsyncIterator[int]:
    with ThreadPoolExecutor(1) as threads:
        stream = LiveStream(
            Feed(NoEvents(), threads), lambda: 0, keys, hosts=frozenset(), origins=Origins(None)
        )
        runner = stream.runner(grace_s=0.1, idle_s=idle_s)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "crm-secre"}, {"Authorization": "Basic YTpi"}]
)
def test_without_a_key_nothing_is_streamed(headers: dict[str, str]) -> None:
    """Not even to the path's end is it looked at; a HEAD is refused, too."""

    async def course(_port: int, client: aiohttp.ClientSession) -> None:
        async with client.get(f"{PATH}?no=filter", headers=headers) as answer:
            assert answer.status == 401
        async with client.head(PATH, headers=CRM) as answer:
            assert answer.status == 405

    serving(course)


def test_without_keys_a_name_that_leads_here_is_refused() -> None:
    """To a browser it would have the origin of a stranger's page."""

    async def course(_port: int, client: aiohttp.ClientSession) -> None:
        async with client.get(PATH, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with client.get(PATH) as answer:
            assert answer.status == 200

    serving(course, keys=[])


def test_one_key_opens_so_many_streams_and_keeps_no_other_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that ends makes room."""
    monkeypatch.setattr(live_stream, "MOST_STREAMS", 2)
    # When it is seen that a reader has gone.
    monkeypatch.setattr(live_stream, "SILENCE_S", 0.1)

    async def course(_port: int, client: aiohttp.ClientSession) -> None:
        first, second = await client.get(PATH, headers=CRM), await client.get(PATH, headers=CRM)
        async with client.get(PATH, headers=CRM) as third:
            assert third.status == 429
        async with client.get(PATH, headers=OPS) as other:
            assert other.status == 200
        first.close()
        while True:
            async with client.get(PATH, headers=CRM) as again:
                if again.status == 200:
                    break
            await asyncio.sleep(0.05)
        second.close()

    serving(course)


@pytest.mark.parametrize("sent", [b"", b"GET /api/events HTTP/1.1\r\nHost: x\r\n"])
def test_a_silent_client_is_disconnected(sent: bytes) -> None:
    """Whoever has shown no key must not use up the open files of a process."""

    async def course(port: int, _client: aiohttp.ClientSession) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()

    serving(course, idle_s=0.2)


def test_a_silent_client_is_given_as_long_as_by_the_web_processes() -> None:
    """Longer than most proxies keep a connection, and no hour."""
    assert 60 < IDLE_S < 120


@pytest.mark.parametrize("path", [PATH, "/healthz", "/nothing", f"{PATH}?no=filter"])
def test_no_answer_is_run_framed_guessed_or_kept(path: str) -> None:
    """As those of the API; and none names a version."""

    async def course(_port: int, client: aiohttp.ClientSession) -> None:
        async with client.get(path, headers=CRM) as answer:
            assert ANSWER_HEADERS.items() <= dict(answer.headers).items()
            assert "Server" not in answer.headers

    serving(course)
