"""Tells public addresses from all others. What is not known to be public is not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# IANA's special-purpose registries (RFC 6890 and its updates), written out: what `is_global` says differs
# between versions of Python, and it is true for addresses that carry a private one inside.
NOT_PUBLIC_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# All unicast that was ever given out; leaves out loopback, v4-mapped, NAT64, unique local, link-local, multicast.
GIVEN_OUT_6 = IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo with a v4 address inside among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: a v4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# Interface identifiers of ISATAP (RFC 5214, section 6.1): the last 32 bits are a v4 address.
ISATAP = {0x0000_5EFE, 0x0200_5EFE}


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public internet.

    >>> from ipaddress import ip_address
    >>> [is_public(ip_address(text)) for text in ("93.184.216.34", "2606:2800:220:1::1")]
    [True, True]
    >>> [is_public(ip_address(text)) for text in ("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:8.8.8.8")]
    [False, False, False]
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in block for block in NOT_PUBLIC_4)
    return (
        address.is_global
        and address in GIVEN_OUT_6
        and not any(address in block for block in NOT_PUBLIC_6)
        and (int(address) >> 32) & 0xFFFF_FFFF not in ISATAP
    )
