"""OUTBOUND_ALLOW: which of the installation's own hosts and networks users' URLs may lead to.

An entry is a host name, an address or a network, and perhaps a port: ``hooks.internal``,
``10.0.0.5:8080``, ``[fd00::5]:8080``, ``10.20.0.0/16:*``. Without a port it stands for 80 and 443.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tasks.outbound.addresses import Address

WEB_PORTS = frozenset({80, 443})
# An IPv6 address stands in brackets, as in URLs: else its last part could be a port.
ENTRY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\](?P<bits>/\d+)?|(?P<host>[^\[\]:\s]+))(?::(?P<port>\d{1,5}|\*))?")
HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True)
class Entry:
    """One of `name` and `network` is set; `ports` None means all."""

    name: str
    network: IPv4Network | IPv6Network | None
    ports: frozenset[int] | None

    def allows(self, host: str, address: Address, port: int) -> bool:
        if self.ports is not None and port not in self.ports:
            return False
        return host == self.name if self.network is None else address in self.network


def is_allowed(host: str, address: Address, port: int) -> bool:
    """Return whether the installation's list has this host, or the address that it leads to, at this port."""
    return any(entry.allows(host, address, port) for entry in _entries(tuple(settings.OUTBOUND_ALLOW)))


def check_setting() -> None:
    """Read the whole list, so that a slip of the pen stops the start.

    Raises:
        ImproperlyConfigured: with the entry that cannot be read.
    """
    _entries(tuple(settings.OUTBOUND_ALLOW))


@lru_cache(maxsize=8)
def _entries(texts: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(parse_entry(text) for text in texts)


def parse_entry(text: str) -> Entry:
    """Return an entry of the list.

    Raises:
        ImproperlyConfigured: it is neither a host name nor an address or network, or its port is none.

    >>> parse_entry("10.20.0.0/16:*")
    Entry(name='', network=IPv4Network('10.20.0.0/16'), ports=None)
    >>> parse_entry("hooks.internal:8080")
    Entry(name='hooks.internal', network=None, ports=frozenset({8080}))
    """
    match = ENTRY.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    where = match["host"] or match["v6"] + (match["bits"] or "")
    ports = _ports(text, match["port"])
    try:
        return Entry("", ip_network(where), ports)
    except ValueError as error:
        name = where.lower().rstrip(".")
        # What ends in a number is a mistyped address, never a name.
        if not HOST.fullmatch(name) or name.rpartition(".")[2].isdigit():
            raise _unreadable(text) from error
        return Entry(name, None, ports)


def _ports(text: str, given: str | None) -> frozenset[int] | None:
    if given is None:
        return WEB_PORTS
    if given == "*":
        return None
    if not 1 <= int(given) <= 65_535:
        raise _unreadable(text)
    return frozenset({int(given)})


def _unreadable(text: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"OUTBOUND_ALLOW has {text!r}. Write a host, an address or a network, with a port if it is not 80 or 443: "
        "hooks.internal, 10.0.0.5:8080, 10.20.0.0/16:*."
    )
