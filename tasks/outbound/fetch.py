"""Calls a URL that a user gave: guarded, with the size of the answer and the whole time capped.

Errors name neither addresses nor what the other server sent.
"""

from __future__ import annotations

import email.utils
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal

import httpcore
import httpx
from django.conf import settings

from tasks.errors import FetchFailed, GiveUp, InputTooLarge, UrlRefused
from tasks.measures import size_text
from tasks.outbound.connection import Deadline, PinnedBackend
from tasks.outbound.guard import Target, check_url, host_of

MAX_REDIRECTS = 3
REDIRECTS = {301, 302, 303, 307, 308}
AGAIN_LATER = {408, 425, 429}
# Ours to set: they say where the request goes and how it is framed.
RESERVED_HEADERS = {
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
    "proxy-connection", "proxy-authorization", "accept-encoding", "via",
}  # fmt: skip
# These may follow a redirect to another server; what else was sent was meant for the first.
TRAVELLING_HEADERS = {"accept", "accept-language", "user-agent"}

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True)
class Fetched:
    """An answer, whole. Names of `headers` are in lower case; repeated ones are joined by commas."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    url: str

    @property
    def retry_after_seconds(self) -> float | None:
        """When to come again, as the header Retry-After says: a number or a date (RFC 9110, section 10.2.3)."""
        header = self.headers.get("retry-after", "")
        if header.isascii() and header.isdigit():
            return float(header[:9])
        try:
            when = email.utils.parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            # A year of twenty digits overflows.
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())


def get(
    url: str, *, max_bytes: int, timeout_seconds: float, accept: str = "*/*", redirects: int = MAX_REDIRECTS
) -> Fetched:
    """Download what a URL stands for; redirects are followed, each guarded like the first.

    Args:
        max_bytes: most bytes of the body, before and after decompression.
        timeout_seconds: for everything, redirects included.

    Raises:
        UrlRefused: this address, or one that it redirects to, may not be called.
        FetchFailed: not reached, too slow, broken off, or an HTTP status other than 2xx. Not to be tried
            again (`retryable`) when the status says so.
        InputTooLarge: the body is larger than `max_bytes`.
    """
    answer = request(
        "GET",
        url,
        headers={"Accept": accept},
        max_bytes=max_bytes,
        timeout_seconds=timeout_seconds,
        redirects=redirects,
    )
    if not 200 <= answer.status < 300:
        again = answer.status >= 500 or answer.status in AGAIN_LATER
        raise FetchFailed(f"The URL answered with HTTP status {answer.status}.", retryable=again)
    return answer


def request(
    method: Method,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    max_bytes: int,
    timeout_seconds: float,
    redirects: int = 0,
    read_body: bool = True,
) -> Fetched:
    """Send one request and return the answer, whatever its HTTP status.

    Args:
        headers: those that say where the request goes and how it is framed are ours to set.
        max_bytes: most bytes of the answer's body, before and after decompression.
        timeout_seconds: for everything, redirects included.
        redirects: how many to follow, 3 at most; those of a request with a body are never followed.
        read_body: False hangs up when the headers are there.

    Raises:
        UrlRefused: this address, or one that it redirects to, may not be called.
        FetchFailed: not reached, too slow, or broken off.
        InputTooLarge: the answer's body is larger than `max_bytes`.
        GiveUp: the request is none that HTTP can carry.
    """
    deadline = Deadline(timeout_seconds)
    sent: Mapping[str, str] = _checked_headers(headers or {})
    hops = min(redirects, MAX_REDIRECTS) if method in {"GET", "HEAD"} and body is None else 0
    target = check_url(url, within_seconds=deadline.left())
    while True:
        answer = _send(method, target, sent, body, max_bytes if read_body else None, deadline)
        location = answer.headers.get("location")
        if answer.status not in REDIRECTS or not location or not redirects:
            return answer
        if hops == 0:
            raise FetchFailed("The URL redirects too often, or must not be redirected.", retryable=False)
        hops -= 1
        target, sent = _follow(target, location, sent, deadline)


def _follow(
    target: Target, location: str, sent: Mapping[str, str], deadline: Deadline
) -> tuple[Target, Mapping[str, str]]:
    try:
        url = str(target.url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlRefused("The URL redirects to something that is no URL.") from error
    following = check_url(url, within_seconds=deadline.left())
    if (following.url.scheme, host_of(following.url), following.port) != (
        target.url.scheme,
        host_of(target.url),
        target.port,
    ):
        sent = {name: value for name, value in sent.items() if name in TRAVELLING_HEADERS}
    return following, sent


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower(): value for name, value in headers.items()}
    if reserved := sorted(RESERVED_HEADERS & set(given)):
        raise GiveUp(f"The header {reserved[0]!r} cannot be set: the portal sets it itself.")
    return {"user-agent": f"Portal/{settings.PORTAL_VERSION}", "accept": "*/*"} | given


def _send(
    method: Method,
    target: Target,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int | None,
    deadline: Deadline,
) -> Fetched:
    pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=PinnedBackend(target, deadline))
    with (
        _translated(),
        pool,
        pool.stream(
            method,
            _wire_url(target),
            headers=_wire_headers(method, target, headers, body),
            content=body,
        ) as response,
    ):
        received = httpx.Headers(response.headers)
        encoding = received.get("content-encoding", "identity").strip().lower()
        is_read = max_bytes is not None and method != "HEAD"
        content = _read_body(response.iter_stream(), encoding, max_bytes or 0) if is_read else b""
        return Fetched(
            status=response.status,
            headers={name: received[name] for name in received},
            content_type=received.get("content-type", "").partition(";")[0].strip().lower(),
            body=content,
            url=str(target.url),
        )


def _wire_url(target: Target) -> httpcore.URL:
    url = target.url
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _wire_headers(
    method: Method, target: Target, headers: Mapping[str, str], body: bytes | None
) -> list[tuple[bytes, bytes]]:
    try:
        # httpx builds Host and Content-Length as it would for its own client.
        complete = httpx.Request(method, target.url, headers=dict(headers), content=body).headers
        complete["Accept-Encoding"] = "gzip"
        # Somebody else asks through us (RFC 9110, section 7.6.3): who lets in our address must not take it for us.
        complete["Via"] = "1.1 portal"
        complete["Connection"] = "close"
        return complete.raw
    except (UnicodeEncodeError, ValueError) as error:
        raise GiveUp("A header holds characters that HTTP cannot carry.") from error


def _read_body(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """Return the body, decompressed piece by piece: a bomb is noticed before it is unpacked."""
    if encoding not in {"identity", "", "gzip", "x-gzip"}:
        raise FetchFailed("The other server used a compression that it was not asked for.", retryable=False)
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    received, content = 0, bytearray()
    for chunk in chunks:
        received += len(chunk)
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, max_bytes - len(content) + 1)
            except zlib.error as error:
                raise FetchFailed("The other server sent a broken compression.") from error
        content += chunk
        if max(received, len(content)) > max_bytes:
            raise InputTooLarge(f"The other server sent more than {size_text(max_bytes)}.")
    if unpacker is not None and received and not unpacker.eof:
        raise FetchFailed("The other server broke off in the middle of its answer.")
    return bytes(content)


@cache
def _tls() -> ssl.SSLContext:
    # Loading the trusted authorities takes longer than most requests. SSL_CERT_FILE adds an installation's own.
    return httpx.create_ssl_context()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise FetchFailed("The other server did not answer in time.") from error
    except httpcore.ConnectError as error:
        raise FetchFailed(_connect_words(error)) from error
    except httpcore.LocalProtocolError as error:
        raise GiveUp("The request holds something that HTTP cannot carry.") from error
    except httpcore.RemoteProtocolError as error:
        raise FetchFailed("The other server broke off, or does not speak HTTP.") from error
    except httpcore.NetworkError as error:
        raise FetchFailed("The connection to the other server broke.") from error


def _connect_words(error: httpcore.ConnectError) -> str:
    # httpcore's pool drops the cause (`raise … from None`), but not the context.
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return "The other server's certificate is not valid for it."
    if isinstance(error.__context__, ssl.SSLError):
        return "No secure connection to the other server could be made."
    return "The other server cannot be reached."
