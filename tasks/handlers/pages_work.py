"""How much work a PDF is, guessed before it is submitted from what its ends say of its pages."""

from __future__ import annotations

from pathlib import Path

from tasks.engines.pdf_length import SaidPages, said_pages
from tasks.registry import Work

OVERHEAD_SECONDS = 2.0
# Seconds a page on two cores that are busy: its own text and tables; by OCR with each choice of engine.
TEXT_PAGE = 0.3
SCANNED_PAGE = {"auto": 4.0, "fast": 2.0, "accurate": 10.0}


def pages_said(path: Path | None) -> SaidPages | None:
    """Return what a stored file says of its pages; None for an address, and where it does not tell."""
    if path is None:
        return None
    with path.open("rb") as source:
        return said_pages(source)


def pages_work(count: int, scans: int, engine: str) -> Work:
    """Return the work of reading so many pages, `scans` of them by OCR."""
    amount = f"A PDF of {count} pages (by OCR: {scans})"
    pace = SCANNED_PAGE.get(engine, SCANNED_PAGE["auto"])
    return Work(amount, OVERHEAD_SECONDS + TEXT_PAGE * count + pace * scans)
