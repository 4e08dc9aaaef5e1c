"""The live stream: server-sent events for those who hold an API key.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from vomind_queue.config.address_types import is_own_host
from vomind_queue.config.answer_headers import ANSWER_HEADERS
from vomind_queue.config.api_keys import match_key, shown_keys
from vomind_queue.config.types import ApiKey
from vomind_queue.config.wrong_keys import WrongKeys
from vomind_queue.errors import StoreUnavailable
from vomind_queue.notifier.feed import Feed
from vomind_queue.notifier.origins import Origins
from vomind_queue.webhooks.event import Event
from vomind_queue.webhooks.event_types import TEST, is_wanted, patterns

#: A comment is sent after this silence, so that proxies keep the connection, s.
SILENCE_S = 15.0
#: A stream ends after this time, and is opened again: a key that was taken away ends, too, s.
LIFE_S = 600.0
#: Streams that one API key, or one address without keys, may have open in this process.
MOST_STREAMS = 250
#: How long a client may be silent before a request or within its head, s: as the web processes
#: allow. It has shown no key by then, and each connection is an open file.
IDLE_S = 75.0
#: Events sent at once.
PAGE = 200
#: How long a reader waits before it connects again, ms.
RETRY_MS = 1_000
PATH = "/api/events"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Filter:
    types: Sequence[str]
    call: str | None
    campaign: str | None

    def wants(self, event: Event) -> bool:
        return (
            event.type != TEST
            and is_wanted(event.type, self.types)
            and self.call in (None, event.call)
            and self.campaign in (None, event.campaign)
        )


class LiveStream:
    """Serves ``GET /api/events``."""

    def __init__(
        self,
        feed: Feed,
        want: Callable[[], int],
        keys: Sequence[ApiKey],
        *,
        hosts: frozenset[str],
        origins: Origins,
    ) -> None:
        """``want``: has events made; ``hosts``: names that a service without keys answers to."""
        self._feed = feed
        self._want = want
        self._keys = keys
        self._hosts = hosts
        self._origins = origins
        self._wrong_keys = WrongKeys()
        self._open: Counter[str] = Counter()

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application()
        # A HEAD would hold a place, and be sent nothing.
        app.router.add_get(PATH, self._serve, allow_head=False)
        app.router.add_get("/healthz", _healthz)
        self._origins.install(app, PATH)
        app.on_response_prepare.append(_guard)
        return app

    def runner(self, *, grace_s: float, idle_s: float = IDLE_S) -> web.AppRunner:
        """Return what serves it; streams have ``grace_s`` to end when it is stopped."""
        return web.AppRunner(
            self.app(), access_log=None, shutdown_timeout=grace_s, keepalive_timeout=idle_s
        )

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        reader = self._admit(request)
        wanted, after = _filter(request), _last_id(request)
        try:
            now_at = await self._feed.in_thread(self._want)
        except StoreUnavailable:
            raise _refusal(web.HTTPServiceUnavailable, "Redis cannot be reached.") from None
        if self._open[reader] >= MOST_STREAMS:
            raise _refusal(web.HTTPTooManyRequests, f"{MOST_STREAMS} streams are open already.")
        self._open[reader] += 1
        try:
            return await self._stream(request, wanted, now_at if after is None else after)
        finally:
            self._open[reader] -= 1
            # Without keys a reader is an address, and their number has no limit.
            self._open += Counter()

    def _admit(self, request: web.Request) -> str:
        """Return who asks. Raise an error of aiohttp's."""
        if not self._keys:
            if not is_own_host(request.host, self._hosts):
                raise _refusal(web.HTTPForbidden, "Host must be localhost or an IP address.")
            return request.remote or ""
        headers = request.headers
        shown = shown_keys(headers.get("Authorization", ""), headers.get("X-API-Key", ""))
        key = match_key(shown, self._keys)
        if key is not None:
            return key.name or key.secret
        if shown and (wait_s := self._wrong_keys.note(request.remote or "", shown[0])):
            refusal = _refusal(web.HTTPTooManyRequests, "Too many wrong API keys; try again later.")
            refusal.headers["Retry-After"] = str(wait_s)
            raise refusal
        raise _refusal(web.HTTPUnauthorized, "Send an API key.")

    async def _stream(self, request: web.Request, wanted: _Filter, last: int) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        woken = asyncio.Event()
        self._feed.wake(woken, wanted.campaign)
        try:
            # One that does not read is not waited for, either.
            async with asyncio.timeout(LIFE_S + SILENCE_S):
                await response.write(f"retry: {RETRY_MS}\n\n".encode())
                await self._send(response, wanted, last, woken)
        except (ConnectionResetError, StoreUnavailable, TimeoutError):
            # The reader comes again, and says where it was.
            return response
        finally:
            self._feed.let_sleep(woken, wanted.campaign)
        return response

    async def _send(
        self, response: web.StreamResponse, wanted: _Filter, last: int, woken: asyncio.Event
    ) -> None:
        until, quiet_since = time.monotonic() + LIFE_S, time.monotonic()
        while time.monotonic() < until:
            woken.clear()
            found = await self._feed.after(last, PAGE)
            text = _gap(last, found) + "".join(map(_written, filter(wanted.wants, found)))
            last = found[-1].sequence if found else last
            if not text and time.monotonic() - quiet_since >= SILENCE_S:
                # Also where nothing of it was wanted: the next stream begins there.
                text = f": nothing new\nid: {last}\n\n"
            if text:
                await response.write(text.encode())
                quiet_since = time.monotonic()
            if not found:
                await _sleep(woken, SILENCE_S)


async def _sleep(woken: asyncio.Event, most_s: float) -> None:
    try:
        # `wait_for` of Python 3.11 may swallow that this task is cancelled.
        async with asyncio.timeout(most_s):
            await woken.wait()
    except TimeoutError:
        return


def _written(event: Event) -> str:
    body = event.body(with_words=False).decode()
    return f"id: {event.sequence}\nevent: {event.type}\ndata: {body}\n\n"


def _gap(last: int, found: Sequence[Event]) -> str:
    """Return what is said where events between were not kept for long enough."""
    if not found or found[0].sequence == last + 1:
        return ""
    missing = f'{{"from":{last + 1},"to":{found[0].sequence - 1}}}'
    return f"event: stream.gap\ndata: {missing}\n\n"


def _filter(request: web.Request) -> _Filter:
    unknown = set(request.query) - {"types", "call", "campaign", "lastEventId"}
    if unknown:
        raise _refusal(web.HTTPUnprocessableEntity, f"No such filter: {min(unknown)}.")
    types = [each for each in request.query.get("types", "").split(",") if each]
    if not set(types) <= set(patterns()):
        text = "types: Must be types of events, such as call.ended or call.*."
        raise _refusal(web.HTTPUnprocessableEntity, text)
    call, campaign = request.query.get("call"), request.query.get("campaign")
    return _Filter(types=types, call=call, campaign=campaign)


def _last_id(request: web.Request) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.query.get("lastEventId")
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,16}", text):
        raise _refusal(web.HTTPUnprocessableEntity, "Last-Event-ID: Must be the id of an event.")
    return int(text)


def _refusal(kind: type[web.HTTPException], text: str) -> web.HTTPException:
    body = web.json_response({"success": False, "error": text})
    return kind(text=body.text, content_type="application/json")


async def _guard(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in ANSWER_HEADERS.items():
        response.headers.setdefault(name, value)
    # It names the versions of Python and of a library.
    response.headers.pop("Server", None)


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
