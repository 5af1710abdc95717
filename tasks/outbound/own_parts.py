"""The portal's own parts, which no URL of a user may lead to, whatever OUTBOUND_ALLOW lets through.

Its web servers trust callers from nearby, its model servers and Postgres trust whoever reaches them; a model server
tells everybody what others asked it. Only what OUTBOUND_ALLOW names is compared: all other private addresses are
refused anyway, and a public model server is a service like any other. See docs/decisions/0024.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tasks.errors import FetchFailed
from tasks.kept import kept
from tasks.outbound.addresses import Address
from tasks.outbound.look_up import look_up

PORTS = {"https": 443, "http": 80}
LOOK_UP_SECONDS = 1.0
REMEMBER_SECONDS = 30.0
# The database and the model servers; there are few.
MOST_REMEMBERED = 1_000
# All addresses of this machine are one: what listens on one of them may listen on all.
HERE = ip_address("127.0.0.1")
# Says to anybody that the portal runs, and nothing else: the sample of http.request asks for it.
OPEN_PATH = b"/health/live"

# An IPv6 address stands in brackets, as in URLs.
HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+)):(?P<port>[1-9]\d{0,4})")

Part = tuple[str, int]

_servers: frozenset[Part] = frozenset()


def know_servers(base_urls: Iterable[str]) -> None:
    """Take these for the model servers that there are now."""
    global _servers
    _servers = frozenset(map(_part_of_url, base_urls))


def is_own(host: str, address: Address, port: int, path: bytes) -> bool:
    """Say whether a URL with this path leads to a part of the portal, by its name or by its address."""
    if path != OPEN_PATH and _is_one_of(_web(), host, address, port):
        return True
    return _is_one_of([*_database(), *_servers], host, address, port)


def check_setting() -> None:
    """Read WEB_ADDRESSES, so that a slip of the pen stops the start.

    Raises:
        ImproperlyConfigured: with the entry that cannot be read.
    """
    list(_web())


def _is_one_of(parts: Iterable[Part], host: str, address: Address, port: int) -> bool:
    names = {name for name, its_port in parts if its_port == port}
    if not names or host in names:
        return bool(names)
    here = _addresses_here()
    return _plain(address, here) in {_plain(own, here) for name in names for own in _addresses_of(name)}


def _web() -> Iterator[Part]:
    for text in settings.WEB_ADDRESSES:
        match = HOST_AND_PORT.fullmatch(text)
        if match is None or int(match["port"]) > 65_535:
            raise ImproperlyConfigured(
                f"WEB_ADDRESSES has {text!r}. Write host and port: 127.0.0.1:8000, [::1]:8000, web:8000."
            )
        yield (match["v6"] or match["host"]).lower(), int(match["port"])


def _database() -> Iterator[Part]:
    database = settings.DATABASES["default"]
    host = str(database["HOST"])
    # A path is the folder of a unix socket.
    if host and not host.startswith("/"):
        yield host.lower(), int(database["PORT"] or 5432)


def _part_of_url(url: str) -> Part:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


@kept(seconds=REMEMBER_SECONDS, most=MOST_REMEMBERED)
def _addresses_of(name: str) -> frozenset[Address]:
    """Look a part's name up, once in half a minute; nothing where that fails, and the name alone is compared."""
    try:
        return frozenset(look_up(name, 0, LOOK_UP_SECONDS))
    except FetchFailed:
        return frozenset()


def _plain(address: Address, here: frozenset[Address]) -> Address:
    """Return the one address that stands for all by which a thing is reached from here."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return HERE if address.is_loopback or address.is_unspecified or address in here else address


def _addresses_here() -> frozenset[Address]:
    texts = (entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries)
    return frozenset(ip_address(text) for text in texts if _is_address(text))


def _is_address(text: str) -> bool:
    # Interfaces have hardware addresses, too.
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
