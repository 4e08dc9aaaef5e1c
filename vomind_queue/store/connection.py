"""Connections to Redis, and what their failures mean.

Two kinds of client are made. The API's tries every command once and gives up
early, so that a request is answered within two seconds and nothing is sent
again behind a client's back. The worker's waits longer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from vomind_queue.errors import StoreUnavailable
from vomind_queue.store.codes import Code
from vomind_queue.store.scripts import Scripts
from vomind_queue.store.sources import OUTBOX_MAX
from vomind_queue.store.trunk import Trunk
from vomind_queue.store.wire import Wire

#: How long the API waits for one answer, s: a 503 has to come within 2 s.
API_TIMEOUT_S = 1.5
#: How long a worker waits for one answer, s.
WORKER_TIMEOUT_S = 5.0
#: How old an estimate of the server's clock may be, s.
CLOCK_SAMPLE_S = 15.0

#: Errors by which a server says that it cannot take a command now, told by class …
_REFUSALS = (
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.exceptions.NoPermissionError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
    redis.exceptions.TryAgainError,
)
#: … or by the first word of their text, which Redis 6 wraps when a script met them
#: (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
_REFUSING_WORD = re.compile(
    r"(^|: -)(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|BUSY|NOAUTH|NOPERM|WRONGPASS|UNBLOCKED)\b"
)


def connect(url: str, *, timeout_s: float, max_connections: int = 256) -> redis.Redis:
    """A client for one server; connects on first use.

    A ``rediss://`` address that says ``ssl_cert_reqs=none`` is not verified: hosted
    Redis comes with self-signed certificates.
    """
    options: dict[str, Any] = {"ssl_check_hostname": False} if unverified(url) else {}
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 1.0),
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=max_connections,
        **options,
    )


def unverified(url: str) -> bool:
    """Whether an encrypted connection is made to whoever answers there."""
    parts = urlsplit(url)
    return parts.scheme == "rediss" and "none" in parse_qs(parts.query).get("ssl_cert_reqs", [])


@contextmanager
def told(*, writes: bool) -> Iterator[None]:
    """Turns redis-py's errors into StoreUnavailable.

    A command that ``writes`` and whose reply was lost has an unknown outcome; one
    that never left, or that the server refused, has not been carried out.
    """
    try:
        yield
    except redis.RedisError as error:
        raise_told(error, writes=writes)


def raise_told(error: redis.RedisError, *, writes: bool) -> NoReturn:
    """What `told` does, for those who have the error already."""
    if isinstance(error, redis.AuthenticationError):
        raise StoreUnavailable(f"Redis refuses our credentials: {error}") from error
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        never_sent = "connecting to" in str(error) or isinstance(error, redis.BusyLoadingError)
        raise StoreUnavailable(
            f"Redis cannot be reached: {error}", outcome_unknown=writes and not never_sent
        ) from error
    if isinstance(error, redis.ResponseError) and (
        isinstance(error, _REFUSALS) or _REFUSING_WORD.search(str(error))
    ):
        raise StoreUnavailable(f"Redis cannot take the command: {error}") from error
    raise error


class ServerClock:
    """What time it is on the Redis server, without asking it each time."""

    def __init__(self, wire: Wire | Trunk) -> None:
        self._wire = wire
        self._ahead_ms = 0.0
        self._sampled_at = float("-inf")

    def note(self, server_ms: int) -> None:
        """Takes a time that the server has just answered with."""
        at = time.monotonic()
        self._ahead_ms = server_ms - at * 1000
        self._sampled_at = at

    def now_ms(self) -> int:
        """Unix ms on the server's clock; slow by at most one round trip."""
        if time.monotonic() - self._sampled_at > CLOCK_SAMPLE_S:
            seconds, micros = self._wire.ask("TIME")
            self.note(int(seconds) * 1000 + int(micros) // 1000)
        return int(time.monotonic() * 1000 + self._ahead_ms)


class Gate:
    """Runs scripts, with the server's clock and with failures told in our own terms."""

    def __init__(
        self, client: redis.Redis, outbox_max: int = OUTBOX_MAX, *, shared: bool = False
    ) -> None:
        """``outbox_max``: entries that may wait for the call log.

        ``shared``: the scripts of all threads leave over one connection (see `trunk.py`), which
        suits a process of many threads that mostly wait for something else.
        """
        self.client = client
        self._wire: Wire | Trunk = Trunk(client) if shared else Wire(client)
        self.clock = ServerClock(self._wire)
        self._scripts = Scripts(self._wire, outbox_max)

    def ask(self, *command: Any) -> Any:
        """Sends one command that writes nothing; on the way of every request, as scripts are."""
        with told(writes=False):
            return self._wire.ask(*command)

    def read(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        """Runs a script that writes nothing."""
        return self._run(name, key_names, args, writes=False)

    def write(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        """Runs a script that writes."""
        return self._run(name, key_names, args, writes=True)

    def _run(
        self, name: str, key_names: list[str], args: tuple[Any, ...], *, writes: bool
    ) -> list[Any]:
        # Written out and not `told`: on the way of every request.
        try:
            return cast(list[Any], self._scripts.run(name, key_names, *args))
        except redis.RedisError as error:
            raise_told(error, writes=writes)

    def change(self, name: str, key: str, *args: Any) -> list[Any]:
        """Runs a script that takes a deadline first and answers a code and the time first.

        Raises StoreUnavailable when the server came to it after the deadline.
        """
        answer = self.write(name, [key], self.deadline_ms(), *args)
        self.clock.note(int(answer[1]))
        return in_time(answer)

    def now_ms(self) -> int:
        """Unix ms on the server's clock."""
        # As above.
        try:
            return self.clock.now_ms()
        except redis.RedisError as error:
            raise_told(error, writes=False)

    def deadline_ms(self) -> int:
        """When a request that is sent now is given up, unix ms on the server's clock."""
        return self.now_ms() + int(API_TIMEOUT_S * 1000)


def in_time(answer: list[Any]) -> list[Any]:
    """A script's answer; raises StoreUnavailable for one that came to nothing, being late."""
    if answer[0] == Code.LATE:
        raise StoreUnavailable("Redis was too slow; nothing was changed.")
    return answer
