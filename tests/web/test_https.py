"""A web process as it is in production: cookies, HSTS, and what a stranger can have it log."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client

from accounts.models import User
from tests.web.live import LiveServer, environment_of_test

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BY_PROXY = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def https_server(transactional_db: None, tmp_path: Path) -> Iterator[LiveServer]:
    """A web process behind a proxy that ends HTTPS."""
    environment = environment_of_test(media=tmp_path / "media") | {"HTTPS": "1", "BEHIND_PROXY": "1"}
    running = LiveServer(log=tmp_path / "web.log", environment=environment)
    yield running
    running.stop()


def cookies_of(response: httpx.Response) -> dict[str, set[str]]:
    """Return the attributes of each cookie that an answer sets."""
    found = {}
    for line in response.headers.get_list("Set-Cookie"):
        first, *attributes = [part.strip() for part in line.split(";")]
        found[first.partition("=")[0]] = {attribute.lower() for attribute in attributes}
    return found


def sign_in(server: LiveServer, user: User) -> httpx.Response:
    with httpx.Client(base_url=server.url, headers=BY_PROXY) as browser:
        page = browser.get("/account/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None
        # httpx would not send cookies that are for HTTPS only back over this wire.
        cookie = "; ".join(line.partition(";")[0] for line in page.headers.get_list("Set-Cookie"))
        given = {
            "login": user.email,
            "password": f"{user.get_short_name().lower()}-has-a-password",
            "csrfmiddlewaretoken": token[1],
        }
        # As a browser: a form that is sent by HTTPS says from where.
        headers = {"Cookie": cookie, "Referer": server.url.replace("http:", "https:") + "/account/login/"}
        return browser.post("/account/login/", data=given, headers=headers)


@pytest.fixture
def _cheap_password_hashes() -> None:
    """Hash as the web process does, which checks what is hashed here."""


@pytest.mark.usefixtures("_cheap_password_hashes")
def test_cookies_are_of_this_host_alone(https_server: LiveServer, alice: User) -> None:
    answer = sign_in(https_server, alice)
    assert answer.status_code == 302
    cookies = cookies_of(answer)
    assert {"__Host-sessionid", "__Host-csrftoken", "__Host-known_browser"} <= set(cookies)
    for name in ("__Host-sessionid", "__Host-csrftoken", "__Host-known_browser"):
        # Without these, browsers do not take a cookie of such a name; nor with a domain.
        assert {"secure", "path=/"} <= cookies[name]
        assert not any(attribute.startswith("domain") for attribute in cookies[name])
    document = httpx.get(f"{https_server.url}/api/schema?format=json", headers=BY_PROXY).json()
    assert document["components"]["securitySchemes"]["session"]["name"] == "__Host-sessionid"


def test_over_plain_http_cookies_have_plain_names(page: Client) -> None:
    assert "sessionid" in page.cookies


def test_hsts_is_not_a_promise_of_the_whole_domain(https_server: LiveServer) -> None:
    header = httpx.get(f"{https_server.url}/account/login/", headers=BY_PROXY).headers["Strict-Transport-Security"]
    assert header.startswith("max-age=31536000")
    assert "preload" not in header


def test_foreign_hosts_are_logged_in_one_line(https_server: LiveServer) -> None:
    for number in range(20):
        with socket.create_connection(("127.0.0.1", https_server.port)) as wire:
            host = f"evil{number}.example" if number else "evil.example<script>" + "x" * 5000
            wire.sendall(f"GET /status HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\n\r\n".encode())
            assert wire.recv(100).split()[1] == b"400"
    lines = [line for line in https_server.log().splitlines() if "Host" in line or "Traceback" in line]
    assert len(lines) == 1
    assert "Invalid HTTP_HOST header" in lines[0]
    assert len(lines[0]) < 400
