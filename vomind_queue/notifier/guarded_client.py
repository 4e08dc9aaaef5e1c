"""Send a delivery to a receiver that a stranger may have named.

A name is resolved once. Each of its addresses is checked, and the connection is made to a checked
one: a name that changes its address afterwards changes nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from vomind_queue import __version__
from vomind_queue.webhooks.addresses import AddressPolicy

#: For a whole delivery, from the resolution of the name to the end of the answer, s.
TOTAL_S = 15.0
#: An answer that is longer is no answer to a webhook, bytes.
MOST_BYTES = 64 * 1024
#: Threads that resolve names: a name server that does not answer holds one of them for a while.
RESOLVING = 64


class AddressRefused(OSError):
    """The receiver has an address that no webhook is sent to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How a delivery ended."""

    #: ``None`` where no answer came.
    status: int | None
    #: ``None`` if it arrived.
    error: str | None
    retry_after: str | None = None
    duration_ms: int = 0


class _Resolver(AbstractResolver):
    """The system's resolver, whose answers are checked."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        if any(not self._policy.permits(each["host"]) for each in found):
            raise AddressRefused("the name has an address that is not allowed")
        return found

    async def close(self) -> None:
        await self._system.close()


class GuardedClient:
    """Delivers; use it within one event loop, and close it."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._session = aiohttp.ClientSession(
            connector=TCPConnector(
                resolver=_Resolver(policy),
                use_dns_cache=False,
                socket_factory=self._socket,
                # Each subscription bounds its own: slow receivers must not use up those of others.
                limit=0,
            ),
            timeout=ClientTimeout(total=TOTAL_S),
            cookie_jar=DummyCookieJar(),
            # What is compressed has no size until it is unpacked.
            auto_decompress=False,
            headers={"User-Agent": f"VoMind-Queue/{__version__}"},
        )

    def _socket(self, info: Any) -> socket.socket:
        """Return the socket for a connection: the last check, for addresses without a name too."""
        family, kind, protocol, _, place = info
        if not self._policy.permits(place[0]):
            raise AddressRefused("the address is not allowed")
        return socket.socket(family, kind, protocol)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body. Never raise for what a receiver does."""
        began = time.monotonic()
        status, error, retry_after = None, None, None
        try:
            async with self._session.post(
                url, data=body, headers=dict(headers), allow_redirects=False
            ) as response:
                status = response.status
                retry_after = response.headers.get("Retry-After")
                error = await _fault(response)
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            error = _words(fault)
        return Answer(
            status=status,
            error=error,
            retry_after=retry_after,
            duration_ms=int((time.monotonic() - began) * 1_000),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


async def _fault(response: aiohttp.ClientResponse) -> str | None:
    """Read the answer to its end, within bounds; return what is wrong with it."""
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > MOST_BYTES:
            response.close()
            return f"the answer is longer than {MOST_BYTES // 1024} KB"
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        return f"HTTP {response.status}: redirects are not followed"
    return f"HTTP {response.status}"


def _words(fault: BaseException) -> str:
    """Return a fault in words, without what a stranger wrote."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return str(cause)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(fault, TimeoutError):
        return f"no answer within {TOTAL_S:g} s"
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return "the name has no address"
    if isinstance(fault, aiohttp.ClientSSLError):
        return "the certificate is not valid for this name, or TLS failed"
    if isinstance(fault, aiohttp.ClientConnectorError):
        return f"cannot connect: {fault.os_error.strerror or 'refused'}"
    return f"the connection broke: {type(fault).__name__}"
