"""One connection to Twilio: a request at a time, within its limits, sent at most once."""

from __future__ import annotations

import math
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any

from vomind_queue.clocks import boottime
from vomind_queue.dialer.exchange import (
    Answer,
    Exchange,
    NoAnswerError,
    TooLateError,
    UnreachableError,
)
from vomind_queue.dialer.incoming import Incoming

#: Bytes that are read at once: more than most answers have. Each slot holds as many while it waits.
_PIECE = 8 * 1024
#: The kernel takes no time at all for no limit, s.
_SHORTEST_S = 0.000_001
#: Linux and some others; the number is absent elsewhere.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
_NO_LINGERING = struct.pack("ii", 1, 0)


class Line:
    """A connection to one address that may be used again after a whole answer."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Does not connect yet. ``tls``: ``None`` for plain HTTP."""
        self.address = (host, port)
        self._tls = tls
        self._sock: socket.socket | None = None
        self._idle_since_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._sock is not None

    def usable(self, max_idle_s: float) -> bool:
        """Whether it is connected, was used lately, and the peer has not ended it."""
        if self._sock is None or boottime() - self._idle_since_s > max_idle_s:
            return False
        # Readable while nothing was asked: the peer has closed it, or talks out of turn.
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Ends the connection."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def exchange(self, request: bytes, exchange: Exchange) -> Answer:
        """Sends a request, once, and waits for its whole answer.

        Raises TooLateError and UnreachableError when nothing was sent, and
        NoAnswerError when it was, at least in part. After any of them, and after
        an answer that ends the connection, the line is closed.
        """
        try:
            sock = self._sock or self._connect(exchange)
            self._sock = sock
            self._prepare(sock, exchange)
            exchange.sent = True
            with _after_sending():
                self._send(sock, request, exchange)
                exchange.step_aside()
                return self._answer(sock, exchange)
        except BaseException:
            self._abort()
            raise

    def _abort(self) -> None:
        """Ends the connection and takes back what the kernel has not sent yet."""
        if self._sock is not None:
            # Lingering for no time at all turns the close into a reset; else the kernel would
            # go on trying to deliver a request that was given up.
            with suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self.close()

    def _prepare(self, sock: socket.socket, exchange: Exchange) -> None:
        """The last moment check: what stands here is all that lies before the sending."""
        left_s = exchange.left_to_send_s()
        try:
            if _USER_TIMEOUT is not None:
                # Bytes that wait in the kernel for a peer that is away must not go out late.
                sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(left_s * 1000)))
            self._limit(sock, socket.SO_SNDTIMEO, exchange.left_to_send_s())
        except OSError as error:
            raise UnreachableError(_words(error)) from error

    def _connect(self, exchange: Exchange) -> socket.socket:
        exchange.left_to_send_s()
        exchange.step_aside()
        try:
            return self._secure(_dial(self.address, exchange), exchange)
        except TooLateError:
            raise UnreachableError("connecting took too long") from None
        except ssl.SSLError as error:
            raise UnreachableError(f"no secure connection ({error.reason or error})") from error
        except OSError as error:
            raise UnreachableError(_words(error)) from error

    def _secure(self, sock: socket.socket, exchange: Exchange) -> socket.socket:
        if self._tls is None:
            sock.settimeout(None)
            return sock
        try:
            # The handshake as a whole is held to the time-out of the socket.
            sock.settimeout(exchange.left_to_send_s())
            return self._tls.wrap_socket(sock, server_hostname=self.address[0])
        except BaseException:
            sock.close()
            raise

    def _answer(self, sock: socket.socket, exchange: Exchange) -> Answer:
        incoming = Incoming()
        while incoming.answer is None:
            # The limit is one on the whole answer: a time-out of the socket starts anew with
            # each byte, and a server that sends one a second would hold a call for ever.
            self._limit(sock, socket.SO_RCVTIMEO, exchange.left_to_answer_s())
            incoming.feed(sock.recv(_PIECE))
        if not incoming.goes_on:
            self.close()
        self._idle_since_s = boottime()
        exchange.go_on()
        return incoming.answer

    def _send(self, sock: socket.socket, request: bytes, exchange: Exchange) -> None:
        sent = sock.send(request)
        while sent < len(request):
            self._limit(sock, socket.SO_SNDTIMEO, exchange.left_to_send_s())
            sent += sock.send(request[sent:])

    def _limit(self, sock: socket.socket, option: int, seconds: float) -> None:
        """How long the next step on the socket may take; ``option``: the kernel's name for it."""
        if self._tls is not None:
            sock.settimeout(seconds)
            return
        # By the kernel: Python would ask it before each step whether the socket is ready, and
        # give up its lock for that, which other threads want.
        part, whole = math.modf(max(seconds, _SHORTEST_S))
        limit = struct.pack("ll", int(whole), int(part * 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, option, limit)


@contextmanager
def _after_sending() -> Iterator[None]:
    """From here on, every failure leaves open whether the request was processed."""
    try:
        yield
    except (TimeoutError, BlockingIOError, TooLateError) as error:
        raise NoAnswerError("no answer in time", timed_out=True) from error
    except Exception as error:
        raise NoAnswerError(_words(error), timed_out=False) from error


def _dial(address: tuple[str, int], exchange: Exchange) -> socket.socket:
    """A TCP connection to the first of the host's addresses that takes one."""
    failed: OSError | None = None
    targets = _resolve(address, exchange)
    for number, (family, kind, protocol, _, target) in enumerate(targets):
        # One address that swallows packets must not use up the time of the others.
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(exchange.left_to_send_s() / (len(targets) - number))
            sock.connect(target)
        except OSError as error:
            failed = error
            sock.close()
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failed or OSError("the host has no address")


def _resolve(address: tuple[str, int], exchange: Exchange) -> Sequence[Any]:
    """``getaddrinfo`` within the limits: it takes no time-out, so it runs in a thread."""
    host, port = address
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        answers: SimpleQueue[Sequence[Any] | OSError] = SimpleQueue()
    threading.Thread(target=_look_up, args=(address, answers), daemon=True).start()
    try:
        found = answers.get(timeout=exchange.left_to_send_s())
    except Empty:
        raise OSError(f"the name {host} could not be looked up in time") from None
    if isinstance(found, OSError):
        raise found
    return found


def _look_up(address: tuple[str, int], answers: SimpleQueue[Sequence[Any] | OSError]) -> None:
    try:
        answers.put(socket.getaddrinfo(*address, type=socket.SOCK_STREAM))
    except OSError as error:
        answers.put(error)


def _words(error: Exception) -> str:
    """An error for people: without addresses of memory, sockets or calls."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
