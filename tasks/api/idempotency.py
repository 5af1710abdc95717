"""The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header), and what "the same body" is."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rest_framework.request import Request

from tasks.api.refusals import InvalidParameter

MAX_LENGTH = 255


def idempotency_key(request: Request) -> str | None:
    """Return the key, given as a quoted string (RFC 8941) or bare; None without the header.

    Raises:
        InvalidParameter: empty, too long, or not printable ASCII.
    """
    given: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if given is None:
        return None
    key = given.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if 0 < len(key) <= MAX_LENGTH and key.isascii() and key.isprintable():
        return key
    detail = f"The Idempotency-Key has 1 to {MAX_LENGTH} printable ASCII characters."
    raise InvalidParameter(detail, errors=[{"pointer": "/Idempotency-Key", "code": "invalid_key", "detail": detail}])


def body_digest(request: Request) -> str:
    """Return what identifies address and body: the order of keys and the white space do not count."""
    body: Any = request.data
    text = json.dumps([request.path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
