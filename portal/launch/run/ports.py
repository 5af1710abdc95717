"""Takes the port of the web server before anything starts, and finds free ones for servers behind it."""

from __future__ import annotations

import contextlib
import secrets
import socket

import psutil

from portal.launch.run.child_log import show

HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 100
# Whoever binds to port 0, or connects, is given one above these. What is free here stays so until a server that was
# told of it has started; one that is free above may be anybody's by then.
UNASSIGNED = range(10_000, 32_768)


class PortError(Exception):
    """The port cannot be had; the message says what to do."""


def take_port(wanted: int | None) -> socket.socket:
    """Return a socket bound to the wanted port, or to the first free one from 8000.

    The socket is handed to the web server, so that between looking and listening nobody else can take
    the port, and so that connections wait while a web server that died is started again.

    Raises:
        PortError: the wanted one is taken or not ours to take.
    """
    if wanted is not None:
        try:
            return _bind(wanted)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PortError(
                f"Port {wanted} cannot be used ({reason}{holder(wanted)}): stop what uses it, "
                "or choose another, as in `make run PORT=9000`."
            ) from error
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        try:
            return _bind(port)
        except OSError as error:
            show(f"Port {port} cannot be used ({error.strerror}{holder(port)}); trying the next one.")
    raise PortError(f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free: choose one with PORT=.")


def holder(port: int) -> str:
    """Return ``, by NAME with process id N`` where that can be known: of one's own processes, or for root of all."""
    with contextlib.suppress(psutil.Error, OSError, RuntimeError):
        for held in psutil.net_connections("tcp"):
            if held.status == psutil.CONN_LISTEN and held.laddr and held.laddr.port == port and held.pid:
                return f", by {psutil.Process(held.pid).name()} with process id {held.pid}"
    return ""


def free_port() -> int:
    """Return a port that is free now, and that nobody is given who doesn't ask for it by its number."""
    while True:
        port = secrets.choice(UNASSIGNED)
        with contextlib.suppress(OSError):
            _bind(port).close()
            return port


def _bind(port: int) -> socket.socket:
    taken = socket.socket()
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((HOST, port))
        # Two sockets may both bind with SO_REUSEADDR; only one of them can listen.
        taken.listen(1024)
    except BaseException:
        taken.close()
        raise
    return taken
