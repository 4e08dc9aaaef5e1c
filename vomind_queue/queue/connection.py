"""Connections to Redis, and what their failures mean.

Two kinds of client are made. The API's tries every command once and gives up
early, so that a request is answered within two seconds and nothing is sent
again behind a client's back. The worker's waits longer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import redis
from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.retry import Retry

from vomind_queue.errors import StoreFull, StoreUnavailable
from vomind_queue.observability.redis_memory import REMEDY
from vomind_queue.queue.codes import Code
from vomind_queue.queue.connection_pool import NotSent, Pool, has_no_room
from vomind_queue.queue.keys import RECONCILING
from vomind_queue.queue.lua_sources import OUTBOX_MAX
from vomind_queue.queue.scripts import Scripts

#: How long the API waits for one answer, s: a 503 has to come within 2 s.
API_TIMEOUT_S = 1.5
#: How long a worker waits for one answer, s.
WORKER_TIMEOUT_S = 5.0
#: How old an estimate of the server's clock may be, s.
CLOCK_SAMPLE_S = 15.0

#: Members of a set that one script moves from a key of an older version.
MOVED_AT_ONCE = 500
#: How many connections one process may hold: a thread needs one at a time.
MOST_CONNECTIONS = 16
#: A caller waits this part of its time limit while all connections are in use.
_WAIT_SHARE = 0.2

#: Errors by which a server says that it cannot take a command now, by class …
_REFUSALS = (
    redis.ReadOnlyError,
    redis.exceptions.NoPermissionError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
    redis.exceptions.TryAgainError,
)
#: … or by the first word of their text, which Redis 6 wraps when a script met them
#: (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
_REFUSING_WORD = re.compile(
    r"(^|: -)(READONLY|MISCONF|NOREPLICAS|MASTERDOWN|BUSY|NOAUTH|NOPERM|WRONGPASS|UNBLOCKED)\b"
)
_FULL_WORD = re.compile(r"(^|: -)OOM\b")
#: The same for errors of a server that is not the primary, or not yet: after a failover a proxy
#: leaves old connections open to it.
_DEMOTED = (
    redis.ReadOnlyError,
    redis.BusyLoadingError,
    redis.exceptions.MasterDownError,
)
_DEMOTED_WORD = re.compile(r"(^|: -)(READONLY|LOADING|MASTERDOWN|UNBLOCKED)\b")


_STOCK_WAY = redis.Redis.execute_command


class Client(redis.Redis):
    """A client that reconnects once a server has said that it is not the primary."""

    connection_pool: Pool

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        #: Whether nobody follows the commands: tracing wraps the stock way before a client is made.
        self._unfollowed = redis.Redis.execute_command is _STOCK_WAY

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command, once."""
        try:
            if self._unfollowed and args[0] == "EVALSHA":
                return self._send(args)
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            if isinstance(error, _DEMOTED) or _DEMOTED_WORD.search(str(error)):
                self.connection_pool.retire()
            raise

    def _send(self, command: tuple[Any, ...]) -> Any:
        """Send what has no answer of a special form; the stock way takes half as long again."""
        connection = self.connection_pool.get_connection()
        answered_at = 0.0
        try:
            packed = pack_command(command)
            connection.send_packed_command([packed])
            answer = connection.read_response()
            answered_at = time.monotonic()
            return answer
        except redis.ResponseError:
            raise
        except BaseException:
            # Its answer may still come, and is nobody else's.
            connection.disconnect()
            raise
        finally:
            self.connection_pool.release(connection, answered_at=answered_at)


def connect(url: str, *, timeout_s: float, max_connections: int = MOST_CONNECTIONS) -> redis.Redis:
    """Return a client for one server; it connects on first use.

    A ``rediss://`` address that says ``ssl_cert_reqs=none`` is not verified: hosted
    Redis comes with self-signed certificates.
    """
    options: dict[str, Any] = {"ssl_check_hostname": False} if unverified(url) else {}
    pool = Pool.from_url(
        url,
        wait_s=timeout_s * _WAIT_SHARE,
        decode_responses=True,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 1.0),
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=max_connections,
        **options,
    )
    return Client.from_pool(pool)


def unverified(url: str) -> bool:
    """Return whether an encrypted connection is made without checking who answers."""
    parts = urlsplit(url)
    return parts.scheme == "rediss" and "none" in parse_qs(parts.query).get("ssl_cert_reqs", [])


class _Translation:
    """What `translate_errors` returns; a generator would cost more than all else here."""

    __slots__ = ("_writes",)

    def __init__(self, *, writes: bool) -> None:
        self._writes = writes

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, redis.RedisError):
            _raise_ours(error, writes=self._writes)


_READING, _WRITING = _Translation(writes=False), _Translation(writes=True)


def translate_errors(*, writes: bool) -> _Translation:
    """Turn redis-py's errors into StoreUnavailable.

    A command that ``writes`` and whose reply was lost has an unknown outcome; one
    that never left, or that the server refused, has not been carried out.
    """
    return _WRITING if writes else _READING


def _raise_ours(error: redis.RedisError, *, writes: bool) -> None:
    """Raise our own error for one of redis-py's; return if there is none."""
    if isinstance(error, redis.AuthenticationError):
        raise StoreUnavailable(f"Redis refuses our credentials: {error}") from error
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        refused = isinstance(error, NotSent | redis.BusyLoadingError) or has_no_room(error)
        raise StoreUnavailable(
            f"Redis cannot be reached: {error}", outcome_unknown=writes and not refused
        ) from error
    if isinstance(error, redis.OutOfMemoryError) or _FULL_WORD.search(str(error)):
        raise StoreFull(f"Redis is full, its memory is used up. {REMEDY}") from error
    if isinstance(error, _REFUSALS) or _REFUSING_WORD.search(str(error)):
        raise StoreUnavailable(f"Redis cannot take the command: {error}") from error


class ServerClock:
    """What time it is on the Redis server, without asking it each time."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._ahead_ms = 0.0
        self._sampled_at = float("-inf")

    def note(self, server_ms: int) -> None:
        """Take a time that the server has just answered with."""
        at = time.monotonic()
        self._ahead_ms = server_ms - at * 1000
        self._sampled_at = at

    def now_ms(self) -> int:
        """Return Unix ms on the server's clock; slow by at most one round trip."""
        if time.monotonic() - self._sampled_at > CLOCK_SAMPLE_S:
            seconds, micros = self._client.time()
            self.note(seconds * 1000 + micros // 1000)
        return int(time.monotonic() * 1000 + self._ahead_ms)


class RedisStore:
    """Runs scripts; has the server's clock, and raises our own errors."""

    def __init__(self, client: redis.Redis, outbox_max: int = OUTBOX_MAX) -> None:
        """``outbox_max``: entries that may wait for the call log."""
        self.client = client
        self.clock = ServerClock(client)
        self._scripts = Scripts(client, outbox_max)
        self._old_keys_moved = False

    def ask(self, *command: Any) -> Any:
        """Send one command whose loss does no harm."""
        with translate_errors(writes=False):
            return self.client.execute_command(*command)  # type: ignore[no-untyped-call]

    def read(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        """Run a script that writes nothing."""
        with translate_errors(writes=False):
            return self._run(name, key_names, *args)

    def write(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        """Run a script that writes."""
        with translate_errors(writes=True):
            return self._run(name, key_names, *args)

    def run_with_deadline(self, name: str, key: str, *args: Any) -> list[Any]:
        """Run a script that takes a deadline first and return a code and the time first.

        Raise StoreUnavailable when the server came to it after the deadline.
        """
        answer = self.write(name, [key], self.deadline_ms(), *args)
        self.clock.note(int(answer[1]))
        return in_time(answer)

    def run_each_with_deadline(
        self, name: str, key: str, given: Sequence[tuple[Any, ...]]
    ) -> list[list[Any]]:
        """Do the same for many arguments in one round trip; each is a separate step."""
        deadline_ms = self.deadline_ms()
        with translate_errors(writes=True):
            self._prepare()
            answers = self._scripts.run_each(name, [key], [(deadline_ms, *each) for each in given])
        return [in_time(answer) for answer in answers]

    def move_old_keys(self) -> None:
        """Move what versions before 0.9.0 stored under other names. Raise StoreUnavailable."""
        with translate_errors(writes=False):
            self._move_old_keys()

    def now_ms(self) -> int:
        """Return Unix ms on the server's clock."""
        with translate_errors(writes=False):
            return self.clock.now_ms()

    def _run(self, name: str, key_names: list[str], *args: Any) -> list[Any]:
        self._prepare()
        return cast(list[Any], self._scripts.run(name, key_names, *args))

    def _prepare(self) -> None:
        if not self._old_keys_moved:
            # Before anything else that this process does, however late Redis answers at first.
            self._move_old_keys()
            self._old_keys_moved = True

    def _move_old_keys(self) -> None:
        while self._scripts.run("move_old_keys", [RECONCILING], MOVED_AT_ONCE)[1]:
            pass

    def deadline_ms(self) -> int:
        """Return when a request that is sent now is given up, unix ms on the server's clock."""
        return self.now_ms() + int(API_TIMEOUT_S * 1000)


def in_time(answer: list[Any]) -> list[Any]:
    """Return a script's answer; raise StoreUnavailable for one that came to nothing, being late."""
    if answer[0] == Code.LATE:
        raise StoreUnavailable("Redis was too slow; nothing was changed.")
    return answer
