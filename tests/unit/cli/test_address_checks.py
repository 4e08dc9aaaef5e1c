"""What `doctor` says of addresses that Twilio is to reach."""

from __future__ import annotations

import pytest

from vomind_queue.cli.address_checks import check_applications, check_callbacks
from vomind_queue.config.address_types import is_public
from vomind_queue.config.settings import Settings
from vomind_queue.observability.check_result import Grade

ACCOUNT = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "x",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}
PRIVATE = [
    *("127.0.0.1", "localhost", "::1", "0.0.0.0", "127.1", "queue.localhost", "localhost."),
    *("10.0.0.7", "172.16.3.4", "192.168.1.2", "169.254.1.1", "100.64.0.1", "fd00::1"),
    *("web", "queue.local", "web.default.svc.cluster.local", "queue.internal", "nas.lan"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_wrong_with_a_real_account(host: str) -> None:
    """Twilio can never reach it, whatever this machine can."""
    there = f"[{host}]" if ":" in host else host
    settings = Settings.from_env(
        {**ACCOUNT, "PUBLIC_URL": f"http://{there}:3000", "TWIML_URL": f"http://{there}/voice"}
    )
    for check in (check_callbacks, check_applications):
        (result,) = check(settings)
        assert (result.grade, "can never reach" in result.said) == (Grade.WRONG, True)


@pytest.mark.parametrize("host", ["8.8.8.8", "queue.example.com", "localtest.me", "2600::1"])
def test_a_public_address_may_be_reached(host: str) -> None:
    """Whether it is reached, only a request tells."""
    assert is_public(host)


def test_the_simulator_reaches_this_machine() -> None:
    """It runs here."""
    settings = Settings.from_env({"TWIML_URL": "http://127.0.0.1:4000/voice"})
    assert list(check_applications(settings)) == []
