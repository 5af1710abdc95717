"""WebSockets of the portal's own pages only: the session's cookie comes along from whichever page opens one."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

# WebSockets have schemes of their own; pages, and so origins, have these.
SCHEMES = {"ws": "http", "wss": "https"}


class OwnOriginOnly:
    """Refuses a handshake whose Origin is not exactly where the portal is: scheme, host and port.

    As Django's check of CSRF tokens, so that whoever may post forms from elsewhere (`CSRF_TRUSTED_ORIGINS`) may open
    sockets, too. Channels' own check does not look at the port, and cookies do not know ports either.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        serve = self._application if is_own_origin(scope) else WebsocketDenier()
        await serve(scope, receive, send)


def is_own_origin(scope: dict[str, Any]) -> bool:
    """Say whether a handshake comes from a page of this portal; one without an Origin comes from no page."""
    request = ASGIRequest(scope | {"method": "GET", "scheme": SCHEMES.get(scope.get("scheme", ""), "http")}, BytesIO())
    origin = request.headers.get("Origin", "")
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return origin == own or any(_is_trusted(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _is_trusted(origin: str, trusted: str) -> bool:
    if "*" not in trusted:
        return origin == trusted
    given, pattern = urlsplit(origin), urlsplit(trusted)
    return given.scheme == pattern.scheme and is_same_domain(given.netloc, pattern.netloc.lstrip("*"))
