"""Answers with a file's bytes: as an attachment without rights, whole or in part (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date, parse_etags

from tasks import errors
from tasks.api import refusals
from tasks.files import open_file
from tasks.models import File

CHUNK_BYTES = 64 * 1024
ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


def answer_file(request: HttpRequest, file: File) -> HttpResponseBase:
    """Answer GET and HEAD: 200, 206 for one range, 304 when the client has it, 416 for a range outside.

    Several ranges in one request are answered with the whole file, as RFC 9110 allows.

    Raises:
        ContentPurged: the storage has lost the bytes.
        RangeNotSatisfiable: the range begins behind the end.
    """
    etag = f'"{file.sha256}"'
    if _is_known(request, etag):
        return _with_headers(HttpResponse(status=304), file, etag)
    part = _asked_range(request, file, etag)
    if request.method == "HEAD":
        return _with_length(_with_headers(HttpResponse(), file, etag), file, part)
    try:
        content = open_file(file)
    except errors.UnreadableFile as error:
        raise errors.ContentPurged(error.message) from error
    if part is None:
        return _with_length(_with_headers(FileResponse(content), file, etag), file, None)
    response = StreamingHttpResponse(_Part(content, *part))
    return _with_length(_with_headers(response, file, etag), file, part)


class _Part:
    """Bytes from `first` to `last`, both included; closes the file when the response is closed."""

    def __init__(self, content: BinaryIO, first: int, last: int) -> None:
        self._content = content
        self._first = first
        self._length = last - first + 1

    def __iter__(self) -> Iterator[bytes]:
        self._content.seek(self._first)
        left = self._length
        while left and (chunk := self._content.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._content.close()


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = request.headers.get("If-None-Match", "")
    return known.strip() == "*" or any(given.removeprefix("W/") == etag for given in parse_etags(known))


def _asked_range(request: HttpRequest, file: File, etag: str) -> tuple[int, int] | None:
    """Return first and last byte, or None for the whole file."""
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    # With another file in the client's hands (If-Range) a part of this one would not fit to it. Dates are not kept.
    if asked is None or request.headers.get("If-Range", etag).strip() != etag or not (asked[1] or asked[2]):
        return None
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2] or file.size), file.size - 1)
        if asked[2] and int(asked[2]) < first:
            return None
    else:
        first, last = max(0, file.size - int(asked[2])), file.size - 1
    if first >= file.size:
        raise refusals.RangeNotSatisfiable(headers={"Content-Range": f"bytes */{file.size}"})
    return first, last


def _with_headers(response: HttpResponseBase, file: File, etag: str) -> HttpResponseBase:
    # Strangers' bytes on our origin: never shown, never guessed at, and without rights if they are.
    response.headers["Content-Type"] = file.content_type
    response.headers["Content-Disposition"] = str(content_disposition_header(True, file.name))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(file.created_at.timestamp())
    if response.status_code == 304:
        del response.headers["Content-Type"]
    return response


def _with_length(response: HttpResponseBase, file: File, part: tuple[int, int] | None) -> HttpResponseBase:
    length = file.size
    if part is not None:
        first, last = part
        length = last - first + 1
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    response.headers["Content-Length"] = str(length)
    return response
