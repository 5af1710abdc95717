"""Addresses of files that work without a session for a short time: signed, and good for one file only."""

from __future__ import annotations

import time
from uuid import UUID

from django.core import signing

from tasks.api import refusals

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 7 * 86_400
SALT = "tasks.api.signed_links"


def signed_path(file_id: UUID, *, seconds: int = DEFAULT_SECONDS) -> str:
    """Return the path and query of a file's bytes that anybody may fetch for so many seconds from now."""
    expires = int(time.time()) + seconds
    return f"/api/v1/files/{file_id}/content?expires={expires}&signature={_signature(file_id, expires)}"


def check_signature(file_id: UUID, *, expires: str, signature: str) -> None:
    """Check the query of an address made by `signed_path`, also with a former SECRET_KEY.

    Raises:
        InvalidSignature: it was not made here, or for another file or time.
        LinkExpired: its time is over.
    """
    until = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 15 else 0
    try:
        signing.Signer(salt=SALT).unsign(f"{file_id}:{until}:{signature}")
    except signing.BadSignature as error:
        raise refusals.InvalidSignature from error
    if until < time.time():
        raise refusals.LinkExpired


def _signature(file_id: UUID, expires: int) -> str:
    return signing.Signer(salt=SALT).signature(f"{file_id}:{expires}")
