"""Checks of servers: asks each for its models, every 15 seconds from one node, and once when an operator asks.

The asking is done in a thread of its own: the duties of a node wait for no model server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from django.db import connection
from django.db.models.functions import Now

from tasks.backends import directory, leases
from tasks.backends.directory import Listed
from tasks.backends.wire import connected, read_json, translated
from tasks.errors import GiveUp, ServerFailed
from tasks.models import Backend, BackendKey
from tasks.models.backend import Kind
from tasks.secrets import CannotOpen, open_sealed

logger = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(3.0, connect=2.0)
AT_ONCE = 8
MOST_MODELS = 1000
MAX_LIST_BYTES = 4 * 1024 * 1024

_running = threading.Lock()


@dataclass(frozen=True)
class Check:
    """What a check found; `failure` is empty when the server answered. `models` is None where it names none."""

    seconds: float
    failure: str = ""
    models: tuple[str, ...] | None = None


def start_checks() -> int:
    """Check all servers in the background; 0 when the last round is still under way here."""
    if not _running.acquire(blocking=False):
        return 0
    threading.Thread(target=_run_checks, name="backend checks", daemon=True).start()
    return 1


def check_servers(servers: Sequence[Listed]) -> list[Check]:
    """Ask servers at once, a few seconds at most each, and note what they said."""
    keys = {server.id: _key_of(server) for server in servers}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="backend check") as threads:
        checks = list(threads.map(lambda server: _ask(server, keys[server.id]), servers))
    for server, check in zip(servers, checks, strict=True):
        note_check(server, check)
    directory.forget()
    return checks


def note_check(server: Listed, check: Check) -> None:
    """Write down what a check found."""
    found: dict[str, Any] = {"checked_at": Now(), "check_seconds": check.seconds}
    if not check.failure:
        found["seen_models"] = None if check.models is None else list(check.models)
    Backend.objects.filter(pk=server.id).update(**found)
    if check.failure:
        leases.note_failure(server.id, "check", check.failure)
    else:
        leases.note_success(server.id, checked=True)


def _run_checks() -> None:
    try:
        directory.name_environment()
        directory.forget()
        check_servers([server for kind in Kind.values for server in directory.servers(kind) if server.id])
    except Exception:
        logger.exception("the model servers could not be checked")
    finally:
        connection.close()
        _running.release()


def _ask(server: Listed, key: str) -> Check:
    started = time.monotonic()
    models, failure = None, ""
    try:
        with connected(server.kind, server.name, server.base_url, key, ()) as asked, translated():
            if server.kind == Kind.HTTP:
                _ask_http(asked.client, server.base_url)
            else:
                models = _ask_models(asked.client, server.base_url)
    except (ServerFailed, GiveUp) as error:
        failure = error.message
    return Check(time.monotonic() - started, failure, models)


def _ask_http(client: httpx.Client, url: str) -> None:
    # Whatever is there may want more than an empty request: any answer but a failure of its own will do.
    with client.stream("GET", url, timeout=TIMEOUT) as answer:
        if answer.is_server_error:
            raise ServerFailed(f"The server answered with HTTP status {answer.status_code}.")


def _ask_models(client: httpx.Client, base_url: str) -> tuple[str, ...] | None:
    with client.stream("GET", f"{base_url}/models", timeout=TIMEOUT) as answer:
        if answer.status_code in {404, 405, 429}:
            # Some servers of images and speech have no such list, and a busy one is well.
            return None
        data = read_json(answer, most_bytes=MAX_LIST_BYTES)
    try:
        return tuple(str(model["id"])[:200] for model in data["data"][:MOST_MODELS])
    except (TypeError, LookupError) as error:
        raise ServerFailed("The list of models is not one of an OpenAI-compatible server.", why="nonsense") from error


def _key_of(server: Listed) -> str:
    if server.key:
        return server.key
    stored = BackendKey.objects.filter(backend=server.id).order_by("id").first()
    try:
        return open_sealed(stored.sealed) if stored else ""
    except CannotOpen:
        # The check fails for want of a key, which is what the operator needs to see.
        return ""
