"""Reads a picture file for `contained`: its text with boxes, and what else can be told of it."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.engines import ocr, picture_file
from tasks.engines.contained import Tell, no_check
from tasks.engines.document import Page, joined, to_plain
from tasks.engines.ocr_blocks import blocks_of
from tasks.engines.ocr_wish import Wish
from tasks.engines.page_reading import Reading

THUMBNAIL_SIDE = 320


def analyze(tell: Tell, *, path: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return everything that is told of a picture: text, lines of words, size, EXIF, colours, faces, codes.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    from tasks.engines import vision

    file = picture_file.read_picture_file(Path(path))
    picture = file.picture
    tell(0.1, "reading the text")
    reading = ocr.read_picture(picture, wish=Wish.of_plain(wish), check=no_check)
    tell(0.7, "looking for faces and codes")
    page = page_of(reading, picture.width, picture.height)
    return {
        "text": joined(page.blocks),
        "page": to_plain(page),
        "engine": ocr.engine_of(reading).model_dump(),
        "lines": [[asdict(word) for word in line] for line in reading.lines],
        "size": {"width": picture.width, "height": picture.height},
        "format": file.format,
        "frames": file.frame_count,
        "exif": file.exif,
        "palette": [asdict(shade) for shade in picture_file.palette_of(picture)],
        "faces": [asdict(face) for face in vision.find_faces(picture)],
        "codes": [asdict(code) for code in vision.find_codes(picture)],
    }


def read_text(tell: Tell, *, path: str, frame: int = 0, wish: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what is written in one of a picture's frames as a page, with its size, format and EXIF.

    Raises:
        UnreadableFile, InputTooLarge: see `read_picture_file`.
    """
    file = picture_file.read_picture_file(Path(path), frame)
    tell(0.2, "reading the text in the picture")
    reading = ocr.read_picture(file.picture, wish=Wish.of_plain(wish), check=no_check)
    page = page_of(reading, file.picture.width, file.picture.height)
    return {
        "text": joined(page.blocks),
        "page": to_plain(page),
        "engine": ocr.engine_of(reading).model_dump(),
        "width": file.picture.width,
        "height": file.picture.height,
        "format": file.format,
        "frames": file.frame_count,
        "exif": file.exif,
    }


def page_of(reading: Reading, width: int, height: int) -> Page:
    """Return a reading of a whole picture as a page of a document; boxes are pixels."""
    return Page(
        None,
        blocks_of(reading),
        width=width,
        height=height,
        unit="pixels",
        source="ocr",
        confidence=round(reading.confidence, 3) if reading.words else None,
        language=reading.language_tag,
        engine=reading.engine,
        notices=list(reading.notices),
    )


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
