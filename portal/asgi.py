"""The ASGI application: WebSockets to Channels, everything else to Django's WSGI handler in threads.

Django's own ASGI handler costs five to ten times its WSGI handler per request, so only what streams
may go there. Serve it with uvicorn: ``uvicorn portal.asgi:application``.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote_from_bytes

# Before the settings are loaded: only the web process pools its database connections.
os.environ["PORTAL_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.asgi import get_asgi_application

# Sets Django up, which the imports below need.
stream_application = get_asgi_application()

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402

from tasks import events  # noqa: E402
from tasks.api.token_cache import forget_token  # noqa: E402
from tasks.consumers import TaskConsumer  # noqa: E402
from tasks.listen import hub  # noqa: E402

Scope = dict[str, Any]

# Paths (as prefixes) of views that stream for minutes and are async: they go to Django's ASGI handler.
# A plain view must not be listed here; a streaming one must be, or it would hold a thread.
STREAM_PREFIXES: tuple[str, ...] = ()

wsgi_handler: Any = get_wsgi_application()
wsgi_application: Any = WSGIMiddleware(wsgi_handler, workers=settings.WEB_THREADS)
socket_application = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/tasks", TaskConsumer.as_asgi())]))
)


async def application(scope: Scope, receive: Any, send: Any) -> None:
    """Hand a connection to whoever serves it."""
    match scope["type"]:
        case "http" if scope["path"].startswith(STREAM_PREFIXES):
            await stream_application(scope, receive, send)
        case "http":
            await wsgi_application(wsgi_scope(scope), whole_body(receive), send)
        case "websocket" if scope["path"] == "/ws/tasks":
            await socket_application(scope, receive, send)
        case "websocket":
            # Answered with 403 before the handshake.
            await send({"type": "websocket.close"})
        case "lifespan":
            await live(receive, send)


async def live(receive: Any, send: Any) -> None:
    """Start the LISTEN connection with the server and stop it with it (ASGI lifespan protocol)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            hub.call_on(events.TOKEN, forget_token)
            await hub.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def wsgi_scope(scope: Scope) -> Scope:
    """Return the scope as WSGI can take it.

    Header names with an underscore are dropped: CGI cannot tell ``X_Forwarded_Proto`` from
    ``X-Forwarded-Proto``, which only a proxy may set. A query with raw bytes is percent-encoded.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    query = scope["query_string"]
    if not query.isascii():
        query = quote_from_bytes(query, safe="%&=+;,/?:@!$'()*[]~-._").encode()
    return scope | {"headers": headers, "query_string": query}


def whole_body(receive: Any) -> Any:
    """Make a body that breaks off raise: a cut upload must not pass for a whole file."""

    async def receive_part() -> Any:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("The client went away while it sent the body.")
        return message

    return receive_part
