"""Whether a Redis server can be trusted with calls, asked once when a process starts."""

from __future__ import annotations

from typing import Any

import redis

from vomind_queue.errors import StoreUnavailable, StoreUnsuitable
from vomind_queue.store.connection import told

#: The only policy under which a full server refuses new calls instead of dropping old ones.
SAFE_POLICY = "noeviction"
#: The oldest version that the scripts run on.
OLDEST = (6, 2)


def check(client: redis.Redis, *, allow_eviction: bool) -> None:
    """Asks the server what it is and how it is set up.

    Raises StoreUnsuitable with words that say what to change, and
    StoreUnavailable when it cannot be asked now.
    """
    facts = _facts(client)
    version = str(facts.get("redis_version", "0"))
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise StoreUnsuitable(f"Redis {version} is too old: {wanted} or later is needed.")
    policy = facts.get("maxmemory_policy", SAFE_POLICY)
    if policy != SAFE_POLICY and not allow_eviction:
        raise StoreUnsuitable(
            f"Redis drops data when memory is full (maxmemory-policy {policy}), and calls with "
            f"it. Set maxmemory-policy to {SAFE_POLICY}, or ALLOW_EVICTION=1 to risk it."
        )


def _facts(client: redis.Redis) -> dict[str, Any]:
    try:
        with told(writes=False):
            return {**client.info("server"), **client.info("memory")}
    except redis.ResponseError as error:
        # Such as a database number that the server does not have.
        raise StoreUnsuitable(f"Redis does not take our connection: {error}.") from error
    except StoreUnavailable as error:
        if _refuses_us(error.__cause__):
            raise StoreUnsuitable(
                f"Redis refuses our credentials ({error.__cause__}): check REDIS_URL, or "
                "REDIS_USERNAME and REDIS_PASSWORD."
            ) from error
        raise


def _refuses_us(cause: BaseException | None) -> bool:
    known = (redis.AuthenticationError, redis.exceptions.NoPermissionError)
    return isinstance(cause, known) or str(cause).startswith(("NOAUTH", "WRONGPASS"))
