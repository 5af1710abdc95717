"""Addresses of model servers as settings and people write them: checked, without keys, and short for screens."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from tasks.names import MOST_OF_A_LINE, is_line

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class BadAddress(ValueError):
    """The address of a model server is not a plain http or https URL."""


@dataclass(frozen=True)
class Address:
    """A base URL without a slash at its end and without secrets; `key` is what stood before the @."""

    base_url: str
    key: str = field(default="", repr=False)


def parse_address(text: str) -> Address:
    """Return the address of a server; a key may be given as ``https://:KEY@host/v1``.

    >>> parse_address("http://:secret@gpu1:8000/v1/").base_url
    'http://gpu1:8000/v1'

    Raises:
        BadAddress: with a sentence that does not repeat the address, which may hold a key.
    """
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress("The address of a model server cannot be read.") from error
    if parts.scheme not in {"http", "https"} or not host or any(character.isspace() for character in parts.netloc):
        raise BadAddress("The address of a model server must begin with http:// or https://, like http://gpu1:8000/v1.")
    if parts.query or parts.fragment:
        raise BadAddress("The address of a model server must not contain ? or #.")
    netloc = parts.netloc.rpartition("@")[2]
    if not is_line(netloc[:MOST_OF_A_LINE]):
        raise BadAddress("The address of a model server has characters that cannot be shown.")
    key = unquote(parts.password or parts.username or "")
    return Address(urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", "")), key)


def server_name(base_url: str) -> str:
    """Return host and port, for people: as much of them as a name may have.

    >>> server_name("http://gpu1:8000/v1")
    'gpu1:8000'
    """
    return urlsplit(base_url).netloc.rpartition("@")[2][:MOST_OF_A_LINE]


def is_local(base_url: str) -> bool:
    """Return whether a server is on this machine."""
    return urlsplit(base_url).hostname in LOOPBACK
