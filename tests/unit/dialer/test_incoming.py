"""An HTTP answer, however it comes in."""

from __future__ import annotations

import pytest
from httptools import HttpParserError

from vomind_queue.dialer.exchange import Answer
from vomind_queue.dialer.incoming import MAX_ANSWER, Incoming

CREATED = b"HTTP/1.1 201 Created\r\n"
WHOLE = CREATED + b"Content-Length: 2\r\nX-Place: S\xe3o\r\n\r\n{}"
CHUNKED = CREATED + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
ENDLESS = CREATED + b"\r\n{}"


def read(*pieces: bytes) -> Incoming:
    """An answer that comes in such pieces."""
    incoming = Incoming()
    for piece in pieces:
        incoming.feed(piece)
    return incoming


def told(incoming: Incoming) -> Answer:
    """What it says, once it is whole."""
    assert incoming.answer is not None
    return incoming.answer


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE])
def test_an_answer_in_one_piece_or_byte_by_byte(answer: bytes) -> None:
    """Where it is cut changes nothing, and the connection may be used again."""
    bytewise = [answer[at : at + 1] for at in range(len(answer))]
    for incoming in (read(answer), read(*bytewise)):
        assert (told(incoming).status, told(incoming).text) == (201, "{}")
        assert incoming.goes_on
    assert read(*bytewise[:-1]).answer is None


def test_headers() -> None:
    """Names are in lower case, and values may hold any byte."""
    assert told(read(WHOLE)).headers == {"content-length": "2", "x-place": "São"}


def test_a_body_that_ends_with_the_connection() -> None:
    """Without a length it is whole when nothing comes any more, and so is the connection."""
    assert read(ENDLESS).answer is None
    ended = read(ENDLESS, b"")
    assert told(ended).text == "{}"
    assert not ended.goes_on


@pytest.mark.parametrize("answer", [WHOLE[:-1], CHUNKED[:-4], CREATED, b""])
def test_an_end_too_early(answer: bytes) -> None:
    """Half an answer is none."""
    incoming = read(answer) if answer else read()
    with pytest.raises(ConnectionError):
        incoming.feed(b"")
    assert incoming.answer is None


@pytest.mark.parametrize("more", [b"{}", WHOLE])
def test_what_was_not_asked_for_spoils_the_connection_alone(more: bytes) -> None:
    """The answer before it stands; nothing is asked on that connection any more."""
    incoming = read(WHOLE + more)
    assert told(incoming).text == "{}"
    assert not incoming.goes_on


def test_an_announced_end() -> None:
    """A server that says that it closes is not asked again on that connection."""
    assert not read(WHOLE.replace(b"X-Place: S\xe3o", b"Connection: close")).goes_on


def test_a_server_that_changes_the_protocol() -> None:
    """Its answer is one that nobody understands, and the end of the connection."""
    changed = b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nsomething"
    incoming = read(changed)
    assert told(incoming).status == 101
    assert not incoming.goes_on


def test_no_http() -> None:
    """What is none is told at once."""
    with pytest.raises(HttpParserError):
        read(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_too_much() -> None:
    """No server fills our memory."""
    with pytest.raises(ValueError, match="too large"):
        read(ENDLESS, *[b" " * (MAX_ANSWER // 8)] * 8)
