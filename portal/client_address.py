"""Decides, in one place, who the client is. Allauth, our limits, logs and sessions all read `REMOTE_ADDR`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Address = IPv4Address | IPv6Address

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
FORWARDED_PROTO = "HTTP_X_FORWARDED_PROTO"
# As some proxies write it: 192.0.2.1:4711, [2001:db8::1]:4711.
WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>[\d.]+):\d+")

logger = logging.getLogger(__name__)


class ClientAddressMiddleware:
    """Puts the client's address into `REMOTE_ADDR`; comes before everything that could ask for it.

    What `X-Forwarded-Proto` says is believed from the same proxies only, where those are named by address.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._has_warned = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        peer = request.META.get("REMOTE_ADDR", "")
        forwarded = request.META.get(FORWARDED_FOR, "")
        is_believed = settings.TRUSTED_PROXY_HOPS > 0 or _is_trusted(read_address(peer))
        if is_believed:
            request.META["REMOTE_ADDR"] = client_address(peer, forwarded)
        elif settings.TRUSTED_PROXIES:
            if FORWARDED_PROTO in request.META:
                # Emptied, not removed: that somebody stands between us and the client remains to be seen.
                request.META[FORWARDED_PROTO] = ""
        elif forwarded and settings.SECURE_PROXY_SSL_HEADER:
            self._warn_once(peer)
        return self.get_response(request)

    def _warn_once(self, peer: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "Everybody behind the proxy %s counts as one client: TRUSTED_PROXIES does not name it.", peer
            )


def client_address(peer: str, forwarded: str) -> str:
    """Return the client's address, as the proxies that are trusted saw it.

    Each proxy adds the address that it was asked from at the end of `X-Forwarded-For`. So the list is read from there,
    for as long as who added an entry is trusted; what stands before that may be the client's own invention.

    Args:
        peer: who is connected with us.
        forwarded: the header's value, several joined with commas; may be anything.
    """
    hops: int = settings.TRUSTED_PROXY_HOPS
    nearest = read_address(peer)
    found = peer if nearest is None else str(nearest)
    for passed, entry in enumerate(reversed(forwarded.split(","))):
        is_trusted = passed < hops if hops else _is_trusted(nearest)
        nearest = read_address(entry)
        if not is_trusted or nearest is None:
            break
        found = str(nearest)
    return found


def read_address(text: str) -> Address | None:
    """Return an address, a port left out, or None where it is none. IPv4 in the clothes of IPv6 is IPv4.

    >>> read_address(" [2001:db8::1]:443"), read_address("::ffff:192.0.2.7"), read_address("unknown")
    (IPv6Address('2001:db8::1'), IPv4Address('192.0.2.7'), None)
    """
    text = text.strip()
    if found := WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"]
    try:
        # A zone (fe80::1%eth0) names an interface of the proxy's.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_trusted(address: Address | None) -> bool:
    networks: Sequence[IPv4Network | IPv6Network] = settings.TRUSTED_PROXIES
    return address is not None and any(address in network for network in networks)
