"""Redis servers that must not hold calls: told at the start, with what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from tests.servers import Server
from tests.stack import Stack


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_server_that_drops_data_is_refused(stack: Stack, part: str) -> None:
    """Unless that is allowed by a setting."""
    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            process = stack.start(part)
            assert process.wait() != 0
            assert "allkeys-lru" in process.output
            assert "ALLOW_EVICTION" in process.output
            assert "Traceback" not in process.output
            start = {"web": stack.start_web, "worker": stack.start_worker}[part]
            assert start(ALLOW_EVICTION="1").alive
        finally:
            client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("part", ["web", "worker"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_told(
    stack: Stack, start_server: Callable[..., Server], part: str, password: str
) -> None:
    """One line that names the settings, and an end that is no success."""
    server = start_server()
    with server.client() as client:
        client.config_set("requirepass", "right")
    stack.settings["REDIS_URL"] = server.url.replace("//", f"//:{password}@")
    process = stack.start(part)
    assert process.wait() != 0
    assert "Redis refuses our credentials" in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_database_that_is_not_there_is_told(stack: Stack, part: str) -> None:
    """One line, and an end that is no success."""
    stack.settings["REDIS_URL"] = stack.redis_url.removesuffix("0") + "99"
    process = stack.start(part)
    assert process.wait() != 0
    assert "Redis does not take our connection" in process.output
    assert "Traceback" not in process.output
