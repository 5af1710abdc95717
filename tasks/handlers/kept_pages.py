"""The pages of a PDF that earlier attempts of the task have read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tasks.context import Context
from tasks.engines import pp_ocr
from tasks.engines.any_file import pdf_engine
from tasks.errors import TooMuchKept
from tasks.handlers.ocr_options import engines_here


class KeptPages:
    """Implements `tasks.engines.pdf_pages.PageStore`, by the file's content and the engines that read it."""

    def __init__(self, ctx: Context, sha256: str) -> None:
        engines = f"{pdf_engine().version}, {engines_here()}, {pp_ocr.engine().version} {pp_ocr.READER[1][:16]}"
        self._ctx, self._key = ctx, f"{sha256} {engines}"[:200]
        self._pages: dict[tuple[int, str], dict[str, Any]] | None = None

    def find(self, number: int, how: str) -> dict[str, Any] | None:
        """Return a page as JSON, None where it was not read yet."""
        if self._pages is None:
            self._pages = {(kept["number"], kept["how"]): kept["page"] for kept in self._ctx.kept(self._key)}
            if self._pages:
                self._ctx.log(f"{len(self._pages)} pages were read by an earlier attempt.")
        return self._pages.get((number, how))

    def keep(self, number: int, how: str, page: dict[str, Any]) -> None:
        """Keep a page; where it does not fit, another attempt reads it again."""
        with suppress(TooMuchKept):
            self._ctx.keep({"number": number, "how": how, "page": page}, self._key)
