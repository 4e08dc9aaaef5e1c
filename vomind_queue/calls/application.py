"""A call's own application, which Twilio asks what to do on the call: where it may be.

Twilio gets the address to the letter. So what one reader takes for the host must be the host for
every other one: a login, a backslash and all characters that URLs do not have are refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

#: Longest address that Twilio is given, characters: as many as TwiML may have.
MAX_URL = 4_000
#: An address, as a regular expression that other languages read, too.
PATTERN = (
    r"^https?://([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
    r"(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$"
)
_URL = re.compile(PATTERN)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationPolicy:
    """Where the applications of single calls may be."""

    #: Names of hosts, in lower case; none: no call may have its own application.
    hosts: Collection[str] = ()
    #: Whether the simulator places the calls: applications on this machine need no certificate.
    simulated: bool = False

    def objection(self, url: str) -> str | None:
        """Return why a call may not name that address, as the API says it; ``None``: it may."""
        if not self.hosts:
            return "Must be absent until the operator sets TWIML_HOSTS, the hosts that it may name."
        host = host_of(url)
        if host not in self.hosts:
            return f"Must be on a host that TWIML_HOSTS lists; got {host}."
        if url.startswith("http:") and not (self.simulated and _is_loopback(host)):
            return "Must be an https:// address; http:// is for loopback under the simulator."
        return None


def is_address(text: str) -> bool:
    """Return whether that is an address of which every reader sees the same host."""
    return _URL.fullmatch(text) is not None


def host_of(url: str) -> str:
    """Return the host of an address that `is_address` accepts, in lower case."""
    found = _URL.fullmatch(url)
    return found[1].lower() if found else ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
