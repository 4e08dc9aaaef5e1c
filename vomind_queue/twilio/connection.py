"""The limits of a request, and connections that are made within them."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import SplitResult

from twilio.http.response import Response  # type: ignore[import-untyped]

from vomind_queue.clocks import boottime

#: Most look-ups under way at once in this process. A hanging resolver must not cost another
#: thread with every attempt.
MAX_LOOK_UPS = 16
#: Linux and a few others; ``None`` elsewhere.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
_NO_LINGERING = struct.pack("ii", 1, 0)
_free = threading.BoundedSemaphore(MAX_LOOK_UPS)


def left_s(until_s: float) -> float:
    """Return the time until an instant on ``clocks.boottime``, s. Raise TimeoutError after it."""
    left = until_s - boottime()
    if left <= 0:
        raise TimeoutError
    return left


class TooLateError(Exception):
    """The time in which bytes of the request may leave is over."""


class Exchange:
    """The limits of one request, how far it got, and its answer once there is one."""

    def __init__(
        self, seconds: float, *, started_s: float | None = None, left_s: float | None = None
    ) -> None:
        """``seconds``: for the answer from now, and for the request since ``started_s`` or now.

        ``left_s``: how long after that instant the request may leave, where that is less.
        """
        self.answer_until_s = boottime() + seconds
        #: Not a byte leaves after this instant.
        self.send_until_s = self.answer_until_s
        #: Whether that comes from the call's own time, which says nothing about the peer.
        self._is_cut = left_s is not None and left_s < seconds
        if started_s is not None:
            self.send_until_s = started_s + (seconds if left_s is None else min(seconds, left_s))
        #: Whether a byte may have left: set before the first one does, and never taken back.
        self.sent = False
        self.answer: Response | None = None

    @property
    def is_over(self) -> bool:
        """Whether the call's own time ended before a byte could leave."""
        return self._is_cut and not self.sent and boottime() >= self.send_until_s

    def left_to_send_s(self) -> float:
        """Return how long bytes may still leave, s. Raise TooLateError when none may."""
        try:
            return left_s(self.send_until_s)
        except TimeoutError:
            raise TooLateError from None


def connect(url: SplitResult, exchange: Exchange, tls: ssl.SSLContext | None) -> socket.socket:
    """Return a connection to the first of the host's addresses that accepts one.

    ``tls`` is ``None`` for plain HTTP. Raise OSError when there is none in time, TimeoutError even
    where the time to send is over: a peer that is slow to connect must open the breaker.
    """
    host = url.hostname or ""
    sock = _dial(host, url.port or (443 if tls else 80), exchange.send_until_s)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # This time-out covers the handshake as a whole.
        sock.settimeout(left_s(exchange.send_until_s))
        return tls.wrap_socket(sock, server_hostname=host) if tls else sock
    except BaseException:
        sock.close()
        raise


def limit(sock: socket.socket, seconds: float) -> None:
    """Make this process and the kernel give up sending after that time."""
    if _USER_TIMEOUT is not None:
        # Bytes waiting in the kernel for an absent peer must not go out late.
        sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(seconds * 1000)))
    sock.settimeout(seconds)


def reset(sock: socket.socket) -> None:
    """Close a connection, and discard what the kernel has not delivered yet."""
    # Without lingering, closing resets the connection. Otherwise the kernel would keep trying to
    # deliver a request that was given up.
    with suppress(OSError), sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)


def is_quiet(sock: socket.socket) -> bool:
    """Return whether the peer has neither closed a connection nor spoken unasked."""
    sock.setblocking(False)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    return False


def _dial(host: str, port: int, until_s: float) -> socket.socket:
    failed = OSError("the host has no address")
    targets = _look_up(host, port, until_s)
    for number, target in enumerate(targets):
        # One address that swallows packets must not use up the time of the others.
        share_s = left_s(until_s) / (len(targets) - number)
        try:
            return socket.create_connection(target, timeout=share_s)
        except OSError as error:
            failed = error
    raise failed


def _look_up(host: str, port: int, until_s: float) -> list[tuple[str, int]]:
    """Return each IP address of a host, with the port."""
    # getaddrinfo has no time-out, so another thread waits for it.
    found: SimpleQueue[list[Any] | Exception] = SimpleQueue()
    try:
        _start(host, port, found, until_s)
        answer = found.get(timeout=left_s(until_s))
    except (Empty, TimeoutError):
        raise OSError(f"the name {host} could not be looked up in time") from None
    if isinstance(answer, Exception):
        raise answer
    return [target[:2] for *_, target in answer]


def _start(host: str, port: int, found: SimpleQueue[list[Any] | Exception], until_s: float) -> None:
    if not _free.acquire(timeout=left_s(until_s)):
        raise TimeoutError

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            found.put(error)
        finally:
            _free.release()

    try:
        threading.Thread(target=look_up, daemon=True).start()
    except BaseException:
        _free.release()
        raise
