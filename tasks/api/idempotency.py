"""The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header), and what "the same body" is."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from tasks.api.refusals import InvalidParameter
from tasks.idempotency import Once

MAX_LENGTH = 255
# A quoted string, which is not empty, or 1 to 255 printable ASCII characters that are none: without spaces around.
KEY = re.compile(r'^("[ -~]{1,255}"|[!#-~]([ -~]{0,253}[!-~])?)$')


def idempotency_key(request: Request) -> str | None:
    """Return the key, given as a quoted string (RFC 8941) or bare; None without the header.

    Raises:
        InvalidParameter: empty, too long, or not printable ASCII.
    """
    given: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if given is None:
        return None
    key = given.strip()
    if KEY.fullmatch(key):
        return key[1:-1].replace('\\"', '"').replace("\\\\", "\\") if key[0] == '"' else key
    detail = f"The Idempotency-Key has 1 to {MAX_LENGTH} printable ASCII characters."
    raise InvalidParameter.at("/Idempotency-Key", "invalid_key", detail)


def body_digest(request: Request) -> str:
    """Return what identifies address and body: the order of keys and the white space do not count."""
    body: Any = request.data
    return digest_of(request.path, body)


def digest_of(*parts: Any) -> str:
    """Return what identifies these values, as JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def once_of(request: Request, user: User) -> Once | None:
    """Return the key of a request that submits nothing, and what it is the key of; None without one.

    Raises:
        InvalidParameter: as `idempotency_key`.
    """
    key = idempotency_key(request)
    return Once(user, key, body_digest(request)) if key else None


def mark_replayed(response: Response, replayed: bool) -> Response:
    """Say on an answer whether it is that of an earlier request."""
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response
