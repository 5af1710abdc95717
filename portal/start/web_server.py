"""The web process of `make run`: uvicorn on a socket that the supervisor opened and keeps."""

from __future__ import annotations

import argparse
import socket

import uvicorn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m portal.start.web_server", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="descriptor of a listening socket")
    listening = socket.socket(fileno=parser.parse_args().fd)
    config = uvicorn.Config(
        "portal.asgi:application",
        lifespan="on",
        access_log=False,
        log_config=None,
        # Streams stay open for as long as someone looks at a page.
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
