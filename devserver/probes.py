"""Questions to a TCP port: is it free, does what listens there answer as it should."""

from __future__ import annotations

import errno
import ipaddress
import socket
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from vomind_queue.errors import SettingsError

#: For one question, seconds: what is ready answers at once.
ANSWER_S = 2.0
#: Between two questions while waiting, seconds.
PAUSE_S = 0.1


def serves(host: str, port: int, path: str, login: str = "") -> bool:
    """Return whether ``GET path`` is answered with 200; ``login`` is ``user:password``."""
    shown = b64encode(login.encode()).decode()
    connection = HTTPConnection(reachable(host), port, timeout=ANSWER_S)
    try:
        headers = {"Authorization": f"Basic {shown}"} if login else {}
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """Return the address at which this machine reaches what listens on ``host``."""
    try:
        if not ipaddress.ip_address(host).is_unspecified:
            return host
    except ValueError:
        return host
    return "::1" if ":" in host else "127.0.0.1"


def in_url(host: str) -> str:
    """Return ``host`` as an address has it."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something is going to listen, and the variable that says so."""

    host: str
    port: int
    variable: str


def check_free(places: Sequence[Place], *, within_s: float) -> None:
    """Return when all places are free at the same time.

    Waits a little, because what was just ended may still hold its port. Raise SettingsError with
    one line naming the first place that is taken.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            return _try(places)
        except SettingsError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)


def _try(places: Sequence[Place]) -> None:
    # All are held at once, so that two of them cannot be the same.
    with ExitStack() as held:
        for place in places:
            held.enter_context(_bound(place))


def _bound(place: Place) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise SettingsError(f"{place.host} cannot be listened on: {error.strerror}.") from None
    listener = socket.socket(family, kind)
    try:
        # As servers do: the traces of a closed connection do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        where = f"{in_url(place.host)}:{place.port}"
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {place.port} is in use on {place.host}: set {place.variable} to another one."
            ) from None
        raise SettingsError(f"{where} cannot be listened on: {error.strerror}.") from None
    return listener
