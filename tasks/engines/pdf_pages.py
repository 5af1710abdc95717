"""Reads PDF pages in a contained process: a malicious file may harm its reader, but not the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.engines import contained
from tasks.engines.contained import Check, Child

OPEN_SECONDS, PAGE_SECONDS = 60.0, 180.0


@dataclass(frozen=True)
class PdfPage:
    """One page as read; see `pdf_reader.PageReading`. A table is its rows of cells."""

    number: int
    width: float
    height: float
    text: str
    prose: str
    source: Literal["text", "ocr"]
    confidence: float | None
    tables: list[list[list[str]]]
    warnings: list[str]


class PdfPages:
    """An open PDF. Pages are counted from 1."""

    def __init__(self, child: Child, path: Path, check: Check) -> None:
        self._child, self._check = child, check
        opened = child.call("pdf_contained:open_document", path=str(path), check=check, seconds=OPEN_SECONDS)
        self.page_count: int = opened["page_count"]
        self.metadata: dict[str, str] = opened["metadata"]

    def read(self, number: int, *, use_ocr: Literal["auto", "always", "never"]) -> PdfPage:
        """Read one page.

        Raises:
            UnreadableFile, InputTooLarge: the page is broken, or takes too much memory or time.
            EngineError: OCR failed.
        """
        said = self._child.call(
            "pdf_contained:read_page", number=number, use_ocr=use_ocr, check=self._check, seconds=PAGE_SECONDS
        )
        return PdfPage(**said)


@contextmanager
def open_pages(path: Path, *, check: Check) -> Iterator[PdfPages]:
    """Open a PDF for as long as the block lasts; `check` is called meanwhile and may raise.

    Raises:
        UnreadableFile: broken, without pages, or protected by a password.
    """
    with contained.child() as child:
        yield PdfPages(child, path, check)
        child.call("pdf_contained:close_document")
