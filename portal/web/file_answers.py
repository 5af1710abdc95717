"""Answers with the bytes of a file: as an attachment, or as a raster picture. They never run as a page of ours."""

from __future__ import annotations

from django.http import FileResponse, HttpResponseBase

from portal.web.missing import missing_is_404
from tasks import errors
from tasks.files import open_file
from tasks.models import File

# Pictures that a browser shows without running anything; SVG is not one of them.
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
# Recordings, and films for their sound, that a browser plays.
SOUNDS = {
    "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "audio/aac", "audio/flac", "audio/webm", "application/ogg",
    "video/mp4", "video/webm", "video/ogg",
}  # fmt: skip
NO_SCRIPTS = "sandbox; default-src 'none'"


def serve_file(file: File, *, as_attachment: bool) -> HttpResponseBase:
    with missing_is_404(errors.UnreadableFile):
        data = open_file(file)
    response = FileResponse(data, as_attachment=as_attachment, filename=file.name, content_type=file.content_type)
    response["Content-Security-Policy"] = NO_SCRIPTS
    # The bytes of an id never change.
    response["Cache-Control"] = "private, max-age=3600, immutable"
    return response
