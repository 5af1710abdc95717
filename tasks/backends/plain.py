"""Calls a plain HTTP service that operators added as a backend: JSON in, JSON out.

Only paths below its address: the key of the service goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tasks.backends.wire import read_json, translated
from tasks.context import Server
from tasks.errors import GiveUp


def call_service(server: Server, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Send a request with a JSON body, or none, and return the JSON of the answer.

    Args:
        path: begins with a slash; what follows the address of the service.

    Raises:
        GiveUp: the path is no path, or the service says that the request is wrong.
        ServerFailed: refused, busy, not reached, broke off, or no JSON.
    """
    parts = urlsplit(path)
    if not path.startswith("/") or parts.scheme or parts.netloc or ".." in parts.path.split("/"):
        raise GiveUp("The path of a request to a service begins with one slash and stays below its address.")
    with translated(), server.client.stream(method, f"{server.base_url}{path}", json=body) as answer:
        return read_json(answer)
