"""Who the client is: what is believed of `X-Forwarded-For`, and from whom."""

from __future__ import annotations

import logging
from ipaddress import ip_network
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from portal.client_address import ClientAddressMiddleware, client_address

PROXY = "10.0.0.2"


def seen(peer: str = PROXY, **headers: str) -> HttpRequest:
    """Return the request as views see it."""
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    ClientAddressMiddleware(lambda _: HttpResponse())(request)
    return request


def address(peer: str = PROXY, **headers: str) -> str:
    return str(seen(peer, **headers).META["REMOTE_ADDR"])


@pytest.fixture
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24"), ip_network("2001:db8::/64")]


def test_nobody_is_trusted_by_default() -> None:
    assert address(PROXY, X_Forwarded_For="192.0.2.1") == PROXY
    assert address("127.0.0.1", X_Forwarded_For="192.0.2.1") == "127.0.0.1"


@pytest.mark.usefixtures("_proxies")
@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        # What the client sent itself stands first.
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        # A chain of our own proxies.
        ("203.0.113.9, 192.0.2.1, 10.0.0.3", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8:1::7]:4711", "2001:db8:1::7"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        # Not an address: who sent it is the last that is known.
        ("192.0.2.1, unknown", PROXY),
        ("192.0.2.1, <script>, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.9", "10.0.0.9"),
        ("", PROXY),
        (", ,", PROXY),
    ],
)
def test_proxies_are_believed_as_far_as_each_is_trusted(forwarded: str, client: str) -> None:
    assert address(PROXY, X_Forwarded_For=forwarded) == client


@pytest.mark.usefixtures("_proxies")
def test_others_are_not_believed_where_proxies_are_named() -> None:
    assert address("192.0.2.66", X_Forwarded_For="203.0.113.9") == "192.0.2.66"
    assert address("2001:db8::1", X_Forwarded_For="203.0.113.9") == "203.0.113.9"


@pytest.mark.usefixtures("_proxies")
def test_only_named_proxies_say_that_a_client_came_by_https(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert seen(PROXY, X_Forwarded_Proto="https").is_secure()
    stranger = seen("192.0.2.66", X_Forwarded_Proto="https")
    assert not stranger.is_secure()
    # Whether a request came through any proxy is still to be seen (portal.metrics.view).
    assert "HTTP_X_FORWARDED_PROTO" in stranger.META


@pytest.mark.parametrize(
    ("hops", "client"), [(1, "10.0.0.3"), (2, "192.0.2.1"), (3, "203.0.113.9"), (7, "203.0.113.9")]
)
def test_so_many_hops_are_believed_whatever_their_address(settings: Any, hops: int, client: str) -> None:
    settings.TRUSTED_PROXY_HOPS = hops
    assert client_address("", "203.0.113.9, 192.0.2.1, 10.0.0.3") == client


def test_proxy_that_is_not_named_is_told_of_once(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    middleware = ClientAddressMiddleware(lambda _: HttpResponse())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            middleware(RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR=PROXY))
    assert [record.getMessage() for record in caplog.records] == [
        f"Everybody behind the proxy {PROXY} counts as one client: TRUSTED_PROXIES does not name it."
    ]
