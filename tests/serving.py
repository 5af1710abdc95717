"""A server of the standard library in a thread, which ends with its `with`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

Server = TypeVar("Server", bound=BaseServer)


@contextmanager
def serving(server: Server, *, at_the_end: Callable[[], object] = lambda: None) -> Iterator[Server]:
    """Let `server` answer; call `at_the_end` before it is told to stop, and close its socket when it has."""
    # Until somebody looks whether it is to end, half a second may pass by default.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    with server:
        thread.start()
        try:
            yield server
        finally:
            at_the_end()
            server.shutdown()
            thread.join()
