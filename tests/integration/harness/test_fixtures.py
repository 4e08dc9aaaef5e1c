"""The tests' own ground: what a test is given, and what it cannot do."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redis
from pytest_socket import SocketConnectBlockedError

from tests.ports import Ports
from tests.servers import Server
from tests.stack import Stack


def test_an_address_beyond_loopback_cannot_be_reached() -> None:
    """A test that would talk to the internet fails instead."""
    with socket.socket() as outside, pytest.raises((SocketConnectBlockedError, UserWarning)):
        outside.connect(("192.0.2.1", 80))


def test_each_test_gets_an_empty_server(valkey: redis.Redis) -> None:
    """What a test finds is what it put there."""
    assert valkey.dbsize() == 0
    valkey.set("left", "behind")


def test_each_test_gets_an_empty_server_again(valkey: redis.Redis) -> None:
    """The same, so that one of the two runs second in any order."""
    test_each_test_gets_an_empty_server(valkey)


def test_a_durable_server_keeps_its_data_over_a_kill(
    start_server: Callable[..., Server],
) -> None:
    """A test can pull the plug and look at what is left."""
    server = start_server(durable=True)
    with server.client() as client:
        client.set("kept", "yes")
    server.kill()
    server.start()
    with server.client() as client:
        assert client.get("kept") == "yes"


def test_a_live_twilio_is_refused(stack: Stack) -> None:
    """No test can be pointed at a Twilio that rings people."""
    stack.settings["TWILIO_API_BASE"] = "https://api.twilio.com"
    with pytest.raises(AssertionError, match="beyond loopback"):
        stack.environment()


def test_settings_of_the_tester_do_not_reach_a_process(stack: Stack) -> None:
    """Neither the environment's Twilio keys nor a .env file count in a test."""
    assert stack.environment()["VOMIND_ENV_FILE"] == ""
    assert "TWILIO_API_KEY" not in os.environ


def test_no_two_runs_are_given_the_same_port(tmp_path: Path) -> None:
    """Each has a block of ports, even before anything listens there."""
    with closing(Ports(tmp_path)) as one, closing(Ports(tmp_path)) as other:
        given = {one.free() for _ in range(50)} | {other.free() for _ in range(50)}
        assert len(given) == 100


def test_the_ports_of_a_run_that_ended_are_given_again(tmp_path: Path) -> None:
    """The machine does not run out of them."""
    with closing(Ports(tmp_path)) as one:
        first = one.free()
    with closing(Ports(tmp_path)) as other:
        assert other.free() == first


def test_a_port_that_somebody_listens_on_is_not_given(tmp_path: Path) -> None:
    """Other programs may use ports of the block."""
    with closing(Ports(tmp_path)) as one, socket.socket() as listener:
        taken = one.free() + 1
        # Or somebody uses it already, which is as good.
        with suppress(OSError):
            listener.bind(("127.0.0.1", taken))
        assert one.free() > taken
