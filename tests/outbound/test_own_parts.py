"""URLs that would lead into the portal itself are refused, even where its own network is let through."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.core.exceptions import ImproperlyConfigured

from tasks.errors import UrlRefused
from tasks.outbound import fetch, own_parts
from tests.outbound.receiver import Receiver, answer_with, running_receiver

EVERYWHERE = ["0.0.0.0/0:*", "[::]/0:*"]


@pytest.fixture(autouse=True)
def _everything_is_let_through(settings: Any) -> Iterator[None]:
    settings.OUTBOUND_ALLOW = EVERYWHERE
    settings.WEB_ADDRESSES = []
    yield
    own_parts.know_servers([])
    own_parts._addresses_of.forget()


@pytest.fixture
def own() -> Iterator[Receiver]:
    """Something that listens on all addresses of this machine, as web servers do in containers."""
    with running_receiver("0.0.0.0") as server:
        yield server


def get(host: str, port: int, path: str = "/metrics") -> int:
    return fetch.get(f"http://{host}:{port}{path}", max_bytes=100, timeout_seconds=5).status


def other_address() -> str | None:
    """Return an address of this machine that is none of the loopback."""
    entries = [entry for entries in psutil.net_if_addrs().values() for entry in entries]
    texts = [entry.address for entry in entries if entry.family == socket.AF_INET]
    return next((text for text in texts if not text.startswith("127.")), None)


def every_name() -> list[str]:
    found = ["127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]", "[::1]", "2130706433"]
    return found + ([here] if (here := other_address()) else [])


@pytest.mark.parametrize("host", every_name())
@pytest.mark.parametrize("listed", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_own_web_server_is_not_called_by_any_name(own: Receiver, settings: Any, host: str, listed: str) -> None:
    settings.WEB_ADDRESSES = [f"{listed}:{own.port}"]
    with pytest.raises(UrlRefused, match="a part of the portal itself"):
        get(host, own.port)
    assert not own.received


def test_own_web_server_is_not_called_by_a_name_that_leads_there(
    own: Receiver, settings: Any, names: Callable[..., list[str]]
) -> None:
    settings.WEB_ADDRESSES = [f"127.0.0.1:{own.port}"]
    names("harmless.example", ["127.0.0.1"])
    with pytest.raises(UrlRefused):
        get("harmless.example", own.port)


def test_own_web_server_that_is_listed_by_name_is_not_called_by_address(
    own: Receiver, settings: Any, names: Callable[..., list[str]]
) -> None:
    settings.WEB_ADDRESSES = [f"web:{own.port}"]
    names("web", ["127.0.0.1"])
    for host in ("web", "WEB.", "127.0.0.1"):
        with pytest.raises(UrlRefused):
            get(host, own.port)


def test_redirect_into_the_portal_is_refused(own: Receiver, settings: Any) -> None:
    settings.WEB_ADDRESSES = [f"127.0.0.1:{own.port}"]
    with running_receiver() as outside:
        outside.answer = answer_with(302, Location=f"http://127.0.0.1:{own.port}/metrics")
        with pytest.raises(UrlRefused):
            fetch.get(outside.url, max_bytes=100, timeout_seconds=5)
    assert not own.received


def test_own_web_server_says_to_tasks_that_it_lives(own: Receiver, settings: Any) -> None:
    settings.WEB_ADDRESSES = [f"127.0.0.1:{own.port}"]
    assert get("127.0.0.1", own.port, "/health/live") == 204
    for path in ("/health/live?x=1", "/health/live/", "//health/live", "/health/live/../../metrics", "/health/ready"):
        with pytest.raises(UrlRefused):
            get("127.0.0.1", own.port, path)
    assert len(own.received) == 1


def test_model_server_is_not_called_whatever_the_path(own: Receiver) -> None:
    assert get("127.0.0.1", own.port) == 204
    own_parts.know_servers([f"http://localhost:{own.port}/v1"])
    for host in every_name():
        for path in ("/slots", "/health/live"):
            with pytest.raises(UrlRefused):
                get(host, own.port, path)
    with running_receiver() as neighbour:
        assert get("127.0.0.1", neighbour.port) == 204


def test_model_server_whose_name_cannot_be_looked_up_is_known_by_its_name(own: Receiver) -> None:
    own_parts.know_servers([f"http://gone.invalid:{own.port}/v1"])
    assert get("127.0.0.1", own.port) == 204


def test_database_is_not_called(own: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    database = {"HOST": "127.0.0.1", "PORT": str(own.port)}
    monkeypatch.setattr(own_parts, "settings", SimpleNamespace(WEB_ADDRESSES=[], DATABASES={"default": database}))
    with pytest.raises(UrlRefused):
        get("localhost", own.port)
    database["HOST"] = "/run/postgresql"
    assert get("localhost", own.port) == 204


def test_who_is_called_is_told_that_somebody_else_asks(own: Receiver) -> None:
    """The portal's own /metrics, and whatever else lets in neighbours, takes such a call for one from outside."""
    assert get("127.0.0.1", own.port) == 204
    assert own.received[0].headers["via"] == "1.1 portal"


@pytest.mark.parametrize("text", ["8000", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "http://a:80", "::1:8000"])
def test_setting_takes_hosts_with_ports(settings: Any, text: str) -> None:
    settings.WEB_ADDRESSES = ["web:8000", "[::1]:8000"]
    own_parts.check_setting()
    settings.WEB_ADDRESSES = [text]
    with pytest.raises(ImproperlyConfigured, match="WEB_ADDRESSES has"):
        own_parts.check_setting()
