"""Which of the commands, keys and channels that the processes use their Redis user may not use.

Each command is put into a transaction that is then discarded: the server judges rights when a
command is queued, and carries nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import redis
from redis.exceptions import NoPermissionError

from vomind_queue.store import keys

#: A key of the calls' own, which nothing is ever written to.
_OURS = keys.NOTHING
#: Names that Celery uses beside it: task queues, bindings, unacknowledged messages, replies.
_CELERYS = (
    "celery",
    "_kombu.binding.celery",
    "_kombu.binding_permanent.celery",
    "unacked",
    "x.reply.celery.pidbox\x06\x163",
)
#: What the scripts and Celery do with keys, each with arguments that it takes.
_COMMANDS: Sequence[tuple[str, ...]] = (
    ("EVALSHA", "0" * 40, "1", _OURS),
    ("EVAL", "return 1", "1", _OURS),
    ("SCRIPT", "LOAD", "return 1"),
    ("TIME",),
    ("INFO", "memory"),
    ("EXISTS", _OURS),
    ("GET", _OURS),
    ("SET", _OURS, "1"),
    ("INCR", _OURS),
    ("INCRBY", _OURS, "1"),
    ("DEL", _OURS),
    ("RENAME", _OURS, _OURS),
    ("PEXPIRE", _OURS, "1"),
    ("PTTL", _OURS),
    ("HSET", _OURS, "f", "1"),
    ("HSETNX", _OURS, "f", "1"),
    ("HGET", _OURS, "f"),
    ("HMGET", _OURS, "f"),
    ("HGETALL", _OURS),
    ("HEXISTS", _OURS, "f"),
    ("HDEL", _OURS, "f"),
    ("HINCRBY", _OURS, "f", "1"),
    ("HLEN", _OURS),
    ("HSCAN", _OURS, "0"),
    ("ZADD", _OURS, "1", "m"),
    ("ZREM", _OURS, "m"),
    ("ZCARD", _OURS),
    ("ZCOUNT", _OURS, "0", "1"),
    ("ZRANGE", _OURS, "0", "1"),
    ("ZREVRANGE", _OURS, "0", "1"),
    ("ZRANGEBYSCORE", _OURS, "0", "1"),
    ("ZREVRANGEBYSCORE", _OURS, "1", "0"),
    ("ZRANGEBYLEX", _OURS, "-", "+"),
    ("ZREMRANGEBYLEX", _OURS, "(b", "(a"),
    ("ZREMRANGEBYSCORE", _OURS, "0", "1"),
    ("ZREMRANGEBYRANK", _OURS, "0", "1"),
    ("ZPOPMIN", _OURS),
    ("ZRANK", _OURS, "m"),
    ("ZSCORE", _OURS, "m"),
    ("ZMSCORE", _OURS, "m"),
    ("ZSCAN", _OURS, "0"),
    ("LPUSH", _OURS, "1"),
    ("RPUSH", _OURS, "1"),
    ("RPOP", _OURS),
    ("BRPOP", _OURS, "1"),
    ("BLPOP", _OURS, "1"),
    ("LLEN", _OURS),
    ("LINDEX", _OURS, "0"),
    ("LPOS", _OURS, "1"),
    ("LRANGE", _OURS, "0", "1"),
    ("LTRIM", _OURS, "0", "1"),
    ("LREM", _OURS, "0", "1"),
    ("XADD", _OURS, "*", "f", "1"),
    ("XRANGE", _OURS, "-", "+"),
    ("XREAD", "STREAMS", _OURS, "0-0"),
    ("XDEL", _OURS, "0-1"),
    ("XLEN", _OURS),
    ("XTRIM", _OURS, "MAXLEN", "1"),
    ("SADD", _OURS, "m"),
    ("SREM", _OURS, "m"),
    ("SMEMBERS", _OURS),
    ("PING",),
)


def missing_rights(client: redis.Redis) -> list[str]:
    """Return the commands, keys and channels that are denied; empty when nothing is.

    Raise redis-py's errors where the server cannot be asked.
    """
    return list(dict.fromkeys([*_denied_commands(client), *_denied_channels(client)]))


def _denied_commands(client: redis.Redis) -> Iterator[str]:
    connection: Any = client.connection_pool.get_connection()
    try:
        if not _may(connection, "MULTI"):
            yield "MULTI"
            return
        if not _may(connection, "EXISTS", _OURS):
            yield "keys {calls}:*"
            return
        for command in _COMMANDS:
            if not _may(connection, *command):
                yield " ".join(command[:2]) if command[0] == "SCRIPT" else command[0]
        for name in _CELERYS:
            if not _may(connection, "EXISTS", name):
                yield f"key {name!r}"
    finally:
        # The transaction ends with its connection.
        connection.disconnect()
        client.connection_pool.release(connection)


def _may(connection: Any, *command: str) -> bool:
    connection.send_command(*command)
    try:
        connection.read_response()
    except NoPermissionError:
        return False
    except redis.ResponseError:
        # Queued all the same, or refused for another reason than rights.
        return True
    return True


def _denied_channels(client: redis.Redis) -> Iterator[str]:
    channel = f"/{client.get_connection_kwargs().get('db', 0)}.celeryev/worker.heartbeat"
    with client.pubsub() as listener:  # type: ignore[no-untyped-call]  # it brings none
        try:
            client.publish(f"{channel}.check", "")
            listener.psubscribe(f"{channel}.check")
            listener.get_message(timeout=1.0)
        except NoPermissionError:
            yield f"channel {channel}"
