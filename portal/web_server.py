"""The web process: uvicorn with the portal, and with the bounds that it lacks. ``python -m portal.web_server``."""

from __future__ import annotations

import argparse
import socket

import uvicorn

from portal.bounded_http import BoundedProtocol

STOP_SECONDS = 10


def main() -> None:
    given = arguments()
    config = uvicorn.Config(
        "portal.asgi:application",
        host=given.host,
        port=given.port,
        http=BoundedProtocol,
        lifespan="on",
        access_log=False,
        # As the settings say: everything goes one way, in one form.
        log_config=None,
        # uvicorn would believe what the loopback says about its clients; TRUSTED_PROXIES says whom we believe.
        proxy_headers=False,
        server_header=False,
        # Streams end at once when the process is told to stop; what else is under way gets this long.
        timeout_graceful_shutdown=given.stop_seconds,
    )
    server = uvicorn.Server(config)
    server.run(sockets=None if given.fd is None else [socket.socket(fileno=given.fd)])
    if not server.started:
        raise SystemExit(3)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.web_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen at (8000)")
    parser.add_argument("--fd", type=int, help="descriptor of a socket that listens already, instead of both")
    parser.add_argument(
        "--stop-seconds", type=int, default=STOP_SECONDS, help=f"how long requests may go on at a stop ({STOP_SECONDS})"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
