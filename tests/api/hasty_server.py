"""uvicorn with the portal, which has little patience with clients: for tests that would wait for half a minute."""

from __future__ import annotations

# Sets Django up, as uvicorn would by importing it.
import portal.asgi  # noqa: F401
from portal import bounded_http, slow_clients, web_server
from tasks.api.streams import follow, wire

if __name__ == "__main__":
    wire.SLOWEST_WRITE_SECONDS = 0.5
    follow.BEAT_SECONDS = 0.3
    slow_clients.PATIENCE_SECONDS = 2.0
    bounded_http.HEAD_SECONDS = 1.5
    web_server.main()
