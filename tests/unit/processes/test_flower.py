"""How Flower is started."""

from __future__ import annotations

import pytest
from flower.inspector import Inspector

from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError
from vomind_queue.processes.flower import MAX_TASKS, arguments


def test_flower_listens_where_the_settings_say() -> None:
    """Address, port and password come from our settings, the memory is bounded."""
    settings = Settings.from_env({"FLOWER_PORT": "5556", "FLOWER_BASIC_AUTH": "ann:pass"})
    line = arguments(settings)
    assert {"--address=127.0.0.1", "--port=5556", "--basic_auth=ann:pass"} <= set(line)
    assert f"--max_tasks={MAX_TASKS}" in line
    below = arguments(Settings.from_env({"FLOWER_URL_PREFIX": "/flower/"}))
    assert "--url_prefix=flower" in below


def test_flower_does_not_stand_open_to_others() -> None:
    """Beyond loopback it starts with a password only."""
    beyond = {"FLOWER_HOST": "0.0.0.0"}
    with pytest.raises(
        SettingsError, match="expected a loopback address while FLOWER_BASIC_AUTH is unset"
    ):
        arguments(Settings.from_env(beyond))
    assert arguments(Settings.from_env(beyond | {"FLOWER_BASIC_AUTH": "ann:pass"}))


def test_flower_can_be_told_to_ask_one_question_at_a_time() -> None:
    """Asked for eight things at once, it kept 21 connections to Redis; now it keeps nine."""
    assert isinstance(Inspector.max_concurrency, int)
    assert Inspector(None, None, 1.0)._inspect_max_concurrency == Inspector.max_concurrency
