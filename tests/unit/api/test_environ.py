"""Headers as they came, in WSGI's words."""

from __future__ import annotations

from vomind_queue.api.environ import Environ, add_headers


def environ_of(*headers: tuple[bytes, bytes]) -> Environ:
    """What these headers are in WSGI's words."""
    made: Environ = {}
    add_headers(made, headers)
    return made


def test_each_header_has_its_name() -> None:
    """Two of the length and the type stand without the prefix that all others have."""
    assert environ_of(
        (b"content-type", b"text/plain"),
        (b"content-length", b"5 "),
        (b"x-request-id", b"one\t"),
    ) == {"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "5", "HTTP_X_REQUEST_ID": "one"}


def test_a_name_that_comes_again_has_all_its_values() -> None:
    """In their order."""
    headers = [(b"x-one", b"a"), (b"x-two", b"b"), (b"x-one", b"c")]
    assert environ_of(*headers) == {"HTTP_X_ONE": "a,c", "HTTP_X_TWO": "b"}


def test_an_underscore_is_no_dash() -> None:
    """Whoever takes a header out at the proxy takes it out for good."""
    headers = [(b"x_api_key", b"secret"), (b"transfer_encoding", b"chunked"), (b"x-one", b"a")]
    assert environ_of(*headers) == {"HTTP_X_ONE": "a"}
