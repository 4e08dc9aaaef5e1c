"""HTTP on the event loop, and the requests that are answered there.

Requests that only ask Redis something run one at a time on the event loop's thread, each
laid aside while Redis works; that spares waking threads several times for each. All others,
such as bulks and searches of the call log, go through the server's usual way to `Door`. What
a quick request asks of Redis must go through `Gate`, or all others wait for it.

The server bounds neither what comes before a body nor how long it waits for a client; that is
done here, too.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from vomind_queue.api.body import DRAINED
from vomind_queue.api.door import Door, announced_in
from vomind_queue.api.environ import add_headers, add_line, base_of
from vomind_queue.api.exchange import Exchange
from vomind_queue.api.incoming import CUT_OFF

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

#: Longer bodies are taken apart in a thread, bytes.
QUICK_BODY = 32 * 1024
#: Most of a request that is not its body, bytes.
HEAD_MAX = 64 * 1024
#: As much is taken in at one time; others have their turn before the next piece, bytes.
PIECE = 16 * 1024
#: How long a client may take from the first byte of a request to the end of its headers, s.
HEAD_S = 30.0
#: How long it may be silent within a body, s …
BODY_S = 60.0
#: … and between two requests, s: longer than the 60 s after which most proxies let go.
IDLE_S = 75.0
#: How long it may read nothing of an answer, s.
READ_S = 60.0
#: How long who does not send or read is waited for at the end, s.
END_S = 8.0
#: How long a client that is sent away may go on sending, s.
LINGER_S = 1.0
#: The longest time between two looks at how long a client has been silent, s.
LOOK_S = 15.0
#: Requests that ask Redis something short and do nothing else.
_QUICK = re.compile(
    rb"POST /api/queue/schedule-(?:delayed-)?call"
    rb"|GET /api/queue/stats"
    rb"|(?:GET|DELETE) /api/queue/job/[0-9]{1,20}"
    rb"|POST /api/queue/job/[0-9]{1,20}/retry"
    rb"|GET /(?:healthz|readyz)"
)


def is_quick(method: bytes, target: bytes) -> bool:
    """Whether such a request may run on the loop's thread."""
    return _QUICK.fullmatch(b"%b %b" % (method, target)) is not None


class Protocol(HttpToolsProtocol):
    """One connection; ``config.app`` is a `Door`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door: Door = config.app  # type: ignore[assignment]
        #: The request that came last, if it is a quick one.
        self._exchange: Exchange | None = None
        #: Bytes that may still come without being part of a body.
        self._left = HEAD_MAX
        #: Bytes of a body that came after its answer.
        self._swallowed = 0
        self._in_head = self._in_message = False
        #: When the client was heard last, and when its request began, s on the loop's clock.
        self._heard_at = self._begun_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        #: How the client is to be sent away once it has all its answers.
        self._refusal: HTTPStatus | None = None
        #: What came and was not looked at yet, whether its turn is to come, and whether more is.
        self._rest = bytearray()
        self._has_turn = self._has_all = False
        #: The request that is being answered, if it is none of the quick ones.
        self._running: RequestResponseCycle | None = None
        #: Whether a head has asked for another protocol, which it does not get.
        self._is_declining = False
        #: Bytes that the client had still to read at the last look …
        self._unread = 0
        #: … and when it last read any, s on the loop's clock.
        self._read_at = 0.0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The loop's word that it is there."""
        super().connection_made(transport)
        self._base = base_of(self.server, self.client)
        self._heard_at = self._begun_at = self._read_at = self.loop.time()
        self._watch = self.loop.call_later(LOOK_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The loop's word that it is over."""
        super().connection_lost(exc)
        self._rest.clear()
        if self._running is not None:
            # The server tells only the one that came last.
            self._running.disconnected = True
            self._running.message_event.set()
        if self._watch is not None:
            self._watch.cancel()
        if self._exchange is not None:
            self._exchange.end_of_body()

    def data_received(self, data: bytes) -> None:
        """The loop's word that something came."""
        if self._refusal is not None:
            return
        self._heard_at = self.loop.time()
        if self._rest or len(data) > PIECE:
            self._rest += data
            self.flow.pause_reading()
            self._line_up()
        else:
            self._take(data)

    def _line_up(self) -> None:
        if not self._has_turn:
            self._has_turn = True
            self.loop.call_soon(self._take_piece)

    def _take_piece(self) -> None:
        self._has_turn = False
        if self._refusal is not None or self.pipeline or self.transport.is_closing():
            # Behind an answer it is its turn again.
            return
        piece = bytes(self._rest[:PIECE])
        del self._rest[:PIECE]
        self._take(piece)
        if self._rest:
            self._line_up()
        elif self._has_all:
            if not self.eof_received():
                self.transport.close()
        elif not self.pipeline and not self._is_full():
            self.flow.resume_reading()

    def _take(self, data: bytes) -> None:
        self._left -= len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._decline(data[upgrade.args[0] :])
            return
        except HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self._exchange is not None and self._in_message:
            # It may be answered before its body is there.
            self._exchange.begin()
        if self._left < 0 and self._in_message:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _decline(self, rest: bytes) -> None:
        """Goes on in HTTP; the parser takes what is behind the head for the other protocol's."""
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        framing = [
            b"%b: %b\r\n" % each
            for each in self.headers
            if each[0] in (b"content-length", b"transfer-encoding")
        ]
        # A head once more, with nothing in it but how long the body is.
        data = b"POST / HTTP/1.1\r\n%b\r\n%b" % (b"".join(framing), rest)
        self._left += len(data)
        self._take(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more; whether it may still want answers."""
        if self._rest:
            self._has_all = True
            return True
        if not self._is_busy():
            return False
        if self._refusal is not None:
            return True
        self.cycle.keep_alive = False
        if self._in_body():
            self._in_message = False
            if self._exchange is not None:
                self._exchange.end_of_body()
            else:
                self.cycle.scope[CUT_OFF] = True  # type: ignore[literal-required]
                self.cycle.more_body = False
                self.cycle.message_event.set()
        return True

    def on_response_complete(self) -> None:
        """An answer was given."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._heard_at = self.loop.time()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._refusal is not None:
            self._send_away(self._refusal)
            return
        if self._rest:
            self._line_up()
        elif not self.pipeline:
            self.flow.resume_reading()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def resume_writing(self) -> None:
        """The loop's word that the client has read most of what was written."""
        super().resume_writing()
        self._read_at = self.loop.time()

    def shutdown(self) -> None:
        """The server's word that it ends."""
        super().shutdown()
        self.loop.call_later(END_S, self._give_up)

    def _give_up(self) -> None:
        is_there = self in self.connections
        if is_there and (self._in_body() or self.transport.get_write_buffer_size()):
            self.transport.abort()

    def _refuse(self, status: HTTPStatus) -> None:
        self._rest.clear()
        if self._is_busy() and self._in_body():
            # The application tells what it makes of half a body.
            self.eof_received()
        self._refusal = status
        if not self._is_busy():
            self._send_away(status)

    def _send_away(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        rest = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + rest)
        # Hanging up on a client that still sends would take the answer from it.
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)

    def _is_busy(self) -> bool:
        """Whether an answer is still to come."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _in_body(self) -> bool:
        """Whether the rest of the request that came last is to come."""
        return self._in_message and not self._in_head

    def _is_full(self) -> bool:
        """Whether as much of a body came as is held at one time."""
        return self._is_busy() and len(self.cycle.body) > HIGH_WATER_LIMIT

    def _look(self) -> None:
        """Hangs up on a client that is silent for too long, or does not read."""
        now = self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self._read_at = now
        self._unread = unread
        left_s = min(self._read_at + READ_S - now, LOOK_S)
        if left_s <= 0:
            # Closing would wait for it.
            self.transport.abort()
            return
        if not self.transport.is_closing():
            left_s = min(left_s, self._silence_left_s(now))
            if left_s <= 0:
                self.transport.close()
                left_s = LOOK_S
        self._watch = self.loop.call_later(left_s, self._look)

    def _silence_left_s(self, now: float) -> float:
        """How long the client may still be silent."""
        since = self._heard_at
        if self._in_body() and not self.flow.read_paused:
            most = BODY_S
        elif self._is_busy() or self._in_body():
            # It waits for us.
            most, since = IDLE_S, now
        elif self._in_head:
            most, since = HEAD_S, self._begun_at
        else:
            most = IDLE_S
        return since + most - now

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request begins; nothing is made that a quick one does not need."""
        if self._is_declining:
            return
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = self._in_message = True
        self._exchange = None
        self._begun_at = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if not self._is_declining:
            self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or what looks like one behind a body and is none of ours."""
        if self._in_head:
            name = name.lower()
            self.headers.append((name, value))
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """The request can be told to be quick or not."""
        if self._is_declining:
            self._is_declining = False
            return
        self._in_head = False
        self._swallowed = 0
        self._is_declining = self.parser.should_upgrade()
        if not self._take_quick():
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers += headers
            self.scope[CUT_OFF] = False  # type: ignore[literal-required]
            super().on_headers_complete()
            if expects:
                # Who is answered before being told to go on may send the body, or may not.
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body; one byte of it allows for two that are not."""
        self._left = min(self._left + 2 * len(body), HEAD_MAX)
        if self.cycle.response_complete:
            # Most clients read the answer only after they have sent everything.
            self._swallowed += len(body)
            if self._swallowed > DRAINED:
                self.transport.close()
        elif self._exchange is not None:
            self._exchange.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of the body."""
        if self._is_declining:
            return
        self._in_message = False
        self._left = HEAD_MAX
        if self._exchange is not None:
            self._exchange.end_of_body()
            self._exchange.begin()
        else:
            super().on_message_complete()

    def _take_quick(self) -> bool:
        method = self.parser.get_method()
        if not is_quick(method, self.url) or not self._door.quick or self._is_busy():
            return False
        if self.flow.write_paused:
            # The server's usual way waits until the client reads.
            return False
        environ = self._base.copy()
        add_headers(environ, self.headers)
        announced = announced_in(environ)
        if announced is None or announced > QUICK_BODY or "HTTP_TRANSFER_ENCODING" in environ:
            return False
        if "HTTP_UPGRADE" in environ or "HTTP_EXPECT" in environ:
            return False
        if self.parser.get_http_version() != "1.1":
            return False
        add_line(environ, method.decode(), self.url, b"", "1.1")
        keep_alive = self.parser.should_keep_alive()
        self._exchange = Exchange(self, self._door.app, environ, keep_alive=keep_alive)
        self.cycle = self._exchange  # type: ignore[assignment]
        return True
