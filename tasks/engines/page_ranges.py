"""Page choices as people write them: ``1-3,5`` or ``7-``."""

from __future__ import annotations

import re

PATTERN = re.compile(r"\s*(\d{1,6})\s*(?:(-)\s*(\d{1,6})?\s*)?")
# The same for JSON Schema, for a whole choice; that a range runs forwards cannot be said so.
PAGES = r"^\s*([1-9][0-9]{0,5}\s*(-\s*([1-9][0-9]{0,5})?\s*)?(,\s*[1-9][0-9]{0,5}\s*(-\s*([1-9][0-9]{0,5})?\s*)?)*)?$"


def parse_pages(text: str) -> list[tuple[int, int | None]]:
    """Return the ranges of a page choice; an open end is None.

    >>> parse_pages("1-3, 5, 7-")
    [(1, 3), (5, 5), (7, None)]

    Raises:
        ValueError: a part is no page number, is zero, or runs backwards.
    """
    ranges: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = PATTERN.fullmatch(part)
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a page or a range of pages; write it like 1-3,5")
        first = int(match[1])
        last = (int(match[3]) if match[3] else None) if match[2] else first
        if first < 1:
            raise ValueError("pages are counted from 1")
        if last is not None and last < first:
            raise ValueError(f"{part.strip()!r} runs backwards")
        ranges.append((first, last))
    return ranges


def choose_pages(text: str | None, page_count: int) -> list[int]:
    """Return the chosen page numbers that the document has, each once, in order; all for None.

    >>> choose_pages("3-,1", 4)
    [1, 3, 4]
    """
    if text is None:
        return list(range(1, page_count + 1))
    chosen: set[int] = set()
    for first, last in parse_pages(text):
        chosen.update(range(first, min(page_count if last is None else last, page_count) + 1))
    return sorted(chosen)
