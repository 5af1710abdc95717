"""The portal that system B's calls go to, and what its kinds of work are here."""

from __future__ import annotations

import os
import threading
from typing import Any

from tasks.client import Client

DEFAULT_URL = "http://127.0.0.1:8000"
# System B's kinds of work -> task type. (Its `generic` calls of functions have no type of their own here.)
TYPES = {"pdf_extraction": "pdf.extract", "file_processing": "file.process", "cross_validation": "document.crosscheck"}
# What its queues were called.
QUEUES = {"pdf_extraction": "pdf_extraction", "file_processing": "file_processing", "validation": "cross_validation"}

_of_thread = threading.local()


def portal() -> Client:
    """Return this thread's client of the portal.

    Raises:
        RuntimeError: PORTAL_TOKEN is not set.
    """
    url, token = os.environ.get("PORTAL_URL") or DEFAULT_URL, os.environ.get("PORTAL_TOKEN", "")
    if not token:
        raise RuntimeError("Set PORTAL_TOKEN to an API token of the portal, and PORTAL_URL to its address.")
    if getattr(_of_thread, "made_for", None) != (url, token):
        close_portal()
        _of_thread.client, _of_thread.made_for = Client(url, token), (url, token)
    client: Client = _of_thread.client
    return client


def close_portal() -> None:
    """Close this thread's connections; the next call opens new ones."""
    if getattr(_of_thread, "made_for", None) is not None:
        _of_thread.client.close()
        _of_thread.made_for = None


def type_of(kind: str) -> dict[str, Any]:
    """Return the task type that does a kind of work here.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in TYPES:
        raise ValueError(f"There is no kind of work {kind!r}; there are: {', '.join(TYPES)}.")
    return portal().task_type(TYPES[kind])
