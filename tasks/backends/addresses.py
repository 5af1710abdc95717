"""Which model servers are set up: base URLs by kind, from the settings."""

from __future__ import annotations

from django.conf import settings

from tasks import errors

# The setting that lists the servers of a kind.
SETTINGS = {"chat": "BACKENDS_CHAT"}


def configured(kind: str) -> list[str]:
    """Return the base URLs (ending in ``/v1``) of the servers of this kind; empty when none is set up."""
    return [url.rstrip("/") for url in getattr(settings, SETTINGS[kind])] if kind in SETTINGS else []


def base_url(kind: str) -> str:
    """Return the base URL of the server to call.

    Raises:
        BackendError: none is set up.
    """
    urls = configured(kind)
    if not urls:
        raise errors.BackendError(f"No model server for {kind} is set up; set {SETTINGS.get(kind, kind)}.")
    return urls[0]
