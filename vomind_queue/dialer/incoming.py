"""One HTTP answer, put together from the pieces in which it comes in."""

from __future__ import annotations

from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from vomind_queue.dialer.exchange import Answer

#: Largest answer that is read, bytes; a full page of 1,000 calls has about 2 MB.
MAX_ANSWER = 8 * 1024 * 1024


class Incoming:
    """An answer under way. What is no HTTP, or too much of it, raises an error."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._has_head = False
        #: The answer, once all of it is there.
        self.answer: Answer | None = None
        #: Whether another request may follow on the connection.
        self.goes_on = False

    def feed(self, piece: bytes) -> None:
        """Takes what has come; an empty piece: nothing comes any more."""
        if not piece:
            self._end()
            return
        self._size += len(piece)
        if self._size > MAX_ANSWER:
            raise ValueError("the answer is too large")
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade):
            # What follows a whole answer was not asked for, and spoils the connection alone.
            if self.answer is None:
                raise
            self.goes_on = False

    def _end(self) -> None:
        """An answer that tells no length of its body ends where the connection ends."""
        has_length = not {"content-length", "transfer-encoding"}.isdisjoint(self._headers)
        if has_length or not self._has_head:
            raise ConnectionError("it was closed")
        self._finish()

    def _finish(self) -> None:
        text = b"".join(self._body).decode("utf-8", "replace")
        status = self._parser.get_status_code()
        self.answer = Answer(status=status, headers=self._headers, text=text)

    def on_message_begin(self) -> None:
        """Called by httptools: something begins."""
        if self.answer is not None:
            raise ValueError("nothing was asked")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools: one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by httptools: the body follows."""
        self._has_head = True

    def on_body(self, piece: bytes) -> None:
        """Called by httptools: some of the body."""
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """Called by httptools: it is whole."""
        status = self._parser.get_status_code()
        if HTTPStatus.CONTINUE <= status < HTTPStatus.OK and not self._parser.should_upgrade():
            # It says that the answer is yet to come.
            self._headers, self._has_head = {}, False
            return
        self.goes_on = self._parser.should_keep_alive()
        self._finish()
