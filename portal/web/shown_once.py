"""A secret that the next page shows, and no page after that. Answered with it at once, a reload would make another."""

from __future__ import annotations

import time
from contextlib import suppress

from django.http import HttpRequest

from tasks.secrets import CannotOpen, open_sealed, seal

SHOWN_SECONDS = 60.0


def show_next(request: HttpRequest, key: str, secret: str) -> None:
    """Have the next page show a secret; it is sealed in the session."""
    request.session[key] = {"sealed": seal(secret), "until": time.time() + SHOWN_SECONDS}


def shown_now(request: HttpRequest, key: str) -> str:
    """Return the secret that was just made, or nothing. For a minute: the first answer may have got lost on its way."""
    kept = request.session.get(key)
    if kept and time.time() < kept["until"]:
        with suppress(CannotOpen):
            return open_sealed(kept["sealed"])
    request.session.pop(key, None)
    return ""
