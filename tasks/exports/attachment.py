"""Answers a request with a file that was made of results."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header


def attachment(body: str | bytes | Iterable[bytes], content_type: str, name: str) -> HttpResponseBase:
    """Return an answer that is saved under a name, as it is made where there are pieces.

    It is strangers' text on our origin: never shown, never guessed at, and without rights if it is.
    """
    make = HttpResponse if isinstance(body, str | bytes) else StreamingHttpResponse
    return make(
        body,
        content_type=content_type,
        headers={
            "Content-Disposition": str(content_disposition_header(True, name)),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
