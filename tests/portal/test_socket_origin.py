"""Which pages may open the portal's WebSocket."""

from __future__ import annotations

from typing import Any

import pytest

from portal.socket_origin import is_own_origin


def handshake(origin: str | None, host: str, *, scheme: str = "ws", **headers: str) -> dict[str, Any]:
    given = {"host": host} | ({"origin": origin} if origin is not None else {})
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "type": "websocket",
        "path": "/ws/tasks",
        "query_string": b"",
        "scheme": scheme,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "is_own"),
    [
        ("http://portal.example.com", "portal.example.com", "ws", True),
        ("http://portal.example.com:8000", "portal.example.com:8000", "ws", True),
        ("https://portal.example.com", "portal.example.com", "wss", True),
        ("http://portal.example.com:9000", "portal.example.com:8000", "ws", False),
        ("http://portal.example.com", "portal.example.com:8000", "ws", False),
        ("http://portal.example.com", "portal.example.com", "wss", False),
        ("https://portal.example.com", "portal.example.com", "ws", False),
        ("http://sub.portal.example.com", "portal.example.com", "ws", False),
        ("http://evil.example", "evil.example", "ws", False),
        ("null", "portal.example.com", "ws", False),
        ("", "portal.example.com", "ws", False),
        (None, "portal.example.com", "ws", False),
    ],
)
def test_only_the_very_origin_may(settings: Any, origin: str | None, host: str, scheme: str, is_own: bool) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    assert is_own_origin(handshake(origin, host, scheme=scheme)) is is_own


def test_proxy_says_whether_the_page_came_by_https(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    told = handshake("https://portal.example.com", "portal.example.com", x_forwarded_proto="https")
    assert is_own_origin(told)
    assert not is_own_origin(handshake("http://portal.example.com", "portal.example.com", x_forwarded_proto="https"))


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("https://other.example", True),
        ("https://other.example:8443", False),
        ("http://other.example", False),
        ("https://a.pages.example", True),
        ("https://a.pages.example:8443", False),
    ],
)
def test_trusted_origins_may(settings: Any, origin: str, may: bool) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example", "https://*.pages.example"]
    assert is_own_origin(handshake(origin, "portal.example.com")) is may
