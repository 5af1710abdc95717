"""Reads PDF pages in a contained process: a malicious file may harm its reader, but not the worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tasks.engines import contained
from tasks.engines.contained import Check
from tasks.engines.document import Notice, OcrChoice, Page, page_of
from tasks.engines.ocr_wish import ANYTHING, Wish
from tasks.errors import InputTooLarge, UnreadableFile

# Of processor time.
OPEN_SECONDS, PAGE_SECONDS = 60.0, 300.0
# A file of which so many pages end their reader is made to.
MOST_FAILED = 5


# A page that took so long is worth keeping.
WORTH_SECONDS = 0.5


class PageStore(Protocol):
    """Where pages are that an earlier attempt has read, as JSON; `how` tells apart ways to read one."""

    def find(self, number: int, how: str) -> dict[str, Any] | None: ...

    def keep(self, number: int, how: str, page: dict[str, Any]) -> None: ...


class PdfPages:
    """An open PDF. Pages are counted from 1; those that took long are kept in the store, and not read again."""

    def __init__(self, path: Path, check: Check, wish: Wish = ANYTHING, store: PageStore | None = None) -> None:
        self._path, self._check, self._wish, self._failed, self._store = path, check, wish, 0, store
        self._open()

    def read(self, number: int, *, use_ocr: OcrChoice) -> Page:
        """Read one page. One that cannot be read is empty, and its notice says why.

        Raises:
            UnreadableFile, InputTooLarge: too many pages bring their reader down.
            EngineError: OCR failed.
        """
        how = f"{use_ocr} {self._wish.to_plain()}"
        # Of a single page nothing could be left out another time.
        store = self._store if self.page_count > 1 else None
        if store is not None and (kept := store.find(number, how)) is not None:
            return page_of(kept)
        began = time.monotonic()
        try:
            said = self._child.call(
                "pdf_contained:read_page",
                number=number,
                use_ocr=use_ocr,
                wish=self._wish.to_plain(),
                check=self._check,
                seconds=PAGE_SECONDS,
            )
        except (UnreadableFile, InputTooLarge) as error:
            self._failed += 1
            if self._failed > MOST_FAILED or self.page_count == 1:
                raise
            self.end(error)
            self._open()
            return Page(number, notices=[Notice("unreadable", f"Page {number}: {error.message}", page=number)])
        page = page_of(said)
        if store is not None and (page.source == "ocr" or time.monotonic() - began >= WORTH_SECONDS):
            store.keep(number, how, said)
        return page

    def close(self) -> None:
        """Close the document and give the child back."""
        self._child.call("pdf_contained:close_document")
        self._lent.close()

    def end(self, error: BaseException) -> None:
        """End the child, which may still be at work."""
        self._lent.__exit__(type(error), error, error.__traceback__)

    def _open(self) -> None:
        self._lent = ExitStack()
        self._child = self._lent.enter_context(contained.child())
        try:
            opened = self._child.call(
                "pdf_contained:open_document", path=str(self._path), check=self._check, seconds=OPEN_SECONDS
            )
        except BaseException as error:
            self.end(error)
            raise
        self.page_count: int = opened["page_count"]
        self.metadata: dict[str, str] = opened["metadata"]
        self.notices = [Notice(**notice) for notice in opened["notices"]]


@contextmanager
def open_pages(
    path: Path, *, check: Check, wish: Wish = ANYTHING, store: PageStore | None = None
) -> Iterator[PdfPages]:
    """Open a PDF for as long as the block lasts; `check` is called meanwhile and may raise; `wish` is for its scans.

    Raises:
        UnreadableFile: broken, without pages, or protected by a password.
    """
    pages = PdfPages(path, check, wish, store)
    try:
        yield pages
    except BaseException as error:
        pages.end(error)
        raise
    pages.close()
