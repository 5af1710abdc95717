"""The guard: which URLs may be called, and to which addresses the connection may go.

A host is looked up once, every address of the answer is checked, and the connection goes to one of
those checked: a name that answers differently the next time (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import httpx

from tasks.errors import UrlRefused
from tasks.outbound.addresses import Address, is_public
from tasks.outbound.allowed import is_allowed
from tasks.outbound.look_up import look_up
from tasks.outbound.own_parts import PORTS, is_own

logger = logging.getLogger(__name__)

MAX_URL_LENGTH = 2_000
LOOKUP_SECONDS = 5.0


@dataclass(frozen=True)
class Target:
    """A URL that may be called, and the checked addresses of its host, in the order to try."""

    url: httpx.URL
    port: int
    addresses: tuple[Address, ...]


def check_url(url: str, *, within_seconds: float = LOOKUP_SECONDS) -> Target:
    """Look the URL's host up and check the URL and every address.

    Raises:
        UrlRefused: the scheme, the port or an address is not allowed, or it is no URL.
        FetchFailed: the name cannot be looked up now.
    """
    parsed = parse_url(url)
    host, port = host_of(parsed), parsed.port or PORTS[parsed.scheme]
    addresses = look_up(host, port, min(within_seconds, LOOKUP_SECONDS))
    for address in addresses:
        _check_address(parsed, host, address, port)
    return Target(parsed, port, addresses)


def parse_url(url: str) -> httpx.URL:
    """Return a URL that is well formed and holds no credentials.

    Raises:
        UrlRefused: it is not.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"The URL is longer than {MAX_URL_LENGTH} characters.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise UrlRefused("That is not a URL.") from error
    if parsed.scheme not in PORTS:
        raise UrlRefused("The URL must begin with https://.")
    # The encoded one: decoding it is more than lenient hosts (xn--) stand.
    if not parsed.raw_host:
        raise UrlRefused("The URL names no host.")
    if parsed.userinfo:
        raise UrlRefused("The URL holds a user name or password: send such things as a header.")
    return parsed


def host_of(url: httpx.URL) -> str:
    """Return the host as it is looked up: ASCII, lower case, without the root's dot."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


def _check_address(url: httpx.URL, host: str, address: Address, port: int) -> None:
    # What is refused is said in the same words whatever is behind the name: they must not tell what is inside.
    if is_allowed(host, address, port):
        if is_own(host, address, port, url.raw_path):
            raise UrlRefused("The URL leads to a part of the portal itself, which no task may call.")
        return
    if not is_public(address):
        logger.info("refused a URL whose host has an address that is not public")
        raise UrlRefused("The URL does not lead to a public address. Operators can allow it with OUTBOUND_ALLOW.")
    if url.scheme != "https":
        raise UrlRefused("The URL must begin with https://.")
    if port != PORTS["https"]:
        raise UrlRefused("The URL must use port 443. Operators allow others by OUTBOUND_ALLOW.")
