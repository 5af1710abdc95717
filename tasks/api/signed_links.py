"""Addresses of files that work without a session for a short time: signed, and good for one file only.

They end with the token or session that made them: `tasks.api.link_makers`.
"""

from __future__ import annotations

import time
from uuid import UUID

from django.core import signing

from tasks.api import refusals

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 7 * 86_400
SALT = "tasks.api.signed_links"


def signed_path(file_id: UUID, *, maker: str, seconds: int = DEFAULT_SECONDS) -> str:
    """Return the path and query of a file's bytes that anybody may fetch for so many seconds from now."""
    expires = int(time.time()) + seconds
    signature = signing.Signer(salt=SALT).signature(_signed(file_id, expires, maker))
    return f"/api/v1/files/{file_id}/content?expires={expires}&maker={maker}&signature={signature}"


def check_signature(file_id: UUID, *, expires: str, maker: str, signature: str) -> None:
    """Check the query of an address made by `signed_path`, also with a former SECRET_KEY.

    Raises:
        InvalidSignature: it was not made here, or for another file or time, or by somebody else.
        LinkExpired: its time is over.
    """
    until = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 15 else 0
    try:
        signing.Signer(salt=SALT).unsign(f"{_signed(file_id, until, maker)}:{signature}")
    except signing.BadSignature as error:
        raise refusals.InvalidSignature from error
    if until < time.time():
        raise refusals.LinkExpired


def _signed(file_id: UUID, expires: int, maker: str) -> str:
    return f"{file_id}:{expires}:{maker}"
