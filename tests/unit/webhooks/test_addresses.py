"""Where webhooks may be sent."""

from __future__ import annotations

import ipaddress

import pytest

from vomind_queue.webhooks.addresses import AddressPolicy

PUBLIC = AddressPolicy()
OWN = AddressPolicy([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.0/8")])

#: Each leads to something that is not the open internet.
INNER = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.192",
    "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "::7f00:1",
    "2002:a00:1::", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
    "fec0::1", "3fff::1", "5f00::1", "4000::1", "::ffff:0:7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_refused(address: str) -> None:
    """In each spelling that IPv6 has for one of IPv4, too."""
    assert not PUBLIC.permits(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_permitted(address: str) -> None:
    """Those of the open internet."""
    assert PUBLIC.permits(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1"])
def test_networks_that_are_named_are_permitted(address: str) -> None:
    """And no others."""
    assert OWN.permits(address)
    assert not OWN.permits("192.168.1.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "https://user:pass@example.com/",
        "https://user@example.com/", "https:///path", "https://example.com/#part", "nonsense",
        "https://169.254.169.254/latest", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
        "http://localhost:3000/", "https://localhost/", "https://a.localhost/", "https://127.0.0.1/",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\n",
        "https://" + "a" * 2_000,
    ],
)  # fmt: skip
def test_bad_addresses_have_a_fault(url: str) -> None:
    """As soon as they are written down."""
    assert PUBLIC.fault(url)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com/calls?x=1", "https://hooks.example.com:8443", "https://8.8.8.8/"],
)
def test_good_addresses_have_none(url: str) -> None:
    """A name is judged by its addresses later."""
    assert PUBLIC.fault(url) is None


def test_plain_http_is_for_named_networks() -> None:
    """By address, or by the one name that is always this machine."""
    assert OWN.fault("http://127.0.0.1:8080/hook") is None
    assert OWN.fault("http://localhost:8080/hook") is None
    assert OWN.fault("http://10.0.0.1/hook") is None
    assert OWN.fault("http://10.0.0.1.example.com/hook")
    assert OWN.fault("http://192.168.0.1/hook")
