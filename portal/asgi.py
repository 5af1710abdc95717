"""The ASGI application: WebSockets to Channels, what waits to the event loop, the rest to Django in threads.

Django's own ASGI handler costs five to ten times its WSGI handler per request, so requests go to the latter in
threads; those that may wait go there through `tasks.api.streams`. `portal.web_server` serves it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from types import FrameType
from typing import Any

# Before the settings are loaded: only the web process pools its database connections.
os.environ["PORTAL_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.wsgi import get_wsgi_application

# Sets Django up, which the imports below need.
wsgi_handler: Any = get_wsgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.urls import path  # noqa: E402

from portal.database.pool import check_pool  # noqa: E402
from portal.slow_clients import arriving, body_length, no_body, until_stalled  # noqa: E402
from portal.socket_origin import OwnOriginOnly  # noqa: E402
from portal.threaded_wsgi import ThreadedWsgi  # noqa: E402
from tasks import tracing  # noqa: E402
from tasks.admin.live import OperationsConsumer  # noqa: E402
from tasks.api.arrival import ARRIVAL, Arrival  # noqa: E402
from tasks.api.streams.application import waiting_answer  # noqa: E402
from tasks.api.streams.wake import Wake  # noqa: E402
from tasks.api.token_cache import forget_token  # noqa: E402
from tasks.live import channels  # noqa: E402
from tasks.live.consumer import TaskConsumer  # noqa: E402
from tasks.live.hub import hub  # noqa: E402
from tasks.pooler import UnusablePooler, refuse_pooler  # noqa: E402
from tasks.type_checks import look_over_at_start  # noqa: E402

Scope = dict[str, Any]

wsgi_application = ThreadedWsgi(wsgi_handler, threads=settings.WEB_THREADS)
SOCKETS = {"ws/tasks": TaskConsumer.as_asgi(), "ws/operations": OperationsConsumer.as_asgi()}
socket_application = OwnOriginOnly(
    AuthMiddlewareStack(URLRouter([path(route, consumer) for route, consumer in SOCKETS.items()]))
)


async def application(scope: Scope, receive: Any, send: Any) -> None:
    """Hand a connection to whoever serves it."""
    match scope["type"]:
        case "http":
            await (waiting_answer(views, scope, receive, send) or views(scope, receive, send))
        case "websocket" if scope["path"].removeprefix("/") in SOCKETS:
            await socket_application(scope, receive, send)
        case "websocket":
            # Answered with 403 before the handshake.
            await send({"type": "websocket.close"})
        case "lifespan":
            await live(receive, send)


async def views(scope: Scope, receive: Any, send: Any) -> None:
    """Answer a request by Django in a thread."""
    length = body_length(scope)
    if not length:
        # None, or one of unknown length, which nobody reads.
        await wsgi_application(scope, no_body(), until_stalled(send))
        return
    arrival = Arrival()
    async with arriving(length, receive, arrival) as body:
        await wsgi_application(scope | {ARRIVAL: arrival}, body, until_stalled(send))


async def live(receive: Any, send: Any) -> None:
    """Start the LISTEN connection with the server and stop it with it (ASGI lifespan protocol)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await asyncio.to_thread(refuse_pooler)
                await asyncio.to_thread(look_over_at_start)
            except (UnusablePooler, ImproperlyConfigured) as refused:
                await send({"type": "lifespan.startup.failed", "message": str(refused)})
                return
            hub.call_on(channels.TOKEN, forget_token)
            hub.call_on(channels.TOKEN, Wake.check_token)
            hub.call_after_outage(check_pool)
            await hub.start()
            end_streams_on_stop()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await hub.stop()
            # uvicorn ends by the signal that it was sent.
            await asyncio.to_thread(tracing.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


def end_streams_on_stop() -> None:
    """End all streams when the server is told to stop: it tells us only after the last of them has ended."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def put_before(number: signal.Signals) -> None:
        servers = signal.getsignal(number)

        def stop(received: int, frame: FrameType | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(Wake.end_all)
            if callable(servers):
                servers(received, frame)

        if callable(servers):
            signal.signal(number, stop)

    put_before(signal.SIGTERM)
    put_before(signal.SIGINT)
