"""Serves a part of a file: a browser plays a recording from the middle only where it can ask for that part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from portal.web.file_answers import as_file, serve_file
from portal.web.missing import missing_is_404
from tasks import errors
from tasks.files import open_file
from tasks.models import File

# Several ranges at once are answered with the whole, as they may be.
ONE_RANGE = re.compile(r"bytes=(?!-$)(\d{0,18})-(\d{0,18})")
PIECE_BYTES = 64 * 1024


def serve_range(request: HttpRequest, file: File) -> HttpResponseBase:
    """Answer with the part of a file that the request asks for (RFC 9110, 14.2), with all where it asks for none."""
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None:
        response = serve_file(file, as_attachment=False)
        response["Accept-Ranges"] = "bytes"
        return response
    first, end = bounds(*asked.groups(), size=file.size)
    if first >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
    with missing_is_404(errors.UnreadableFile):
        data = open_file(file)
    data.seek(first)
    headers = {"Content-Range": f"bytes {first}-{end - 1}/{file.size}", "Content-Length": str(end - first)}
    part = StreamingHttpResponse(_pieces(data, end - first), status=206, headers=headers)
    return as_file(part, file)


def bounds(first: str, last: str, *, size: int) -> tuple[int, int]:
    """Return where a range begins and ends, counted from 0; it is empty where the file has nothing of it.

    >>> bounds("2", "", size=10), bounds("", "3", size=10), bounds("0", "99", size=10), bounds("10", "", size=10)
    ((2, 10), (7, 10), (0, 10), (10, 10))
    """
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


def _pieces(data: BinaryIO, left: int) -> Iterator[bytes]:
    with data:
        while left > 0 and (piece := data.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
