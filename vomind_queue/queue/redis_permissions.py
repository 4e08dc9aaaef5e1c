"""Which of the commands, keys and channels that the processes use their Redis user may not use.

Each command is put into a transaction that is then discarded: the server judges rights when a
command is queued, and carries nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis
from redis.exceptions import NoPermissionError

from vomind_queue.queue import keys

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
_KEYED = """
    TIME; INFO memory; EXISTS key; GET key; SET key 1; INCR key; INCRBY key 1; DEL key;
    RENAME key key; PEXPIRE key 1; PTTL key; HSET key f 1; HSETNX key f 1; HGET key f;
    HMGET key f; HGETALL key; HEXISTS key f; HDEL key f; HINCRBY key f 1; HLEN key; HSCAN key 0;
    ZADD key 1 m; ZINCRBY key 1 m; ZUNIONSTORE key 1 key; ZREM key m; ZCARD key; ZCOUNT key 0 1;
    ZRANGE key 0 1; ZREVRANGE key 0 1; ZRANGEBYSCORE key 0 1; ZREVRANGEBYSCORE key 1 0;
    ZRANGEBYLEX key - +;
    ZREMRANGEBYLEX key (b (a; ZREMRANGEBYSCORE key 0 1; ZREMRANGEBYRANK key 0 1; ZPOPMIN key;
    ZRANK key m; ZSCORE key m; ZMSCORE key m; ZSCAN key 0; LPUSH key 1; RPUSH key 1; RPOP key;
    BRPOP key 1; BLPOP key 1; LLEN key; LINDEX key 0; LPOS key 1; LRANGE key 0 1; LTRIM key 0 1;
    LREM key 0 1; XADD key * f 1; XRANGE key - +; XREAD STREAMS key 0-0; XDEL key 0-1; XLEN key;
    XTRIM key MAXLEN 1; SADD key m; SREM key m; SMEMBERS key; PING
"""
_COMMANDS = [
    ["EVALSHA", "0" * 40, "1", _OURS],
    ["EVAL", "return 1", "1", _OURS],
    ["SCRIPT", "LOAD", "return 1"],
    *(command.replace("key", _OURS).split() for command in _KEYED.split(";")),
]


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
