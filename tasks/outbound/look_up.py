"""Looks names up, within a time limit."""

from __future__ import annotations

import queue
import socket
import threading
from ipaddress import ip_address

from tasks.errors import FetchFailed
from tasks.outbound.addresses import Address


def look_up(host: str, port: int, seconds: float) -> tuple[Address, ...]:
    """Return the addresses of a host, in the order to try.

    Raises:
        FetchFailed: the name cannot be looked up now.
    """
    answers: queue.SimpleQueue[list[str] | OSError | ValueError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except (OSError, ValueError) as error:
            answers.put(error)

    # In a thread, as the resolver takes no time limit; one that hangs ends by itself after its own.
    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise FetchFailed("The host's name could not be looked up in time.") from None
    if not isinstance(answer, list):
        raise FetchFailed("The host's name could not be looked up.") from answer
    # A zone (fe80::1%eth0) is part of link-local addresses only, which are refused.
    return tuple(dict.fromkeys(ip_address(text.partition("%")[0]) for text in answer))
