"""Writes tables as CSV that a spreadsheet cannot be tricked by."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

CSV = "text/csv; charset=utf-8"
# A cell that begins so is run as a formula by spreadsheets (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


def write_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return RFC 4180 CSV with a byte order mark, so that spreadsheets read it as UTF-8."""
    return BYTE_ORDER_MARK + csv_lines(rows)


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Return some rows of such a file."""
    target = io.StringIO()
    csv.writer(target).writerows([_safe(cell) for cell in row] for row in rows)
    return target.getvalue()


def _safe(cell: Any) -> str:
    """Return the cell as text; what looks like a formula gets an apostrophe in front. Numbers stay numbers.

    >>> _safe("=1+1"), _safe("-12.5"), _safe(None)
    ("'=1+1", '-12.5', '')
    """
    text = "" if cell is None else str(cell)
    if not text.lstrip(" ").startswith(FORMULA_STARTS):
        return text
    return text if _is_number(text) else f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
