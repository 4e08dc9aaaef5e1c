"""Types of settings that are addresses and hosts, and what may reach a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from vomind_queue.config.types import Type, matching, split
from vomind_queue.webhooks.addresses import Network


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError
    _ = parts.port  # raises ValueError if it is not a port
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError
    return _http_url(text).rstrip("/")


#: An address, without a slash at its end.
HTTP_URL = Type(
    parse=lambda text: _http_url(text).rstrip("/"), expected="an http:// or https:// address"
)
#: An address, kept exactly as it is written.
PAGE_URL = Type(parse=_http_url, expected="an http:// or https:// address")
#: An address that paths are appended to.
BASE_URL = Type(
    parse=_base_url, expected="an http:// or https:// address without a query and without a login"
)
#: A host to listen on or to connect to.
HOST = matching(r"[A-Za-z0-9._:-]+", "a host name or an IP address")
_address_host = matching(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "a host name without scheme, port and path"
)
#: Several hosts.
HOSTS = Type(
    parse=lambda text: tuple(HOST.parse(part) for part in split(text)),
    expected="host names, separated by commas",
)
#: Names of hosts in addresses, in lower case.
ADDRESS_HOSTS = Type(
    parse=lambda text: tuple(_address_host.parse(part).lower() for part in split(text)),
    expected="host names without scheme, port and path, separated by commas",
)


def _networks(text: str) -> Sequence[Network]:
    # A host's address within a network is a typing error.
    return tuple(ipaddress.ip_network(part) for part in split(text))


#: Networks of IP addresses.
NETWORKS = Type(
    parse=_networks, expected="networks, such as 10.0.0.0/8 or fd00::/8, separated by commas"
)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


#: Ends of names that the internet does not know (RFC 6761, RFC 6762, RFC 8375, and by habit).
_PRIVATE = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


def is_public(host: str) -> bool:
    """Return whether a host's name or address may be reached from the internet."""
    name = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        _, dot, last = name.rpartition(".")
        return bool(dot) and not last.isdecimal() and not name.endswith(_PRIVATE)


@lru_cache(maxsize=32)
def is_own_host(host: str, names: frozenset[str]) -> bool:
    """Return whether a Host header holds one of these names, localhost or an IP address.

    An IP address is safe: the owner of a domain cannot point it here. ``names`` are in lower
    case.
    """
    name = re.sub(r":[0-9]*$", "", host).lower().rstrip(".")
    if name == "localhost" or name in names:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
