"""The table of `make quality` in Markdown: for .portal/quality, for the screen, and inside docs/quality.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.quality.figures import PARTS, Figure, shown

BEGIN, END = "<!-- figures: make quality KEEP=1 writes them -->", "<!-- end of figures -->"


def markdown(figures: Sequence[Figure]) -> str:
    """Return a table for each part that has figures, its cases below each other."""
    tables = []
    for name, part in PARTS.items():
        mine = [figure for figure in figures if figure.part == name]
        if mine:
            tables.append(f"**{part.title}**\n\n{_table(mine)}")
    return "\n\n".join(tables) + "\n"


def _table(figures: Sequence[Figure]) -> str:
    """Return the figures of a part.

    >>> print(_table([Figure("ocr", "English", "auto", 0.99), Figure("ocr", "Chinese", "PP-OCR", 1.0)]))
    | | auto | PP-OCR |
    |---|---|---|
    | English | 0.990 | |
    | Chinese | | 1.000 |
    """
    columns = list(dict.fromkeys(figure.by for figure in figures))
    cells = {(figure.case, figure.by): shown(figure.value) for figure in figures}
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for case in dict.fromkeys(figure.case for figure in figures):
        row = [cells.get((case, by), "") for by in columns]
        lines.append("| " + " | ".join([case, *row]).replace("|  ", "| ").rstrip() + " |")
    return "\n".join(lines)


def put_into(page: Path, figures: Sequence[Figure]) -> None:
    """Put the table between its marks in a page of the documentation."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(figures)}\n{END}{after}")


def table_in(page: Path) -> str:
    """Return what stands between the marks of a page."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip() + "\n"
