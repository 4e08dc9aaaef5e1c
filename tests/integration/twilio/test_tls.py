"""The dialer over TLS."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.twilio.attempts import GRACE_S
from tests.integration.twilio.raw_server import Accepting
from tests.servers import missing
from tests.simulator import ACCOUNT, CALLER
from vomind_queue.calls.attempts import Accepted, Attempt, Failure, Kind
from vomind_queue.calls.call import Call
from vomind_queue.twilio.dialer import TwilioDialer

ATTEMPT = Attempt(job_id="1", token="t", call=Call(to="+15005550100"), number=1, marked_ms=0)
#: A host as Twilio's, at the usual port.
NAME = "api.twilio.invalid"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 and `NAME` that nobody else trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        missing("openssl")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    names = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:127.0.0.1,DNS:{NAME}"]
    command = [str(openssl), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += [*names, "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("a") as both:
        both.write(path.with_suffix(".crt").read_text())
    return path


class SecureServer(Accepting):
    """Answers every request over TLS with a call, and counts."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self.url = f"https://127.0.0.1:{self.port}"
        self.requests = 0
        #: The last request as it came.
        self.heard = b""
        #: At the end of an answer, and after it.
        self.padding = self.unasked = b""
        #: Pause after each byte of an answer, s.
        self.pause_s = 0.0
        self.start()

    def _answer(self, client: socket.socket) -> None:
        body = b'{"sid": "CA1", "status": "queued"}' + self.padding
        head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        try:
            with client, self._context.wrap_socket(client, server_side=True) as secure:
                while heard := secure.recv(65536):
                    self.heard = heard
                    self.requests += 1
                    if not self.pause_s:
                        secure.sendall(head + body + self.unasked)
                        continue
                    for byte in head + body:
                        secure.sendall(bytes([byte]))
                        time.sleep(self.pause_s)
        except OSError:
            # The client does not trust us, or has gone.
            return


@pytest.fixture
def server(certificate: Path) -> Iterator[SecureServer]:
    """A server over TLS."""
    made = SecureServer(certificate)
    yield made
    made.close()


def a_dialer(
    server: SecureServer, *, api_base: str | None = None, deadline_ms: int = 10_000
) -> TwilioDialer:
    """A dialer that is pointed at it."""
    return TwilioDialer(
        account_sid=ACCOUNT,
        auth_token="token",
        from_numbers=[CALLER],
        api_base=api_base or server.url,
        deadline_ms=deadline_ms,
    )


def test_a_stranger_gets_nothing(server: SecureServer) -> None:
    """A certificate that is not trusted ends it before anything is sent."""
    failed = a_dialer(server).place(ATTEMPT)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert "certificate" in failed.reason.lower()
    assert server.requests == 0


def test_calls_are_placed_over_tls(
    server: SecureServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted server is called, and the connection is kept like any other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with contextlib.closing(a_dialer(server)) as dialer:
        for _ in range(3):
            assert dialer.place(ATTEMPT) == Accepted(sid="CA1", status="queued")
            time.sleep(0.02)
    assert (server.connections, server.requests) == (1, 3)


@pytest.mark.alone
def test_the_deadline_is_for_the_answer_as_a_whole(
    server: SecureServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that sends a little again and again is given up like a silent one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    server.pause_s = 0.05
    with contextlib.closing(a_dialer(server, deadline_ms=500)) as dialer:
        start = time.monotonic()
        failed = dialer.place(ATTEMPT)
    assert time.monotonic() - start < 0.5 + GRACE_S
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.UNKNOWN
    assert server.requests == 1


def test_the_host_is_named_as_in_the_address(
    server: SecureServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the port where it is the usual one; the certificate is held against the name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    port, real = int(server.url.rsplit(":", 1)[1]), socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: real("127.0.0.1", port, type=socket.SOCK_STREAM)
    )
    with contextlib.closing(a_dialer(server, api_base=f"https://{NAME}")) as dialer:
        assert dialer.place(ATTEMPT) == Accepted(sid="CA1", status="queued")
    head = server.heard.decode().split("\r\n")
    assert [line for line in head if line.lower().startswith("host:")] == [f"Host: {NAME}"]
    with contextlib.closing(a_dialer(server, api_base="https://twilio.invalid")) as dialer:
        failed = dialer.place(ATTEMPT)
    assert isinstance(failed, Failure)
    assert failed.kind is Kind.REFUSED
    assert server.requests == 1


def test_what_was_not_asked_for_is_no_answer(
    server: SecureServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is divided: it must not be taken for the answer to the next request."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    body = b'{"sid": "CA9", "status": "queued"}'
    server.unasked = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    # A piece that is read at once has 8 KB: some of these answers end with one, others do not.
    for size in (0, 8_000, *range(8_100, 8_120)):
        server.padding = b" " * size
        with contextlib.closing(a_dialer(server)) as dialer:
            assert {dialer.place(ATTEMPT) for _ in range(2)} == {
                Accepted(sid="CA1", status="queued")
            }
