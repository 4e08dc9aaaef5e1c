"""Where a call's own application may be."""

from __future__ import annotations

import pytest

from vomind_queue.calls.application import ApplicationPolicy, host_of

HOSTS = ("agents.example.com", "127.0.0.1", "localhost")
#: Address, whether the simulator places the calls, and a word of the objection.
CASES = [
    ("https://agents.example.com/voice/", False, None),
    ("https://AGENTS.example.com:8443/voice", False, None),
    ("https://agents.example.com", True, None),
    ("http://agents.example.com/", False, "https://"),
    ("http://agents.example.com/", True, "https://"),
    ("http://127.0.0.1:8765/voice", True, None),
    ("http://localhost/voice", True, None),
    ("http://127.0.0.1:8765/voice", False, "https://"),
    ("https://example.com/", False, "TWIML_HOSTS"),
    ("https://agents.example.com.evil.example/", False, "TWIML_HOSTS"),
    ("https://evil.example/?agents.example.com", False, "TWIML_HOSTS"),
    ("https://evil.example/#@agents.example.com", False, "TWIML_HOSTS"),
    ("http://127.0.0.2/", True, "TWIML_HOSTS"),
]


@pytest.mark.parametrize(("url", "simulated", "objection"), CASES)
def test_an_application_is_on_a_host_of_the_list(
    url: str, simulated: bool, objection: str | None
) -> None:
    """By https; by http on loopback alone, and under the simulator."""
    found = ApplicationPolicy(hosts=HOSTS, simulated=simulated).objection(url)
    assert (objection in found) if objection and found else found == objection


def test_without_a_list_there_is_none() -> None:
    """The words name the setting."""
    assert "TWIML_HOSTS" in (ApplicationPolicy().objection("https://agents.example.com") or "")


def test_what_two_readers_could_take_for_two_hosts_has_none() -> None:
    """A login, a backslash, a space."""
    for url in ("https://a.example@b.example/", "https://a.example\\@b.example", "https://a .b/"):
        assert host_of(url) == ""
