"""Draws a page of a PDF, or a picture file, as a picture of bounded size; in a contained process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tasks.engines import contained
from tasks.engines.contained import Kind

PDF = "application/pdf"
WEBP = "image/webp"
# Wide enough for a page to be read on a screen of double density.
SIDE = 1400
# Of processor time. Pages that people read take a tenth of a second; drawings of maps take several.
SECONDS = 10.0
# Not the kind that tasks are read by: who looks at pages waits for no task.
DRAWER = Kind("drawer", kept_rss_bytes=400 * 1024**2, stalled_seconds=30.0, data_bytes=1400 * 1024**2)


def is_drawn(content_type: str) -> bool:
    """Return whether files of this content type have pages that can be drawn. SVG is a program, and not drawn."""
    return content_type == PDF or (content_type.startswith("image/") and content_type != "image/svg+xml")


def draw_page(path: Path, content_type: str, number: int) -> bytes:
    """Return page `number`, counted from 1, as WebP with at most `SIDE` pixels a side; of a picture, its frame.

    Raises:
        UnreadableFile: the file is broken or protected, or has no such page.
        InputTooLarge: drawing it takes too much memory, or too long.
        EngineError: the process that draws failed.
    """
    function = "page_picture_contained:draw_pdf" if content_type == PDF else "page_picture_contained:draw_picture"
    with tempfile.TemporaryDirectory(prefix="portal-page-") as folder:
        into = Path(folder) / "page.webp"
        contained.call(
            function, child_kind=DRAWER, path=str(path), number=number, side=SIDE, into=str(into), seconds=SECONDS
        )
        return into.read_bytes()
