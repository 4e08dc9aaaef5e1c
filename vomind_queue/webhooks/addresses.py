"""Where webhooks may be sent: to public addresses, and to networks that the operator names.

A name is judged twice: as it is written when the subscription is made, and by the addresses that it
has when a connection is made (see `notifier/guarded_client.py`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Longest address of a receiver, characters.
MAX_URL = 2_000
#: What an address may consist of (RFC 3986).
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
#: Public addresses behind which a cloud keeps what is no stranger's business: Azure's host.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
#: For a network's own protocols (RFC 6890, RFC 8215); not each Python counts all of it as such.
_RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("64:ff9b:1::/48"))
#: What IPv6 has for hosts of the open internet (RFC 4291); the rest is for other ends, or for none.
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
#: What of it is for examples (RFC 9637); older versions of Python take it for open.
_EXAMPLES = ipaddress.ip_network("3fff::/20")
#: Prefixes of IPv6 whose last 32 bits are an address of IPv4: NAT64, and the deprecated form.
_EMBEDDING = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet, in each reading of it."""
    return all(map(_is_open, _readings(address)))


def _is_open(address: Address) -> bool:
    reserved = address in _METADATA or any(address in network for network in _RESERVED)
    return (
        address.is_global and not address.is_multicast and not reserved and _is_for_hosts(address)
    )


def _is_for_hosts(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None:
        return True
    embeds = any(address in network for network in _EMBEDDING)
    return embeds or (address in _GLOBAL_IPV6 and address not in _EXAMPLES)


def _readings(address: Address) -> Iterator[Address]:
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDDING):
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from (each for each in inner if each is not None)


class AddressPolicy:
    """Which addresses are accepted."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        """``networks``: those that are accepted beside public ones."""
        self._networks = networks

    def permits(self, address: str) -> bool:
        """Return whether a connection to an IP address may be made."""
        found = ipaddress.ip_address(address.partition("%")[0])
        return self._is_named(found) or is_public(found)

    def _is_named(self, address: Address) -> bool:
        plain: Address = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._networks)

    def fault(self, url: str) -> str | None:
        """Return what is wrong with the address of a receiver; ``None`` if it may be used."""
        if len(url) > MAX_URL or not _CHARACTERS.fullmatch(url):
            return f"an https:// address of at most {MAX_URL:,} characters, percent-encoded"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host:
            return "an https:// address with a host name"
        if parts.username is not None or parts.password is not None:
            return "an address without a login"
        if parts.fragment:
            return "an address without a fragment"
        return self._fault_of(parts.scheme, host)

    def _fault_of(self, scheme: str, host: str) -> str | None:
        literal = _literal(host)
        named = literal is not None and self._is_named(literal)
        if scheme != "https" and not (scheme == "http" and named):
            return "an https:// address; http:// is for addresses in WEBHOOK_ALLOWED_NETWORKS"
        if literal is not None and not self.permits(str(literal)):
            return "a public address, or one in WEBHOOK_ALLOWED_NETWORKS"
        return None


def _literal(host: str) -> Address | None:
    """Return the IP address that a host is, in any spelling that a resolver understands."""
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.ip_address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
