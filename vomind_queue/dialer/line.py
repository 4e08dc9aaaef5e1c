"""One connection to Twilio: a request at a time, within its limits, sent at most once."""

from __future__ import annotations

import io
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
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

#: Largest answer that is read, bytes; a full page of 1,000 calls has about 2 MB.
MAX_ANSWER = 8 * 1024 * 1024
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

    def exchange(self, request: bytes, method: str, exchange: Exchange) -> Answer:
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
                sock.sendall(request)
                return self._answer(sock, method, exchange)
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
            sock.settimeout(exchange.left_to_send_s())
        except OSError as error:
            raise UnreachableError(_words(error)) from error

    def _connect(self, exchange: Exchange) -> socket.socket:
        exchange.left_to_send_s()
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
            return sock
        try:
            # The handshake as a whole is held to the time-out of the socket.
            sock.settimeout(exchange.left_to_send_s())
            return self._tls.wrap_socket(sock, server_hostname=self.address[0])
        except BaseException:
            sock.close()
            raise

    def _answer(self, sock: socket.socket, method: str, exchange: Exchange) -> Answer:
        response = HTTPResponse(_Listening(sock, exchange), method=method)  # type: ignore[arg-type]
        try:
            response.begin()
            text = _body(response).decode("utf-8", "replace")
            headers = {name.lower(): value for name, value in response.getheaders()}
            if response.will_close:
                self.close()
        finally:
            response.close()
        self._idle_since_s = boottime()
        return Answer(status=response.status, headers=headers, text=text)


@contextmanager
def _after_sending() -> Iterator[None]:
    """From here on, every failure leaves open whether the request was processed."""
    try:
        yield
    except TimeoutError as error:
        raise NoAnswerError("no answer in time", timed_out=True) from error
    except Exception as error:
        raise NoAnswerError(_words(error), timed_out=False) from error


def _body(response: HTTPResponse) -> bytes:
    if response.length is None:
        body = response.read(MAX_ANSWER + 1)
    elif response.length <= MAX_ANSWER:
        # Without an amount, so that a body that ends early is an error.
        body = response.read()
    else:
        raise ValueError("the answer is too large")
    if len(body) > MAX_ANSWER:
        raise ValueError("the answer is too large")
    return body


class _Listening:
    """A socket as HTTPResponse wants it, with a limit on the whole answer.

    A time-out on the socket alone starts anew with each byte, and a server that
    sends one a second would hold a call for ever.
    """

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._reader = _Reader(sock, exchange)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What HTTPResponse reads from."""
        return io.BufferedReader(self._reader)


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._exchange.left_to_answer_s())
        return self._sock.recv_into(buffer)


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
