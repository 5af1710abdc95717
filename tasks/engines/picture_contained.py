"""Reads a picture file for `contained`: its text with boxes, and what else can be told of it."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.engines import ocr, picture_file
from tasks.engines.contained import Tell, no_check

THUMBNAIL_SIDE = 320


def analyze(tell: Tell, *, path: str) -> dict[str, Any]:
    """Return everything that is told of a picture: text, lines of words, size, EXIF, colours, faces, codes.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    from tasks.engines import vision

    file = picture_file.read_picture_file(Path(path))
    picture = file.picture
    tell(0.1, "reading the text")
    reading = ocr.read_picture(picture, check=no_check)
    tell(0.7, "looking for faces and codes")
    return {
        "text": reading.text,
        "lines": [[asdict(word) for word in line] for line in reading.lines],
        "confidence": round(reading.confidence, 3) if reading.words else None,
        "size": {"width": picture.width, "height": picture.height},
        "format": file.format,
        "frames": file.frame_count,
        "exif": file.exif,
        "palette": [asdict(shade) for shade in picture_file.palette_of(picture)],
        "faces": [asdict(face) for face in vision.find_faces(picture)],
        "codes": [asdict(code) for code in vision.find_codes(picture)],
    }


def read_text(tell: Tell, *, path: str) -> dict[str, Any]:
    """Return a picture's text, with its size, format and EXIF.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    file = picture_file.read_picture_file(Path(path))
    tell(0.2, "reading the text in the picture")
    reading = ocr.read_picture(file.picture, check=no_check)
    return {
        "text": reading.text,
        "confidence": round(reading.confidence, 3) if reading.words else None,
        "width": file.picture.width,
        "height": file.picture.height,
        "format": file.format,
        "frames": file.frame_count,
        "exif": file.exif,
    }


def make_thumbnail(tell: Tell, *, path: str, into: str, side: int = THUMBNAIL_SIDE) -> dict[str, int]:
    """Write a small PNG of a picture into a file and return its size in pixels.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    picture = picture_file.read_picture_file(Path(path)).picture
    picture.thumbnail((side, side))
    stored = io.BytesIO()
    picture.save(stored, "PNG")
    Path(into).write_bytes(stored.getvalue())
    return {"width": picture.width, "height": picture.height}
