"""Searchable PDFs of scans and pictures: what was read stands, unseen, over what is shown."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import Field

from tasks.context import Context
from tasks.engines.document import Notice, Page
from tasks.errors import InputTooLarge, QuotaExceeded, UnreadableFile
from tasks.handlers.file_or_url import LocalFile
from tasks.names import made_of

PDF = "application/pdf"
FILES = "with `searchable`: the searchable PDF"


def searchable_field() -> Any:
    """Return the input field that asks for one."""
    return Field(
        default=False,
        title="Searchable PDF",
        description="Store a copy as PDF in which text that was read by OCR can be searched, marked and copied.",
    )


def save_searchable_pdf(ctx: Context, file: LocalFile, pages: Sequence[Page], notices: list[Notice]) -> list[UUID]:
    """Store a copy of a PDF with the words of its scanned pages; a notice says why there is none."""
    words = {str(page.number): page.words for page in pages if page.words}
    return _save(ctx, file, notices, "searchable_contained:cover_pdf", bool(words), pages=words)


def save_searchable_picture(
    ctx: Context, file: LocalFile, words: Sequence[tuple[str, Sequence[float]]], notices: list[Notice]
) -> list[UUID]:
    """Store a PDF of a picture with its words; a notice says why there is none."""
    return _save(ctx, file, notices, "searchable_contained:cover_picture", bool(words), words=words)


def _save(
    ctx: Context, file: LocalFile, notices: list[Notice], function: str, has_words: bool, **content: Any
) -> list[UUID]:
    if not has_words:
        notices.append(Notice("left out", "There is no searchable PDF. No text was read by OCR."))
        return []
    from tasks.engines import contained

    ctx.progress(0.97, "making the searchable PDF")
    with tempfile.TemporaryDirectory(prefix="portal-searchable-") as folder:
        into = Path(folder) / "searchable.pdf"
        try:
            contained.call(function, path=str(file.path), into=str(into), check=ctx.check, **content)
            return [ctx.save(made_of(file.name, "-searchable.pdf"), into.read_bytes(), PDF).id]
        except (UnreadableFile, InputTooLarge, QuotaExceeded) as error:
            notices.append(Notice("left out", f"There is no searchable PDF. {error.message}"))
            return []
