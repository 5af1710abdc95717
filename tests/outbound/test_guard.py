"""The guard: which URLs are called, and where the connection goes."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.errors import FetchFailed, UrlRefused
from tasks.outbound import fetch
from tasks.outbound.addresses import is_public
from tasks.outbound.allowed import is_allowed, parse_entry
from tasks.outbound.guard import check_url
from tests.outbound.receiver import Receiver, answer_with, running_receiver

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2001:20::1",
    "2002:a9fe:a9fe::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
    "ff02::1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a00:1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700:4700::1111", "2a00:1450::8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_address_that_is_not_public_is_told_from_public_ones(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_told_from_others(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", [a for a in PRIVATE if "::" not in a and ":" not in a])
def test_url_with_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(UrlRefused, match="public address"):
        check_url(f"https://{address}/")


@pytest.mark.parametrize("address", [a for a in PRIVATE if ":" in a])
def test_url_with_an_ipv6_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(UrlRefused, match="public address"):
        check_url(f"https://[{address}]/")


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
    ],
)
def test_disguised_loopback_address_is_refused(url: str) -> None:
    with pytest.raises((UrlRefused, FetchFailed)):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "//8.8.8.8/",
        "https://",
        "https:///path",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/_x",
        "unix:///var/run/docker.sock",
        "javascript:alert(1)",
        "https://user:password@8.8.8.8/",
        "https://user@8.8.8.8/",
        "http://8.8.8.8/",
        "https://8.8.8.8:8443/",
        "https://8.8.8.8:22/",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8/" + "x" * 2_000,
        "https://8.8.8.8\r\nHost: inside/",
        "https://8.8.8.8\0/",
        "https://[::1",
        "https://xn--/",
    ],
)
def test_url_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises((UrlRefused, FetchFailed)):
        check_url(url)


def test_public_https_url_is_let_through_with_its_address_pinned() -> None:
    target = check_url("https://8.8.8.8/path?query=1")
    assert target.addresses == (ip_address("8.8.8.8"),)
    assert target.port == 443


def test_name_with_one_private_address_among_public_ones_is_refused(names: Callable[..., list[str]]) -> None:
    names("mixed.example", ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(UrlRefused, match="public address"):
        check_url("https://mixed.example/")


def test_refusal_does_not_tell_the_address_behind_a_name(names: Callable[..., list[str]]) -> None:
    names("inside.example", ["10.11.12.13"])
    with pytest.raises(UrlRefused) as caught:
        check_url("https://inside.example/")
    assert "10.11.12.13" not in caught.value.message


def test_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, names: Callable[..., list[str]], connections: list[tuple[str, int]]
) -> None:
    with running_receiver("127.0.0.2") as inside:
        asked = names("rebinding.example", ["127.0.0.1"], ["127.0.0.2"])
        answer = fetch.get(f"http://rebinding.example:{receiver.port}/x", max_bytes=100, timeout_seconds=5)
        assert answer.status == 204
        assert asked == ["rebinding.example"]
        assert connections == [("127.0.0.1", receiver.port)]
        assert receiver.received[0].headers["host"] == f"rebinding.example:{receiver.port}"
        assert not inside.received


def test_name_that_answers_with_a_private_address_the_second_time_is_refused_then(
    receiver: Receiver, names: Callable[..., list[str]], connections: list[tuple[str, int]]
) -> None:
    names("rebinding.example", ["127.0.0.1"], ["127.0.0.2"])
    url = f"http://rebinding.example:{receiver.port}/x"
    fetch.get(url, max_bytes=100, timeout_seconds=5)
    with pytest.raises(UrlRefused):
        fetch.get(url, max_bytes=100, timeout_seconds=5)
    assert len(connections) == 1


def test_redirect_to_a_private_address_is_refused(receiver: Receiver, connections: list[tuple[str, int]]) -> None:
    with running_receiver("127.0.0.2") as inside:
        receiver.answer = answer_with(302, Location=f"http://127.0.0.2:{inside.port}/secret")
        with pytest.raises(UrlRefused):
            fetch.get(receiver.url, max_bytes=100, timeout_seconds=5)
        assert not inside.received
        assert connections == [("127.0.0.1", receiver.port)]


def test_second_address_is_tried_when_the_first_does_not_answer(
    receiver: Receiver, names: Callable[..., list[str]], settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8:*"]
    names("two.example", ["127.0.0.9", "127.0.0.1"])
    assert fetch.get(f"http://two.example:{receiver.port}/", max_bytes=10, timeout_seconds=5).status == 204


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "allowed"),
    [
        ("hooks.internal", "hooks.internal", "10.0.0.1", 443, True),
        ("hooks.internal", "hooks.internal", "10.0.0.1", 80, True),
        ("hooks.internal", "hooks.internal", "10.0.0.1", 8080, False),
        ("hooks.internal", "evil.hooks.internal", "10.0.0.1", 443, False),
        ("Hooks.Internal.:8080", "hooks.internal", "10.0.0.1", 8080, True),
        ("10.0.0.0/8", "any.example", "10.200.0.1", 443, True),
        ("10.0.0.0/8", "any.example", "11.0.0.1", 443, False),
        ("10.0.0.5:8080", "10.0.0.5", "10.0.0.5", 8080, True),
        ("10.0.0.5:8080", "10.0.0.5", "10.0.0.5", 443, False),
        ("10.20.0.0/16:*", "x", "10.20.9.9", 5, True),
        ("[fd00::5]:8080", "x", "fd00::5", 8080, True),
        ("[fd00::]/16:*", "x", "fd00::9", 8080, True),
    ],
)
def test_list_allows_just_what_it_says(
    settings: Any, entry: str, host: str, address: str, port: int, allowed: bool
) -> None:
    settings.OUTBOUND_ALLOW = [entry]
    assert is_allowed(host, ip_address(address), port) is allowed


@pytest.mark.parametrize(
    "entry", ["", "10.0.0.5:0", "10.0.0.5:70000", "10.0.0.300", "10.0.0.1/8", "a b", "fd00::5", "https://x"]
)
def test_entry_that_cannot_be_read_says_how_to_write_one(entry: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="Write a host"):
        parse_entry(entry)
