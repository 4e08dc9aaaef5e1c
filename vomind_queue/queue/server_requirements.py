"""Whether a Redis server can be trusted with calls, asked once when a process starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from vomind_queue.errors import StoreUnavailable, StoreUnsuitable
from vomind_queue.queue.connection import translate_errors
from vomind_queue.queue.redis_permissions import missing_rights

#: The only policy under which a full server refuses new calls instead of dropping old ones.
SAFE_POLICY = "noeviction"
#: The oldest version that the scripts run on.
OLDEST = (6, 2)
#: What to do about the modes of a server that cannot hold calls.
UNSUPPORTED_MODES = {
    "cluster": "Redis runs in cluster mode, which Celery cannot use. Name a server without it.",
    "sentinel": "This is a Sentinel, which holds no data. Name the primary, or a proxy in front "
    "of it.",
}


def check(client: redis.Redis, *, allow_eviction: bool) -> None:
    """Ask the server what it is, how it is set up and what we may do there.

    Raise StoreUnsuitable with words that say what to change, and
    StoreUnavailable when it cannot be asked now.
    """
    facts = _facts(client)
    if fault := mode_fault(facts):
        raise StoreUnsuitable(fault)
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
    with translate_errors(writes=False):
        missing = missing_rights(client)
    if missing:
        raise StoreUnsuitable(lacking(missing))


def mode_fault(facts: Mapping[str, Any]) -> str | None:
    """Return why a server of this mode cannot hold calls, out of its INFO; ``None`` if it can."""
    # Valkey has another name for it.
    return UNSUPPORTED_MODES.get(str(facts.get("redis_mode") or facts.get("server_mode")))


def lacking(rights: list[str]) -> str:
    """Return the words for rights that our user lacks."""
    return (
        f"Redis does not let our user use {', '.join(rights)}. "
        'Give it the rights of docs/redis.md, "A dedicated user".'
    )


def _facts(client: redis.Redis) -> dict[str, Any]:
    try:
        with translate_errors(writes=False):
            return {**client.info("server"), **client.info("memory")}
    except redis.ResponseError as error:
        # Such as a database number that the server does not have.
        raise StoreUnsuitable(f"Redis does not take our connection: {error}.") from error
    except StoreUnavailable as error:
        cause = error.__cause__
        if isinstance(cause, redis.exceptions.NoPermissionError):
            raise StoreUnsuitable(lacking(["INFO"])) from error
        refused = str(cause).startswith(("NOAUTH", "WRONGPASS"))
        if refused or isinstance(cause, redis.AuthenticationError):
            raise StoreUnsuitable(
                f"Redis refuses our credentials ({cause}): check REDIS_URL, or "
                "REDIS_USERNAME and REDIS_PASSWORD."
            ) from error
        raise
